"""Devices for other programs."""

from __future__ import annotations

import httpx
from tests.web.evening import Evening, opened


async def test_devices_are_told_and_asked(house: Evening) -> None:
    numbers = {"controls": 5, "reported": 4, "stale": 0, "unknown": 1}
    house.state.set(("devices", "desk"), numbers)
    house.state.set(("links", "desk"), {"state": "online", "detail": ""})
    wish = {"device": "desk", "control": "ch1.mute", "value": True}
    async with (
        opened(house) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        assert (await http.get("/api/devices")).json()["desk"] == {"state": "online", "detail": "", **numbers}
        await http.post("/api/devices/set", json=wish)
        assert (await http.post("/api/devices/explode", json={})).status_code == 404
        assert (await http.post("/api/devices/undo", json=[])).status_code == 422
        assert (await http.post("/api/devices/set", json={"text": "x" * 5000})).status_code == 413
    assert house.asked == [("device.set", wish)]
