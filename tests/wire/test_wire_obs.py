from __future__ import annotations

import configparser
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.wire.obs import (
    Box,
    Collection,
    Scene,
    Source,
    basic_ini,
    colour_number,
    differs,
    global_ini,
    hides,
    input_of,
    scenes_json,
    transform_of,
    websocket_json,
)

TALK = Source("Talk", "media", file=Path("/films/talk.mp4"))
THIRD = Source("Name", "text", box=Box(0.05, 0.75, 0.9, 0.1), text="Ona Žukauskaitė", size=0.1, align="left")
SLIDE = Source("Blue", "colour", box=Box(0, 0.5, 1, 0.5), colour="#102030")
DEMO = Collection((Scene("On", (TALK, THIRD)), Scene("Holding", (SLIDE,))), width=640, height=360, fps=15)


def test_colours_are_written_backwards_with_alpha_first() -> None:
    assert hex(colour_number("#112233")) == "0xff332211"
    assert hex(colour_number("#11223380")) == "0x80332211"
    with pytest.raises(ValueError, match="#RRGGBB"):
        colour_number("red")


def test_a_talk_is_a_local_file_that_loops() -> None:
    kind, settings = input_of(TALK, DEMO)
    assert kind == "ffmpeg_source"
    assert settings["local_file"] == "/films/talk.mp4"
    assert settings["is_local_file"] is True
    assert settings["looping"] is True


def test_letters_are_measured_by_the_picture() -> None:
    kind, settings = input_of(THIRD, DEMO)
    assert kind == "text_ft2_source_v2"
    assert settings["text"] == "Ona Žukauskaitė"
    assert settings["font"]["size"] == 36


def test_a_colour_fills_its_box() -> None:
    assert input_of(SLIDE, DEMO) == ("color_source_v3", {"color": 0xFF302010, "width": 640, "height": 180})
    assert transform_of(SLIDE, DEMO)["positionY"] == 180


def test_a_film_keeps_its_shape_inside_its_box() -> None:
    transform = transform_of(TALK, DEMO)
    assert transform["boundsType"] == "OBS_BOUNDS_SCALE_INNER"
    assert (transform["boundsWidth"], transform["boundsHeight"]) == (640, 360)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Source("x", "media"), "needs a file"),
        (lambda: Source("x", "text", colour="blue"), "no colour"),
        (lambda: Scene("s", (TALK, TALK)), "twice"),
        (lambda: Collection(()), "at least one scene"),
        (lambda: Collection((Scene("s"), Scene("s"))), "one name"),
        (lambda: Collection((Scene("a", (TALK,)), Scene("Talk"))), "two names"),
        (lambda: Box(width=0), "above 0"),
    ],
)
def test_what_cannot_be_is_said(make: object, says: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=says):
        make()


def test_differs_names_only_what_is_otherwise() -> None:
    wanted = {"positionX": 10.0, "text": "a", "font": {"size": 36}}
    assert differs(wanted, {"positionX": 10.000001, "text": "a", "font": {"size": 36, "face": "x"}, "more": 1}) == {}
    assert differs(wanted, {"positionX": 11.0, "text": "a"}) == {"positionX": 10.0, "font": {"size": 36}}


@given(st.text(), st.text(), st.floats(0, 1), st.sampled_from(["media", "text", "colour", "image"]))
def test_every_source_can_be_said_in_json(name: str, text: str, share: float, kind: str) -> None:
    source = Source(name, kind, box=Box(share, share), file=Path("f"), text=text)  # type: ignore[arg-type]  # of the four kinds
    json.dumps([input_of(source, DEMO), transform_of(source, DEMO)])


def test_an_obs_of_our_own_asks_nothing_and_listens_with_a_password() -> None:
    ini = configparser.ConfigParser(strict=True)
    ini.read_string(global_ini(4466, "s3cret"))
    assert ini["General"]["FirstRun"] == "true"
    assert dict(ini["OBSWebSocket"])["serverport"] == "4466"
    assert ini["OBSWebSocket"]["ServerPassword"] == "s3cret"
    assert json.loads(websocket_json(4466, "s3cret"))["auth_required"] is True


def test_the_profile_sets_a_keyframe_each_second() -> None:
    ini = configparser.ConfigParser(strict=True)
    ini.read_string(basic_ini(640, 360, 15, 800, Path("recordings")))
    assert ini["Video"]["BaseCX"] == "640"
    assert "keyint=15 " in ini["SimpleOutput"]["x264Settings"]
    assert ini["SimpleOutput"]["VBitrate"] == "800"


def test_the_first_scene_is_there_from_the_start() -> None:
    scenes = json.loads(scenes_json("Talk"))
    assert scenes["current_program_scene"] == "Talk"
    assert [source["name"] for source in scenes["sources"]] == ["Talk"]


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("rtsp://eva:lipa@10.0.0.7/1", True),
        ("rtmp://a.example/live2/abcd-efgh", True),
        ("srt://10.0.0.7:9000?passphrase=lipa", True),
        ("https://x.example/overlay?token=1", True),
        ("https://x.example/overlay", False),
        ("/home/eva/Film.mkv", False),
        ("What is it?", False),
    ],
)
def test_what_may_hide_a_password_or_key(text: str, hidden: bool) -> None:  # noqa: FBT001 - a table
    assert hides(text) is hidden
