"""The whole recogniser with the real ears on real speech."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from tests.captions.captions_relay import ScriptedRelay

from studio.captions import CaptionsPlan, command, read_kept
from studio.catalogue import Catalogue
from studio.errors import SpeechError
from studio.events import CaptionsDone
from studio.speech import resolve
from studio.subtitles import rules_for
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path


def base_model() -> Path:
    try:
        return resolve("base", offline=True)
    except SpeechError as problem:
        pytest.skip(f"the base model of the tests is not here: {problem}")


@pytest.mark.shared
async def test_a_known_speech_stands_in_the_files_and_the_process_leaves_in_peace(shared: Path, tmp_path: Path) -> None:
    sound, rate = soundfile.read(shared / "data" / "en" / "jfk_inaugural.flac", dtype="int16")
    assert rate == 16_000
    relay = ScriptedRelay(tmp_path / "relay.sock")
    relay.programme = np.asarray(sound, "<i2").tobytes()
    await relay.open()
    await relay.play(len(sound) // 16 + 500)
    await relay.end()
    plan = CaptionsPlan(
        folder=tmp_path / "show",
        relay=relay.socket,
        model=base_model(),
        language="en",
        hold=Ms(6000),
        rules=rules_for(Catalogue(), "en"),
    )
    process = await asyncio.create_subprocess_exec(*command(), stdin=PIPE, stderr=PIPE)
    _, log = await process.communicate(plan.to_json())
    assert process.returncode == 0, log.decode()
    assert relay.of(CaptionsDone)
    await relay.close()
    kept = read_kept(plan.folder)
    text = " ".join(word.text for word in kept.words).casefold()
    assert "your country can do for you" in text
    assert " ".join(cue.text for cue in kept.cues).casefold() == text
    assert all(len(line) <= 42 for cue in kept.cues for line in cue.lines)
