"""Destinations, and the hold, for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.web.evening import Evening, opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

YOUTUBE: dict[str, Any] = {
    "state": "on air",
    "detail": "rtmps://a.rtmps.youtube.com:443/live2",
    "size": 912_000_000,
    "destination": True,
    "kbps": 2931,
    "dropped": 12,
    "restarts": 1,
}
OFF: dict[str, Any] = {"state": "off", "detail": "srt://10.0.0.9:9000", "size": 0, "destination": True}


def send(house: Evening, **others: dict[str, Any]) -> None:
    house.state.set("destinations.hls.state", "starting")  # else the page plays
    for name, to in {"YouTube": YOUTUBE, "Next door": OFF, **others}.items():
        house.state.set(("destinations", name), to)


@pytest.fixture
async def http(house: Evening) -> AsyncIterator[httpx.AsyncClient]:
    send(house)
    async with (
        opened(house) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        yield client


async def test_how_each_is_doing(http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/destinations")).json() == {"YouTube": YOUTUBE, "Next door": OFF}


async def test_sending_there_and_there_no_more(http: httpx.AsyncClient, house: Evening) -> None:
    answer = await http.post("/api/destinations", json={"name": "Next door", "on": True})
    assert (answer.status_code, answer.json()) == (200, {"outcome": "confirmed", "reason": ""})
    assert (await http.get("/api/destinations")).json()["Next door"]["state"] == "connecting"
    await http.post("/api/destinations", json={"name": "YouTube", "on": False})
    assert house.asked == [
        ("destinations.add", {"name": "Next door"}),
        ("destinations.remove", {"name": "YouTube"}),
    ]


@pytest.mark.parametrize(("name", "status", "outcome"), [("Lost", 202, "unconfirmed"), ("Keyless", 409, "refused")])
async def test_what_was_not_done_is_told_with_the_reason(
    http: httpx.AsyncClient, name: str, status: int, outcome: str
) -> None:
    answer = await http.post("/api/destinations", json={"name": name, "on": True})
    assert (answer.status_code, answer.json()["outcome"]) == (status, outcome)
    assert answer.json()["reason"].endswith(".")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"name": "YouTube"}', b'{"name": 3, "on": true}', b'{"name": "a", "on": 1}']
)
async def test_a_body_that_says_something_else_is_refused(http: httpx.AsyncClient, house: Evening, body: bytes) -> None:
    answer = await http.post("/api/destinations", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["outcome"], house.asked) == (422, "refused", [])
    assert answer.json()["reason"] == "Send the name of a destination, and whether it is on, as the guide shows."


async def test_a_form_of_another_site_takes_nothing_off_the_air(http: httpx.AsyncClient, house: Evening) -> None:
    body = b'{"name": "YouTube", "on": false}'
    assert (
        await http.post("/api/destinations", content=body, headers={"Content-Type": "text/plain"})
    ).status_code == 415
    foreign = {"Origin": "http://evil.example"}
    assert (await http.post("/api/destinations", json={}, headers=foreign)).status_code == 403
    assert (await http.post("/api/destinations", json={"name": "x" * 5000, "on": True})).status_code == 413
    assert house.asked == []


async def test_another_hold(http: httpx.AsyncClient, house: Evening) -> None:
    assert (await http.post("/api/hold", json={"seconds": 8})).json() == {"outcome": "confirmed", "reason": ""}
    assert house.state.snapshot()["programme"]["hold_ms"] == 8000  # type: ignore[index,call-overload] # JSON
    assert (await http.post("/api/hold", json={"seconds": 31})).status_code == 409
    for body in ({}, {"seconds": "8"}, {"seconds": None}, {"seconds": 8, "now": True}):
        assert (await http.post("/api/hold", json=body)).status_code == 422
    assert (await http.post("/api/hold", content=b'{"seconds": 8}')).status_code == 415
    assert len(house.asked) == 2


async def test_another_encoder(http: httpx.AsyncClient, house: Evening) -> None:
    assert (await http.get("/api/inputs")).json() == {}
    house.encoders("auto")
    assert (await http.post("/api/inputs", json={"name": "backup"})).json() == {"outcome": "confirmed", "reason": ""}
    told = (await http.get("/api/inputs")).json()
    assert (told["chosen"], told["main"]["airs"], told["backup"]["airs"]) == ("backup", False, True)
    for body in ({}, {"name": None}, {"name": "main", "on": True}):
        assert (await http.post("/api/inputs", json=body)).status_code == 422
    assert house.asked == [("input", {"name": "backup"})]
