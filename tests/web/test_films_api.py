"""The library of films for other programs, spoken to without a browser."""

from __future__ import annotations

import asyncio
import io
import sqlite3
import wave
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.web.shelf import LINES, Shelf, document, make_film

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(scope="module")
def film_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("film") / "wieczór 'o' poezji.mp4")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    return Shelf(tmp_path)


@pytest.fixture
def film(shelf: Shelf, film_file: Path) -> int:
    return shelf.add(film_file)


@pytest.fixture
async def http(shelf: Shelf, film: int) -> AsyncIterator[httpx.AsyncClient]:
    assert film == 1, "it is there before anybody asks"
    async with (
        shelf.opened() as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client,
    ):
        yield client


async def post(http: httpx.AsyncClient, path: str, **body: object) -> tuple[int, Any]:
    answer = await http.post(f"/api/films/{path}", json=body)
    return answer.status_code, answer.json()


async def test_all_films_are_told_with_their_state(http: httpx.AsyncClient, film: int) -> None:
    rows = (await http.get("/api/films")).json()["films"]
    row = rows[0]
    assert [row[key] for key in ("id", "title", "language", "state", "cues", "version", "accepted")] == [
        *(film, "Wieczór", "pl", "done", 4, 1, None)
    ]
    shares = (await http.get("/api/films/shares", params={"of": f"{film}.pl.1,99.pl.1,nonsense"})).json()
    assert shares == {f"{film}.pl.1": {"broken": 2, "doubtful": 1}}
    assert (await http.get("/api/here")).json() == {"show": False, "films": True, "interface": "en"}


async def test_a_film_is_told_with_what_breaks_its_profile(http: httpx.AsyncClient, film: int) -> None:
    told = (await http.get(f"/api/films/{film}")).json()
    assert [tuple(cue["lines"]) for cue in told["cues"]] == list(LINES)
    assert {(found["cue"], found["kind"]) for found in told["findings"]} == {(1, "fast"), (3, "fast"), (3, "line")}
    assert told["rules"]["line_characters"] == 42
    assert told["frame_ms"] == 40
    assert told["media"] == {"picture": True, "sound": True, "why": "", "copied": True}


async def test_an_edit_says_what_is_new_and_undo_takes_it_back(
    http: httpx.AsyncClient, film: int, shelf: Shelf
) -> None:
    edits = [
        {"do": "reword", "cue": 2, "lines": ["Czytamy dziś wiersze", " Czesława  Miłosza."]},
        {"do": "retime", "cue": 4, "start": 9000, "end": 11_800},
    ]
    status, told = await post(http, f"{film}/edit", base=1, edits=edits, by="Ola")
    assert (status, told["version"], told["undo"], told["redo"]) == (200, 2, True, False)
    assert [cue["id"] for cue in told["changed"]] == [2, 4]
    assert told["changed"][0]["lines"][1] == "Czesława Miłosza."
    assert {cue["by"] for cue in told["changed"]} == {"person"}
    status, told = await post(http, f"{film}/undo", base=2)
    assert (status, told["version"], told["undo"], told["redo"]) == (200, 1, False, True)
    assert shelf.lines(film) == list(LINES)
    status, told = await post(http, f"{film}/redo", base=1)
    assert told["version"] == 2
    status, told = await post(http, f"{film}/restore", base=2, number=1, by="Ola")
    assert (told["version"], shelf.lines(film)) == (3, list(LINES))
    versions = (await http.get(f"/api/films/{film}/versions")).json()["versions"]
    assert [(each["number"], each["by"], each["kind"]) for each in versions] == [
        *((3, "Ola", "restored"), (2, "Ola", "edited"), (1, "studio", "recognised"))
    ]


async def test_cues_are_split_merged_inserted_and_deleted(http: httpx.AsyncClient, film: int, shelf: Shelf) -> None:
    _status, told = await post(http, f"{film}/edit", base=1, edits=[{"do": "split", "cue": 1, "caret": 20}])
    assert [cue["lines"] for cue in told["changed"]] == [[LINES[0][0]], [LINES[0][1]]]
    new = told["changed"][1]["id"]
    assert new == 5
    _status, told = await post(http, f"{film}/edit", base=2, edits=[{"do": "delete", "cue": new}])
    assert told["removed"] == [new]
    _status, told = await post(
        http, f"{film}/edit", base=3, edits=[{"do": "insert", "start": 1600, "lines": ["Brawo!"]}]
    )
    assert told["changed"][0]["id"] == 6, "a number is never used again"
    _status, told = await post(http, f"{film}/edit", base=4, edits=[{"do": "merge", "cue": 1}])
    assert shelf.lines(film)[0] == ("Dzień dobry państwu,", "Brawo!")
    _status, told = await post(http, f"{film}/edit", base=5, edits=[{"do": "split", "cue": 2, "at": 4000}])
    assert [cue["lines"] for cue in told["changed"]] == [["Czytamy dziś"], ["wiersze", "Czesława Miłosa."]]


async def test_suggested_sounds_are_told_accepted_and_refused(http: httpx.AsyncClient, film: int, shelf: Shelf) -> None:
    shelf.suggest(film, (2550, "[muzyka]"), (5550, "[oklaski]"), (6000, "[śmiech]"))
    told = (await http.get(f"/api/films/{film}")).json()
    assert [(each["start"], each["label"]) for each in told["sounds"]] == [(2550, "[muzyka]"), (5550, "[oklaski]")]
    music, clapping = (each["id"] for each in told["sounds"])
    status, told = await post(http, f"{film}/sounds", base=1, accept=[music], by="Ola")
    assert (status, told["version"], told["undo"], len(told["sounds"])) == (200, 2, True, 1)
    assert [(cue["lines"], cue["by"], cue["start"]) for cue in told["changed"]] == [(["[muzyka]"], "person", 2550)]
    status, told = await post(http, f"{film}/sounds", base=2, refuse=[clapping])
    assert (status, told["version"], told["changed"], told["sounds"]) == (200, 2, [], [])
    assert (await post(http, f"{film}/sounds", base=1, accept=[clapping]))[0] == 404
    shelf.suggest(film, (5550, "[oklaski]"))
    assert (await http.get(f"/api/films/{film}")).json()["sounds"] == []


async def test_what_builds_on_an_old_version_is_a_conflict(http: httpx.AsyncClient, film: int, shelf: Shelf) -> None:
    shelf.edit(film, 1, "Dobry wieczór.")
    for what, more in (
        ("edit", {"edits": [{"do": "delete", "cue": 1}]}),
        ("undo", {}),
        ("accept", {"by": "Ola"}),
        ("restore", {"number": 1}),
    ):
        status, told = await post(http, f"{film}/{what}", base=1, **more)
        assert (status, told["outcome"], told["version"]) == (409, "conflict", 2), what
    assert shelf.lines(film)[0] == ("Dobry wieczór.",)


async def test_who_accepts_is_kept_until_somebody_edits(http: httpx.AsyncClient, film: int) -> None:
    assert (await post(http, f"{film}/accept", base=1, by=""))[0] == 422
    _status, told = await post(http, f"{film}/accept", base=1, by="Ola Kowalska")
    assert told["film"]["accepted"]["by"] == "Ola Kowalska"
    _status, told = await post(http, f"{film}/edit", base=1, edits=[{"do": "delete", "cue": 4}])
    assert (told["film"]["accepted"], told["film"]["was_accepted"]) == (None, True)


async def test_words_are_replaced_in_all_films_after_they_were_shown(
    http: httpx.AsyncClient, film: int, shelf: Shelf, tmp_path: Path
) -> None:
    other = shelf.add(tmp_path / "inny.mp4", "Inny")
    changed = shelf.add(tmp_path / "trzeci.mp4", "Trzeci")
    wish = {"find": "Czesława Miłosa", "write": "Czesława Miłosza"}
    status, shown = await post(http, "preview", **wish)
    assert status == 200
    assert [(place["film"], place["cue"]) for place in shown["places"]] == [(film, 2), (other, 2), (changed, 2)]
    assert shown["places"][0]["after"] == "Czytamy dziś wiersze / Czesława Miłosza."
    shelf.edit(changed, 1, "Ktoś był szybszy.")
    films = [{"film": each, "language": "pl", "version": 1, "cues": [2]} for each in (film, other, changed)]
    status, done = await post(http, "replace", **wish, films=films, by="Ola")
    assert done == {"cues": 2, "left": ["Trzeci was changed meanwhile and stays as it is."]}
    assert shelf.lines(film)[1][1] == "Czesława Miłosza."
    assert shelf.lines(changed)[1][1] == "Czesława Miłosa."
    words = (await http.get("/api/films/glossary")).json()["words"]
    assert [(each["heard"], each["write"], each["times"]) for each in words] == [("miłosa", "Miłosza", 2)]
    status, told = await post(http, "glossary", language="pl", write="Miłosza", heard=["miłosa"])
    assert told["name"] == "learned-pl"
    assert 'write: "Miłosza"' in (tmp_path / "home/subtitles/glossaries/learned-pl.yaml").read_text("utf-8")
    assert (await http.get("/api/films/glossary")).json()["words"] == []


async def test_a_search_says_where_to_jump(http: httpx.AsyncClient, film: int) -> None:
    found = (await http.get("/api/films/search", params={"q": "domu kult"})).json()
    assert [(hit["film"], hit["cue"], hit["start"]) for hit in found["hits"]] == [(film, 1, 0)]
    assert not found["more"]


# ── picture and sound ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_film_is_sent_in_the_pieces_that_are_asked_for(
    http: httpx.AsyncClient, film: int, film_file: Path
) -> None:
    piece = await http.get(f"/api/films/{film}/media", headers={"Range": "bytes=100-199"})
    assert (piece.status_code, piece.content) == (206, film_file.read_bytes()[100:200])
    assert piece.headers["content-type"] == "video/mp4"
    past = await http.get(f"/api/films/{film}/media", headers={"Range": "bytes=999999999-"})
    assert past.status_code == 416


async def test_the_sound_of_a_film_is_a_wave_file_that_can_be_entered_anywhere(
    http: httpx.AsyncClient, film: int
) -> None:
    whole = await http.get(f"/api/films/{film}/sound")
    with wave.open(io.BytesIO(whole.content)) as sound:
        assert (sound.getnchannels(), sound.getframerate(), round(sound.getnframes() / 16_000)) == (1, 16_000, 12)
    for first, last in ((0, 10), (40, 60), (44, 44), (100_001, 140_000), (len(whole.content) - 7, 10**9)):
        piece = await http.get(f"/api/films/{film}/sound", headers={"Range": f"bytes={first}-{last}"})
        assert piece.status_code == 206
        assert piece.content == whole.content[first : last + 1], (first, last)
    for nonsense in ("bytes=-", "bytes=9-3", "lines=1-2", "bytes=99999999999-", "bytes=0-1,5-6"):
        answer = await http.get(f"/api/films/{film}/sound", headers={"Range": nonsense})
        assert answer.status_code == 416, nonsense


async def test_the_wave_is_drawn_once_and_kept(http: httpx.AsyncClient, film: int) -> None:
    while (answer := await http.get(f"/api/films/{film}/peaks")).status_code == 202:  # noqa: ASYNC110 - as programs do
        await asyncio.sleep(0.05)
    assert answer.headers["x-peaks-rate"] == "100"
    assert len(answer.content) == pytest.approx(1200, abs=5)
    assert 10 < max(answer.content) <= 127


async def test_a_small_copy_is_made_once_when_somebody_asks(
    http: httpx.AsyncClient, shelf: Shelf, tmp_path: Path
) -> None:
    old = shelf.add(make_film(tmp_path / "stary.avi", codec="mpeg4"), "Stary")
    assert (await http.get(f"/api/films/{old}/copy")).json()["state"] == "none"
    assert (await http.get(f"/api/films/{old}/small")).status_code == 422
    assert (await http.post(f"/api/films/{old}/copy", data={"a": "b"})).status_code == 415
    assert (await post(http, f"{old}/copy"))[1]["state"] == "waiting"
    while (copy := (await http.get(f"/api/films/{old}/copy")).json())["state"] in {"waiting", "making"}:
        assert 0 <= copy["share"] <= 1
        await asyncio.sleep(0.05)
    assert (copy["state"], copy["why"]) == ("ready", "")
    piece = await http.get(f"/api/films/{old}/small", headers={"Range": "bytes=4-7"})
    assert (piece.status_code, piece.content, piece.headers["content-type"]) == (206, b"ftyp", "video/mp4")
    assert [file.suffix for file in (shelf.path.parent / "copies").iterdir()] == [".mp4"]
    assert (await post(http, f"{old}/copy"))[1]["state"] == "ready"


async def test_of_a_film_that_cannot_be_copied_the_reason_is_said(
    http: httpx.AsyncClient, shelf: Shelf, tmp_path: Path
) -> None:
    (tmp_path / "text.mp4").write_text("to nie jest film", encoding="utf-8")
    wrong = shelf.add(tmp_path / "text.mp4", "Tekst")
    assert not (await http.get(f"/api/films/{wrong}")).json()["media"]["copied"]
    await post(http, f"{wrong}/copy")
    while (copy := (await http.get(f"/api/films/{wrong}/copy")).json())["state"] in {"waiting", "making"}:  # noqa: ASYNC110 - as programs do
        await asyncio.sleep(0.05)
    assert copy["state"] == "failed"
    assert "is it a media file?" in copy["why"]
    assert list((shelf.path.parent / "copies").iterdir()) == []


# ── what goes wrong ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_not_in_the_library_is_not_found(http: httpx.AsyncClient) -> None:
    for film in ("99", "999999999999999999999999", "0"):
        for what in ("", "/versions", "/media", "/sound", "/peaks", "/report"):
            answer = await http.get(f"/api/films/{film}{what}")
            assert (answer.status_code, answer.json()["reason"][:11]) == (404, "The library"), film + what
    for path in ("/api/films/..%2f..%2fetc%2fpasswd/media", "/api/films/1/media/../../../etc/passwd", "/api/films/x"):
        assert (await http.get(path)).status_code == 404


async def test_a_film_that_vanished_is_said_and_its_subtitles_are_edited_all_the_same(
    http: httpx.AsyncClient, shelf: Shelf, tmp_path: Path
) -> None:
    gone = shelf.add(tmp_path / "była.mp4", "Była")
    told = (await http.get(f"/api/films/{gone}")).json()
    assert (told["media"]["picture"], told["media"]["sound"]) == (False, False)
    assert "there is no such file" in told["media"]["why"]
    assert told["film"]["state"] == "missing"
    for what in ("media", "sound", "peaks"):
        answer = await http.get(f"/api/films/{gone}/{what}")
        assert answer.status_code == 422
        assert "there is no such file" in answer.json()["reason"]
    assert (await post(http, f"{gone}/edit", base=1, edits=[{"do": "delete", "cue": 1}]))[0] == 200


async def test_a_film_that_is_no_film_has_neither_picture_nor_sound(
    http: httpx.AsyncClient, shelf: Shelf, tmp_path: Path
) -> None:
    (tmp_path / "text.mp4").write_text("to nie jest film", encoding="utf-8")
    wrong = shelf.add(tmp_path / "text.mp4", "Tekst")
    assert not (await http.get(f"/api/films/{wrong}")).json()["media"]["sound"]
    assert (await http.get(f"/api/films/{wrong}/sound")).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"base": 1},
        {"base": 1, "edits": []},
        {"base": 1, "edits": [{"do": "eat", "cue": 1}]},
        {"base": 1, "edits": [{"do": "reword", "cue": 1, "lines": []}]},
        {"base": 1, "edits": [{"do": "reword", "cue": 1, "lines": ["x" * 501]}]},
        {"base": 1, "edits": [{"do": "retime", "cue": 1, "start": -1, "end": 5}]},
        {"base": 1, "edits": [{"do": "delete", "cue": 1, "also": 2}]},
        {"base": "1", "edits": [{"do": "delete", "cue": 1}]},
    ],
)
async def test_a_body_that_is_no_edit_is_refused(
    http: httpx.AsyncClient, film: int, shelf: Shelf, body: dict[str, Any]
) -> None:
    answer = await http.post(f"/api/films/{film}/edit", json=body)
    assert (answer.status_code, answer.json()["outcome"]) == (422, "refused")
    assert shelf.lines(film) == list(LINES)


async def test_of_several_edits_all_are_done_or_none(http: httpx.AsyncClient, film: int, shelf: Shelf) -> None:
    edits = [{"do": "delete", "cue": 1}, {"do": "reword", "cue": 77, "lines": ["nic"]}]
    status, told = await post(http, f"{film}/edit", base=1, edits=edits)
    assert (status, told["outcome"]) == (422, "refused")
    assert told["reason"].endswith(".")
    assert shelf.lines(film) == list(LINES)


async def test_a_body_that_is_too_large_or_of_another_kind_is_refused(http: httpx.AsyncClient, film: int) -> None:
    edits = [{"do": "reword", "cue": 1, "lines": ["x" * 400]}] * 1000
    assert (await post(http, f"{film}/edit", base=1, edits=edits))[0] == 413
    form = await http.post(f"/api/films/{film}/undo", data={"base": "1"})
    assert form.status_code == 415
    stranger = await http.post(
        f"/api/films/{film}/undo", json={"base": 1}, headers={"Origin": "http://elsewhere.example"}
    )
    assert stranger.status_code == 403


async def test_an_edit_waits_for_another_program_that_writes(http: httpx.AsyncClient, film: int, shelf: Shelf) -> None:
    with sqlite3.connect(shelf.path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        editing = asyncio.create_task(post(http, f"{film}/edit", base=1, edits=[{"do": "delete", "cue": 1}]))
        assert (await http.get(f"/api/films/{film}")).status_code == 200, "reading goes on"
        other.execute("ROLLBACK")
    assert (await editing)[0] == 200, "it waited for its turn"


async def test_a_report_is_a_page_without_a_script(http: httpx.AsyncClient, film: int) -> None:
    answer = await http.get(f"/api/films/{film}/report")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "Wieczór" in answer.text
    assert "<script" not in answer.text


async def test_a_long_film_is_told_whole(http: httpx.AsyncClient, shelf: Shelf, film_file: Path) -> None:
    long = shelf.add(film_file.with_name("długi.mp4"), "Długi", document(LINES * 750))
    told = (await http.get(f"/api/films/{long}")).json()
    assert len(told["cues"]) == 3000
    status, change = await post(http, f"{long}/edit", base=1, edits=[{"do": "delete", "cue": 2999}])
    assert (status, change["removed"], change["changed"]) == (200, [2999], [])
