"""`studio hardware learn`: what an unknown desk says becomes a file that `studio check` accepts."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ports import free_port
from typer.testing import CliRunner

from studio.catalogue import Catalogue
from studio.cli import app
from studio.devices import Hardware, OscLearner, OscModel
from studio.wire.osc import Message, encode

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

REACHED = ("port: 9000", "keep_alive: /hello", "asks: false")


def heard(*messages: tuple[object, ...]) -> OscLearner:
    learner = OscLearner()
    for address, *arguments in messages:
        learner.take(Message(str(address), tuple(arguments)))
    return learner


def read(learner: OscLearner, folder: Path) -> OscModel:
    """The draft as the programme reads it."""
    (folder / "hardware").mkdir(exist_ok=True)
    draft = learner.draft('Ona "& Co"', "Desk: 1", "draft", REACHED)
    (folder / "hardware" / "mine.yaml").write_text(draft, "utf-8")
    model = Catalogue(folder).load("hardware", "mine", Hardware).osc
    assert model is not None
    return model


def test_numbered_addresses_become_channels(tmp_path: Path) -> None:
    learner = heard(
        *((f"/ch/{n:02}/mix/fader", n / 40) for n in (1, 5, 32)),
        *((f"/ch/{n:02}/mix/on", n % 2) for n in (1, 2, 12)),
        *((f"/ch/{n:02}/mix/{m:02}/level", 0.5) for n in (1, 3) for m in (1, 16)),
        ("/ch/01/config/name", "Ona"),
        *((f"/bus/{n}/pan", n - 3.5) for n in range(8)),
        ("/main/fader", 0.75),
        ("/scene", 7),
    )
    model = read(learner, tmp_path)
    controls = {control.name: control for control in model.controls}
    assert {name: control.value for name, control in controls.items()} == {
        "bus{n}.pan": "number",
        "ch{n}.config.name": "text",
        "ch{n}.mix.fader": "level",
        "ch{n}.mix.on": "switch",
        "ch{n}.mix{m}.level": "level",
        "main.fader": "level",
        "scene": "number",
    }
    assert (controls["ch{n}.mix.fader"].address, controls["ch{n}.mix.fader"].channels) == ("/ch/{nn}/mix/fader", 32)
    assert (controls["ch{n}.mix{m}.level"].address, controls["ch{n}.mix{m}.level"].sends) == (
        "/ch/{nn}/mix/{mm}/level",
        16,
    )
    assert (controls["bus{n}.pan"].channels, controls["bus{n}.pan"].offset) == (8, -1)
    assert (controls["bus{n}.pan"].lowest, controls["bus{n}.pan"].highest) == (-4, 4)
    assert controls["scene"].whole
    assert model.expanded()["ch32.mix.fader"].address == "/ch/32/mix/fader"


def test_a_channel_in_an_argument_is_found(tmp_path: Path) -> None:
    model = read(heard(*(("/strip/gain", n, -n * 1.5) for n in range(1, 9)), ("/strip/mute", 3, 1)), tmp_path)
    gain, mute = model.controls
    assert (gain.name, gain.before, gain.channels, gain.value) == ("strip.gain{n}", ("{n}",), 8, "number")
    assert (mute.name, mute.value, mute.channels) == ("strip.mute{n}", "switch", 3)


def test_what_is_not_understood_is_only_told(tmp_path: Path) -> None:
    learner = heard(("/meters", b"blob"), ("/xyz", 0.1, 0.2, 0.3), ("/odd", 1.0), ("/odd", "text"), ("/ok", 1))
    model = read(learner, tmp_path)
    assert [control.name for control in model.controls] == ["ok"]
    text = (tmp_path / "hardware" / "mine.yaml").read_text("utf-8")
    assert all(f'not understood: "{address}"' in text for address in ("/meters", "/xyz", "/odd"))


messages = st.builds(
    Message,
    st.lists(
        st.sampled_from(["ch", "01", "12", "0", "999", "fader", "a b", "ž{n}", '"', "on", "0003"]), min_size=1
    ).map(lambda parts: "/" + "/".join(parts)),
    st.lists(
        st.one_of(
            st.integers(-(2**31), 2**31 - 1), st.floats(width=32), st.text(), st.binary(), st.none(), st.booleans()
        ),
        max_size=3,
    ).map(tuple),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(messages, min_size=1, max_size=12))
def test_any_draft_is_accepted(tmp_path_factory: pytest.TempPathFactory, all_heard: list[Message]) -> None:
    learner = OscLearner()
    for message in [*all_heard, Message("/sure", (1,))]:
        learner.take(message)
    model = read(learner, tmp_path_factory.mktemp("draft"))
    assert "sure" in model.expanded()


def test_from_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "hardware" / "desk.yaml"  # the drawer is made, too
    port = free_port(socket.SOCK_DGRAM)
    over = threading.Event()

    def move() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as desk:
            while not over.is_set():
                for n in range(1, 9):
                    desk.sendto(encode(Message(f"/ch/{n}/fader", (n / 9,))), ("127.0.0.1", port))
                time.sleep(0.05)

    mover = threading.Thread(target=move)
    mover.start()
    command = [sys.executable, "-m", "studio", "hardware", "learn", "--out", str(file)]
    try:
        done = subprocess.run(
            [*command, "--listen", str(port), "--seconds", "1"], capture_output=True, text=True, check=False
        )
    finally:
        over.set()
        mover.join()
    assert (done.returncode, "8 controls" in done.stdout) == (0, True), done.stderr
    before = file.read_text("utf-8")
    again = CliRunner().invoke(app, [*command[3:], "--listen", str(port)])
    assert "is there already" in str(again.exception)
    assert file.read_text("utf-8") == before
