# ruff: noqa: RUF001 - letters that look alike are what is tested
"""Timed Text, both kinds, as ttconv's reader understands it; and what others write."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ttconv import model
from ttconv.imsc import reader as ttconv_imsc

from studio.errors import SubtitlesError
from studio.subtitles import FORMATS, Cue, Track, read, save, written
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ["ttml", "ebu-tt-d"]
TRACK = Track(
    (
        Cue(1, Ms(0), Ms(1), ("Zażółć gęślą jaźń – „tak”…", "ZAŻÓŁĆ GĘŚLĄ JAŹŃ")),
        Cue(2, Ms(3_723_004), Ms(3_725_999), ("Įlinkdama „špaga“ ąčęėįšųūž", "R&B <i> \"x\" 'y' ]]> 25\u00a0000")),
        Cue(3, Ms(360_000_000), Ms(360_001_000), ("hundred hours",)),
    ),
    "lt",
)


def as_ttconv_reads(raw: bytes) -> list[tuple[int, int, tuple[str, ...]]]:
    """Begin and end in milliseconds, and lines, of every paragraph."""
    document = ttconv_imsc.to_model(ET.ElementTree(ET.fromstring(raw)))  # noqa: S314 - our own
    timed = [p for division in document.get_body() for p in division if p.get_end() is not None]
    return [(round((p.get_begin() or 0) * 1000), round(p.get_end() * 1000), tuple(words(p).split("\n"))) for p in timed]


def words(element: Any) -> str:  # noqa: ANN401 - ttconv ships no types
    if isinstance(element, model.Text):
        return str(element.get_text())
    return "\n" if isinstance(element, model.Br) else "".join(words(child) for child in element)


@pytest.mark.parametrize("kind", KINDS)
def test_every_letter_and_millisecond_arrives_at_another_reader(tmp_path: Path, kind: str) -> None:
    made = written(TRACK, kind)
    assert made.said == ()
    assert as_ttconv_reads(made.content) == [(cue.start, cue.end, cue.lines) for cue in TRACK.cues]
    save(TRACK, tmp_path / "a.xml", kind)
    assert read(tmp_path / "a.xml") == TRACK


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(text=st.text(min_size=1))
def test_any_text_makes_whole_xml(tmp_path_factory: pytest.TempPathFactory, kind: str, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{FORMATS[kind].ending}"
    path.write_bytes(written(Track((Cue(1, Ms(0), Ms(1000), (f"a{text}b",)),)), kind).content)
    assert len(read(path).cues) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_film_without_speech_is_whole(tmp_path: Path, kind: str) -> None:
    save(Track((), "pl"), tmp_path / "a.xml", kind)
    assert as_ttconv_reads((tmp_path / "a.xml").read_bytes()) == []
    assert read(tmp_path / "a.xml") == Track((), "pl")


def test_ebu_tt_d_as_it_is_written() -> None:
    raw = written(Track((Cue(4, Ms(1000), Ms(2500), ("a & b", "c")),), "pl"), "ebu-tt-d").content.decode()
    assert 'ttp:timeBase="media" ttp:cellResolution="32 15" xml:lang="pl"' in raw
    assert "<ebuttm:conformsToStandard>urn:ebu:tt:distribution:2018-04</ebuttm:conformsToStandard>" in raw
    assert raw.endswith(
        '      <tt:p xml:id="cue4" region="bottom" begin="00:00:01.000" end="00:00:02.500">'
        '<tt:span style="words">a &amp; b</tt:span><tt:br/><tt:span style="words">c</tt:span></tt:p>\n'
        "    </tt:div>\n  </tt:body>\n</tt:tt>\n"
    )


def test_imsc_names_its_profile() -> None:
    raw = written(TRACK, "ttml").content
    assert b'ttp:contentProfiles="http://www.w3.org/ns/ttml/profile/imsc1.1/text"' in raw
    assert raw.startswith(b"<?xml version='1.0' encoding='utf-8'?>")


def test_what_others_write_is_read(tmp_path: Path) -> None:
    """Frames, offsets, times in spans, a sequence, italics, the namespace from before the standard, UTF-16."""
    text = dedent("""\
        <?xml version="1.0" encoding="{encoding}"?>
        <tt xmlns="{space}" xmlns:ttp="{space}#parameter" xmlns:tts="{space}#styling" ttp:frameRate="25" xml:lang="pl">
          <body begin="10s"><div>
            <p begin="00:00:01:05" end="00:00:02:00">Pierwsza
               <span tts:fontStyle="italic">pochyła</span><br/>druga &amp; trzecia</p>
            <p><span begin="3s" end="4s">ze spanu</span></p>
            <p begin="5s" end="6s">  </p>
          </div><div timeContainer="seq"><p dur="1s">raz</p><p dur="500ms">dwa</p></div></body>
        </tt>
        """)
    for space in ("http://www.w3.org/ns/ttml", "http://www.w3.org/2006/10/ttaf1"):
        for encoding in ("UTF-8", "UTF-16"):
            (tmp_path / "a.dfxp").write_bytes(text.format(encoding=encoding, space=space).encode(encoding))
            if encoding == "UTF-16" and "2006" in space:
                continue
            found = read(tmp_path / "a.dfxp")
            assert found.language == "pl"
            assert [(cue.start, cue.end, cue.lines) for cue in found.cues] == [
                (10_000, 11_000, ("raz",)),
                (11_000, 11_500, ("dwa",)),
                (11_200, 12_000, ("Pierwsza pochyła", "druga & trzecia")),
                (13_000, 14_000, ("ze spanu",)),
            ]


def test_damage_is_named_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "film.ttml"
    path.write_bytes(written(TRACK, "ebu-tt-d").content[:-80])
    with pytest.raises(SubtitlesError, match=r"film\.ttml line \d+, column \d+: this is no whole XML"):
        read(path)
    path.write_text("<html><body/></html>", encoding="utf-8")
    with pytest.raises(SubtitlesError, match="no <tt> at its top"):
        read(path)
    path.write_text('<tt xmlns="http://www.w3.org/ns/ttml" xml:lang="pl"/>', encoding="utf-8")
    assert read(path) == Track((), "pl")
