"""How `studio vocal` shows a session: rows for JSON, tables for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
from rich import box
from rich.table import Table
from rich.text import Text

from studio import media
from studio.cli._screen import out
from studio.errors import MediaError
from studio.language import _
from studio.vocal import Comp, Session, SessionState, Singer, Take, TakeTrack, Until, file_of, recorded_now

BLOCKS = " ▁▂▃▄▅▆▇█"
QUIETEST = -54.0
"""dBFS that are still drawn."""
FULL = 0.999
"""Of full scale: clipped."""
COLUMNS = 24


def print_json(said: object) -> None:
    """Print facts as JSON."""
    out.print(msgspec.json.format(msgspec.json.encode(said)).decode(), markup=False, soft_wrap=True)


def length(seconds: float) -> str:
    """`1:05.3`."""
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{int(minutes)}:{rest:04.1f}"


def wave(peaks: Iterable[float]) -> Text:
    """A take in one row: how loud each part of it is; what is clipped is red."""
    text = Text()
    for peak in peaks:
        level = 20 * np.log10(max(float(peak), 1e-9))
        step = round((1 - max(QUIETEST, min(0.0, level)) / QUIETEST) * (len(BLOCKS) - 1))
        text.append(BLOCKS[step], style="red" if peak >= FULL else "green")
    return text


def peaks_of(session: Session, take: Take, columns: int = COLUMNS) -> list[float]:
    """How loud it is along its length; empty where its file cannot be read."""
    path = file_of(session.folder, take)
    if path is None or not take.frames:
        return []
    try:
        return [round(float(peak), 4) for peak in media.take_peaks(path, columns)]
    except MediaError:
        return []


def song_title(state: SessionState, song: str) -> str:
    """What a song is called; empty for none."""
    return state.songs[song].title if song in state.songs else song


def names(state: SessionState, singers: Iterable[str]) -> str:
    """Who they are."""
    return ", ".join(state.singers[singer].name if singer in state.singers else singer for singer in singers)


def ended(take: Take, *, busy: bool) -> str:
    """How a take ended; empty where it went well. `busy`: a recorder lives."""
    if take.ended is None:
        return _("being recorded") if busy else _("not closed")
    return "" if take.well else take.ended


def take_row(session: Session, take: Take, *, peaks: bool = True) -> dict[str, Any]:
    """All that is known of a take."""
    state = session.state
    return {
        "number": take.number,
        "song": song_title(state, take.song),
        "at": take.at,
        "seconds": round(take.seconds, 3),
        "frames": take.frames,
        "rate": take.rate,
        "file": take.file,
        "keeper": take.keeper,
        "stars": take.stars,
        "tracks": [
            {"channel": track.channel, "name": track.name, "singers": list(track.singers)} for track in take.tracks
        ],
        "absent": [track.name for track in take.absent],
        "offset": take.offset,
        "punch": take.punch,
        "loop": take.loop,
        "turn": take.turn,
        "ended": take.ended,
        "lost": take.lost,
        "comments": [{"seconds": said.seconds, "text": said.text} for said in take.comments],
        "peaks": peaks_of(session, take) if peaks else [],
    }


def takes_table(session: Session, takes: Iterable[Take]) -> Table:
    """One row a take, its comments below it."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in (_("take"), _("song"), _("length"), _("loudness"), _("worth"), _("tracks"), _("remarks")):
        table.add_column(title, no_wrap=title == _("loudness"), overflow="fold")
    busy = recorded_now(session.folder)
    for take in takes:
        table.add_row(
            str(take.number),
            Text(song_title(session.state, take.song)),
            length(take.seconds),
            wave(peaks_of(session, take)),
            worth(take),
            Text(", ".join(track.name for track in take.tracks)),
            remarks(take, busy=busy),
        )
    return table


def worth(take: Take) -> Text:
    """`✓ ★★★`: a keeper with three stars."""
    return Text(f"{'✓' if take.keeper else ' '} {'★' * take.stars}".rstrip(), style="bold green" if take.keeper else "")


def remarks(take: Take, *, busy: bool) -> Text:
    """What was said of a take, and what went wrong."""
    text = Text()
    lines = [f"{length(said.seconds)} {said.text}" for said in take.comments]
    if take.punch:
        lines.insert(0, _("punched in {part}").format(part=_part(take.punch.start, take.punch.end)))
    if take.loop:
        lines.insert(0, _("pass {turn} of {part}").format(turn=take.turn, part=_part(take.loop.start, take.loop.end)))
    text.append("\n".join(lines))
    for sentence in (
        ended(take, busy=busy),
        _("not recorded: {tracks}").format(tracks=", ".join(track.name for track in take.absent))
        if take.absent
        else "",
        _("{ms:.0f} ms were lost").format(ms=take.lost / take.rate * 1000) if take.lost else "",
    ):
        if sentence:
            text.append(("\n" if text else "") + sentence, style="red")
    return text


def _part(begin: float, end: float) -> str:
    return f"{length(begin)}-{length(end)}"


def consent(singer: Singer) -> str:
    """What the form says."""
    if isinstance(singer.consent, Until):
        return _("until {day}").format(day=singer.consent.until.isoformat())
    if singer.consent is None:
        return _("not noted") if singer.child else ""
    return _("yes") if singer.consent == "yes" else _("no")


def singers_table(singers: Iterable[Singer]) -> Table:
    """One row a singer."""
    table = Table(_("singer"), _("called"), _("child"), _("consent"), box=box.SIMPLE_HEAD, pad_edge=False)
    for singer in singers:
        refused = singer.consent == "no" or (singer.child and singer.consent is None)
        table.add_row(
            Text(singer.name),
            Text(singer.id),
            _("yes") if singer.child else "",
            Text(consent(singer), style="red" if refused else ""),
        )
    return table


def songs_table(state: SessionState) -> Table:
    """One row a song; the one that is sung now is marked."""
    table = Table(
        "", _("song"), _("called"), _("tempo"), _("backing"), _("melody"), box=box.SIMPLE_HEAD, pad_edge=False
    )
    for song in state.songs.values():
        table.add_row(
            "▶" if song.id == state.song else "",
            Text(song.title),
            Text(song.id),
            f"{song.tempo:g}" if song.tempo else "",
            Text(song.backing.rpartition("/")[2]),
            Text(song.melody.rpartition("/")[2]),
        )
    return table


def tracks_table(state: SessionState, tracks: Iterable[TakeTrack]) -> Table:
    """One row a channel that is armed."""
    table = Table(_("channel"), _("track"), _("singers"), _("level"), box=box.SIMPLE_HEAD, pad_edge=False)
    for track in tracks:
        level = state.levels.get(track.channel)
        table.add_row(
            str(track.channel),
            Text(track.name),
            Text(names(state, track.singers)),
            Text(verdict(level.verdict) if level else ""),
        )
    return table


def verdict(kind: str) -> str:
    """What a verdict is called."""
    return {
        "dead": _("dead"),
        "clipped": _("clipped"),
        "hum": _("hum"),
        "too hot": _("too hot"),
        "too low": _("too low"),
        "good": _("good"),
        "waiting": _("nobody sang"),
    }.get(kind, kind)


def comps_table(state: SessionState) -> Table:
    """One row a comp."""
    table = Table(_("comp"), _("song"), _("title"), _("pieces"), _("crossfade"), box=box.SIMPLE_HEAD, pad_edge=False)
    for comp in state.comps.values():
        table.add_row(
            str(comp.number), Text(song_title(state, comp.song)), Text(comp.title), pieces(comp),
            f"{comp.crossfade * 1000:g} ms",
        )  # fmt: skip
    return table


def pieces(comp: Comp) -> str:
    """`3: 0:00.0-0:12.5, …`."""
    return ", ".join(f"{piece.take}: {_part(piece.start, piece.end)}" for piece in comp.pieces)
