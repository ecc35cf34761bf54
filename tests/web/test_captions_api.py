"""Captions for other programs, spoken to without a browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.web.evening import Evening, opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def http(house: Evening) -> AsyncIterator[httpx.AsyncClient]:
    house.speak("we read Meat Scavage")
    async with (
        opened(house) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        yield client


async def test_what_is_being_said_is_told_with_the_time(http: httpx.AsyncClient) -> None:
    first = (await http.get("/api/captions")).json()
    assert [word["text"] for word in first["words"]] == ["we", "read", "Meat", "Scavage"]
    assert [word["id"] for word in first["words"]] == [0, 1, 2, 3]
    assert first["words"][0]["airs"] == first["words"][0]["start"] + first["hold_ms"]
    assert first["now"] >= first["words"][-1]["end"]
    assert first["sinks"]["hall"]["late_ms"] == 1240
    assert (await http.get("/api/captions")).json()["now"] >= first["now"]


@pytest.mark.parametrize(
    ("asked", "command", "reads"),
    [
        ({"text": "Mickiewicz"}, "captions.edit", "Mickiewicz"),
        ({"strike": True}, "captions.strike", ""),
        ({"restore": True}, "captions.restore", "Scavage"),
    ],
)
async def test_a_word_is_corrected(
    http: httpx.AsyncClient, house: Evening, asked: dict[str, Any], command: str, reads: str
) -> None:
    answer = await http.post("/api/captions/words/3", json=asked)
    assert (answer.status_code, answer.json()) == (200, {"outcome": "confirmed", "reason": ""})
    text = {"text": asked["text"]} if "text" in asked else {}
    assert house.asked == [(command, {**text, "id": 3, "by": "api"})]
    assert (await http.get("/api/captions")).json()["words"][3]["text"] == reads


@pytest.mark.parametrize(("text", "status", "outcome"), [("closed", 409, "refused"), ("lost", 202, "unconfirmed")])
async def test_what_was_not_done_is_told_with_the_reason(
    http: httpx.AsyncClient, text: str, status: int, outcome: str
) -> None:
    answer = await http.post("/api/captions/words/3", json={"text": text})
    assert (answer.status_code, answer.json()["outcome"]) == (status, outcome)
    assert answer.json()["reason"].endswith(".")


async def test_a_word_that_is_not_there_is_not_found(http: httpx.AsyncClient, house: Evening) -> None:
    for word in ("99", "99999999999999999999999", "9" * 5000, "-1", "x", "%00"):
        assert (await http.post(f"/api/captions/words/{word}", json={"strike": True})).status_code == 404, word
    assert house.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"\xff",
        b'{"text": 3}',
        b'{"text": null}',
        b'{"strike": false}',
        b'{"strike": true, "restore": true}',
        b'{"text": "a", "strike": true}',
        b'{"text": "a", "id": 2}',
    ],
)
async def test_a_body_that_asks_for_no_one_thing_is_refused(
    http: httpx.AsyncClient, house: Evening, body: bytes
) -> None:
    answer = await http.post("/api/captions/words/3", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["outcome"] == "refused"
    assert house.asked == []


async def test_a_large_body_is_refused(http: httpx.AsyncClient, house: Evening) -> None:
    body = json.dumps({"text": "x" * 5000})
    answer = await http.post("/api/captions/words/3", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert house.asked == []


async def test_a_form_of_another_site_corrects_nothing(http: httpx.AsyncClient, house: Evening) -> None:
    body = b'{"strike": true}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = await http.post("/api/captions/words/3", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 415, kind
    foreign: dict[str, str]
    for foreign in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        answer = await http.post("/api/captions/words/3", json={"strike": True}, headers=foreign)
        assert answer.status_code == 403, foreign
    assert (await http.get("/api/captions/words/3")).status_code == 405
    assert house.asked == []
