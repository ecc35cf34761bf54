"""The report of a film: one HTML file without anything beside it, which says what a person should look at."""

from __future__ import annotations

import html
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from studio.archive._timeline import timeline
from studio.language import _, decimal, plural, spoken
from studio.subtitles import Report, check, write_whole
from studio.units import Ms, timecode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from studio.archive._account import Account, Span
    from studio.archive._document import Document, FilmCue
    from studio.spoken import Word
    from studio.subtitles import Finding, Rules

DOUBT = 0.5
"""A word of less confidence is doubtful."""
MOST = 400
"""Lines of a table; how many more there are is said."""
BLINK = "flicker"
"""A finding that breaks no profile."""


def report(account: Account, document: Document, rules: Rules) -> str:
    """Return the report as HTML, in the user's language."""
    found = check(document.track, rules)
    by_number = dict(enumerate(document.cues, 1))
    body = [
        f"<h1>{_t(account.title)}</h1>",
        _soft(_("Subtitles, as they stand")),
        _facts(account, document, found),
        *_said(account),
        _head(_("In one picture")),
        timeline(account, document, found),
        *_findings(found, by_number),
        *_doubtful(document),
        *_spans(
            _("Quiet stretches without subtitles"),
            _("Something sounds here, but it was taken for no speech. Listen to them once."),
            account.rejected,
        ),
        *_spans(
            _("Decoded again"), _("The first try was doubtful here, so it was heard a second time."), account.again
        ),
        *_languages(account),
    ]
    layout = Template(Path(__file__).with_name("report.html").read_text(encoding="utf-8"))
    return layout.substitute(lang=spoken(), title=_t(account.title), body="\n".join(body))


def save_report(path: Path, account: Account, document: Document, rules: Rules) -> None:
    """Write the report to `path`, aside first, then renamed. Raises SubtitlesError."""
    write_whole(path, report(account, document, rules))


def kind_name(kind: str) -> str:
    """What a kind of finding is called."""
    return {
        "fast": _("Too fast to read"),
        "line": _("Line too long"),
        "lines": _("Too many lines"),
        "short": _("Stands too briefly"),
        "long": _("Stands too long"),
        "overlap": _("Runs into the next one"),
        "gap": _("Too close to the next one"),
        "bound": _("One-letter word at a line's end"),
        "clinging": _("Line ends in a word that belongs to the next one"),
        BLINK: _("Blinks (breaks no profile)"),
    }.get(kind, kind)


def _t(text: str) -> str:
    return html.escape(text, quote=True)


def _head(text: str, many: int | None = None) -> str:
    return f"<h2>{_t(text)}{'' if many is None else f': {many}'}</h2>"


def _soft(text: str) -> str:
    return f'<p class="soft">{_t(text)}</p>'


def _seconds(start: Ms, end: Ms) -> str:
    return decimal((end - start) / 1000, ".1f") + " s"


def _share(share: float) -> str:
    return decimal(share * 100, ".1f") + " %"


def _facts(account: Account, document: Document, found: Report) -> str:
    rows: list[tuple[str, str]] = []
    if account.file:
        rows.append((_("Film"), account.file))
    if account.length is not None:
        rows.append((_("Length"), timecode(account.length)[:-4]))
    rows += [(_("Language"), document.language), (_("Profile"), document.profile)]
    if account.model:
        rows.append((_("Heard by"), account.model))
    if account.made is not None:
        rows.append((_("Made"), account.made.astimezone().strftime("%Y-%m-%d %H:%M")))
    hands = sum(cue.by == "person" for cue in document.cues)
    rows.append((_("Cues"), str(len(document.cues))))
    if hands:
        rows.append((_("Cues by a person"), str(hands)))
    rows.append((_("Break the profile"), _share(found.broken)))
    rows.append((_("Of these can be mended"), _share(found.hard)))
    if account.voiced:
        rows.append((_("Speech"), timecode(Ms(sum(end - start for start, end in account.voiced)))[:-4]))
    rows.append((_("Accepted by"), account.accepted_by or _("nobody yet")))
    told = "".join(f"<dt>{_t(name)}</dt><dd>{_t(value)}</dd>" for name, value in rows)
    return f'<dl class="facts">{told}</dl>'


def _said(account: Account) -> Iterator[str]:
    if account.said:
        yield "<ul>" + "".join(f"<li>{_t(sentence)}</li>" for sentence in account.said) + "</ul>"


def _findings(found: Report, cues: dict[int, FilmCue]) -> Iterator[str]:
    yield _head(_("Against the profile"))
    if not found.findings:
        yield _soft(_("Every cue keeps to the profile."))
    kinds: dict[str, list[Finding]] = {}
    for each in found.findings:
        kinds.setdefault(each.kind, []).append(each)
    for kind, those in sorted(kinds.items(), key=lambda item: (item[0] == BLINK, -len(item[1]))):
        yield f'<h3 class="{"hard" if those[0].hard else ""}">{_t(kind_name(kind))}: {len(those)}</h3>'
        yield _table((each.at, _t(each.sentence), _t(" / ".join(cues[each.cue].lines))) for each in those)


def _doubtful(document: Document) -> Iterator[str]:
    found = [
        (word, cue)
        for cue in document.cues
        if cue.by == "machine"
        for word in cue.words
        if word.confidence is not None and word.confidence < DOUBT
    ]
    if not found:
        return
    yield _head(_("Doubtful words"), len(found))
    yield _table(
        (word.start, f"<mark>{_t(word.text)}</mark> {_sure(word)}", _t(" ".join(cue.lines))) for word, cue in found
    )


def _sure(word: Word) -> str:
    return f'<span class="soft">{(word.confidence or 0) * 100:.0f} %</span>'


def _spans(title: str, hint: str, spans: Iterable[Span]) -> Iterator[str]:
    found = list(spans)
    if not found:
        return
    yield _head(title, len(found))
    yield _soft(hint)
    yield _table((start, _seconds(start, end), "") for start, end in found)


def _languages(account: Account) -> Iterator[str]:
    if len({language for _start, _end, language in account.languages}) > 1:
        yield _head(_("Languages"))
        yield _table((start, _t(language), _seconds(start, end)) for start, end, language in account.languages)


def _table(rows: Iterable[tuple[Ms, str, str]]) -> str:
    """Rows of a time and two cells, which are HTML already."""
    lines = []
    left = 0
    for number, (at, first, second) in enumerate(rows):
        if number >= MOST:
            left += 1
            continue
        lines.append(f'<tr><td class="time">{timecode(at)}</td><td>{first}</td><td>{second}</td></tr>')
    more = plural("and {n} more", "and {n} more", left).format(n=left)
    return f"<table>{''.join(lines)}</table>" + (_soft(more) if left else "")
