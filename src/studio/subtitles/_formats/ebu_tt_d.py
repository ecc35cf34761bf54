"""EBU-TT-D, the Timed Text that is sent to viewers (EBU Tech 3380, version 1.0.1)."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from studio.subtitles._formats.track import Written, shown
from studio.subtitles._formats.ttml import CONTROLS
from studio.units import timecode

if TYPE_CHECKING:
    from studio.subtitles._formats.track import Programme, Track

_HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<tt:tt xmlns:tt="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter"
    xmlns:tts="http://www.w3.org/ns/ttml#styling" xmlns:ebutts="urn:ebu:tt:style" xmlns:ebuttm="urn:ebu:tt:metadata"
    ttp:timeBase="media" ttp:cellResolution="32 15" xml:lang="{language}">
  <tt:head>
    <tt:metadata>
      <ebuttm:documentMetadata>
        <ebuttm:conformsToStandard>urn:ebu:tt:distribution:2018-04</ebuttm:conformsToStandard>
        <ebuttm:conformsToStandard>http://www.w3.org/ns/ttml/profile/imsc1/text</ebuttm:conformsToStandard>
      </ebuttm:documentMetadata>
    </tt:metadata>
    <tt:styling>
      <tt:style xml:id="lines" tts:fontFamily="proportionalSansSerif" tts:fontSize="100%" tts:lineHeight="normal"
          tts:textAlign="center" ebutts:linePadding="0.5c"/>
      <tt:style xml:id="words" tts:color="#ffffff" tts:backgroundColor="#000000"/>
    </tt:styling>
    <tt:layout>
      <tt:region xml:id="bottom" tts:origin="10% 10%" tts:extent="80% 80%" tts:displayAlign="after"/>
    </tt:layout>
  </tt:head>
  <tt:body>
    <tt:div style="lines">
"""
"""The smallest head that says all of it: 100 % of a cell is 1/15 of the height (annex of the standard)."""
_NOTHING = '      <tt:p xml:id="nothing"/>\n'
"""The schema wants a paragraph in a division; in a film in which nobody speaks it never shows."""
_FOOT = """\
    </tt:div>
  </tt:body>
</tt:tt>
"""


def write(track: Track, _programme: Programme) -> Written:
    """Lines at the bottom of the middle 80 % of the picture, white on black, times in milliseconds."""
    paragraphs = []
    for cue in track.cues:
        spans = "<tt:br/>".join(
            f'<tt:span style="words">{escape(CONTROLS.sub("", line), quote=False)}</tt:span>'
            for line in shown(cue.lines)
        )
        if spans:
            times = f'begin="{timecode(cue.start)}" end="{timecode(cue.end)}"'
            paragraphs.append(f'      <tt:p xml:id="cue{cue.number}" region="bottom" {times}>{spans}</tt:p>\n')
    head = _HEAD.format(language=escape(track.language))
    return Written((head + ("".join(paragraphs) or _NOTHING) + _FOOT).encode())
