"""The server behind the pages, spoken to without a browser."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.web.evening import TREE, Evening, opened
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from studio.errors import WebError
from studio.show._state import patched
from studio.web import Limits, serve
from studio.web._socket import Allowance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def port(house: Evening) -> AsyncIterator[int]:
    async with opened(house) as port:
        yield port


@pytest.fixture
async def http(port: int) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        yield client


@contextlib.asynccontextmanager
async def page(port: int, **options: Any) -> AsyncIterator[ClientConnection]:  # noqa: ANN401 - handed on to websockets
    async with connect(f"ws://127.0.0.1:{port}/ws", proxy=None, **options) as socket:
        yield socket


async def next_of(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next message of `kind`; others are passed over."""
    async with asyncio.timeout(60):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if message["kind"] == kind:
                return message


async def closed(socket: ClientConnection) -> int | None:
    """Wait until the server closes; return its code."""
    async with asyncio.timeout(60):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await socket.recv()
    return socket.close_code


# ── state and commands ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_page_gets_a_snapshot_and_then_each_change_by_its_number(house: Evening, port: int) -> None:
    async with page(port) as socket:
        first = json.loads(await socket.recv())
        at = first.pop("at")
        assert first == {"kind": "snapshot", "version": 0, "state": TREE}
        state, version = first["state"], first["version"]
        for seconds in range(3):
            house.state.set("show.seconds", seconds)
            diff = await next_of(socket, "diff")
            assert (at := max(at, diff["at"])) == diff.pop("at")
            assert diff == {"kind": "diff", "version": version + 1, "patch": {"show": {"seconds": seconds}}}
            state, version = patched(state, diff["patch"]), diff["version"]
        assert state == house.state.snapshot()


async def test_a_quiet_house_is_heard_to_live(house: Evening) -> None:
    async with opened(house, limits=Limits(beat=0.05)) as port, page(port) as socket:
        first, second = [await next_of(socket, "beat") for _number in range(2)]
        assert first["version"] == second["version"] == 0
        assert first["at"] <= second["at"]


async def test_a_page_that_missed_a_change_asks_for_all(port: int) -> None:
    async with page(port) as socket:
        await next_of(socket, "snapshot")
        await socket.send('{"kind": "resync"}')
        assert (await next_of(socket, "snapshot"))["state"] == TREE


async def test_a_command_is_answered_by_its_id(house: Evening, port: int) -> None:
    async with page(port) as socket:
        await socket.send('{"id": 7, "name": "take", "arguments": {"scene": "Holding"}}')
        assert await next_of(socket, "outcome") == {"kind": "outcome", "id": 7, "outcome": "confirmed", "reason": ""}
        assert house.asked == [("take", {"scene": "Holding"})]


async def test_an_unknown_command_is_refused_by_the_house(port: int) -> None:
    async with page(port) as socket:
        await socket.send('{"id": "a", "name": "explode"}')
        answer = await next_of(socket, "outcome")
        assert (answer["id"], answer["outcome"], answer["reason"]) == ("a", "refused", "There is no command explode.")


async def test_a_broken_command_leaves_the_page_open(port: int, caplog: pytest.LogCaptureFixture) -> None:
    async with page(port) as socket:
        await socket.send('{"id": 1, "name": "break"}')
        assert (await next_of(socket, "outcome"))["outcome"] == "unconfirmed"
        await socket.send('{"id": 2, "name": "take", "arguments": {"scene": "Talk"}}')
        assert (await next_of(socket, "outcome"))["outcome"] == "confirmed"
    assert "the command 'break' failed" in caplog.text


async def test_a_slow_command_holds_up_no_other_and_ends_without_its_page(house: Evening, port: int) -> None:
    async with page(port) as socket:
        await socket.send('{"id": 1, "name": "wait"}')
        await socket.send('{"id": 2, "name": "take", "arguments": {"scene": "Talk"}}')
        assert (await next_of(socket, "outcome"))["id"] == 2
    house.patience.set()
    async with asyncio.timeout(60):
        await house.done.wait()


async def test_a_command_that_never_ends_is_answered_as_unconfirmed(house: Evening) -> None:
    async with opened(house, limits=Limits(answer=0.05)) as port, page(port) as socket:
        await socket.send('{"id": 1, "name": "wait"}')
        assert (await next_of(socket, "outcome"))["outcome"] == "unconfirmed"


# ── bad input ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "{",
        "[]",
        "null",
        '{"id": 1}',
        '{"name": "take"}',
        '{"id": {}, "name": 3}',
        '{"kind": "explode"}',
        b"\xff\x00",
    ],
)
async def test_garbage_is_refused_and_the_page_stays_open(house: Evening, port: int, garbage: str | bytes) -> None:
    async with page(port) as socket:
        await socket.send(garbage)
        answer = await next_of(socket, "outcome")
        assert (answer["outcome"], answer["reason"]) == ("refused", "A command needs an id and a name.")
        await socket.send('{"id": 2, "name": "take", "arguments": {"scene": "Talk"}}')
        assert (await next_of(socket, "outcome"))["id"] == 2
    assert house.asked == [("take", {"scene": "Talk"})]


async def test_an_oversize_message_closes_its_page_and_no_other(house: Evening, port: int) -> None:
    async with page(port) as big, page(port) as other:
        await big.send(json.dumps({"id": 1, "name": "take", "arguments": {"scene": "x" * 20_000}}))
        assert await closed(big) == 1009
        await other.send('{"id": 2, "name": "take", "arguments": {"scene": "Talk"}}')
        assert (await next_of(other, "outcome"))["id"] == 2
    assert house.asked == [("take", {"scene": "Talk"})]


async def test_commands_beyond_the_rate_are_refused(house: Evening) -> None:
    async with opened(house, limits=Limits(rate=3, burst=3)) as port, page(port) as socket:
        for number in range(10):
            await socket.send(json.dumps({"id": number, "name": "take", "arguments": {"scene": "Talk"}}))
        answers = [(await next_of(socket, "outcome"))["outcome"] for _number in range(10)]
        assert "refused" in answers
        assert answers.count("confirmed") == len(house.asked) >= 3


async def test_no_more_than_so_many_commands_of_one_page_are_under_way(house: Evening) -> None:
    async with opened(house, limits=Limits(busy=2)) as port, page(port) as socket:
        for number in range(3):
            await socket.send(json.dumps({"id": number, "name": "wait"}))
        assert (await next_of(socket, "outcome"))["id"] == 2
        house.patience.set()
        assert (await next_of(socket, "outcome"))["outcome"] == "confirmed"


def test_an_allowance_fills_up_again() -> None:
    allowance = Allowance(rate=2, burst=3)
    assert [allowance.take(0.0) for _number in range(4)] == [True, True, True, False]
    assert [allowance.take(0.5), allowance.take(0.5)] == [True, False]
    assert [allowance.take(100.0) for _number in range(4)] == [True, True, True, False]


async def test_one_page_too_many_is_told_to_come_back(house: Evening) -> None:
    async with opened(house, limits=Limits(clients=1)) as port, page(port) as first:
        await next_of(first, "snapshot")
        async with page(port) as second:
            assert await closed(second) == 1013
        await first.send('{"id": 1, "name": "take", "arguments": {"scene": "Talk"}}')
        assert (await next_of(first, "outcome"))["id"] == 1


async def test_a_page_that_takes_in_nothing_is_let_go_and_others_notice_nothing(
    house: Evening, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(house, limits=Limits(patience=0.3, beat=0.05)) as port:
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.setblocking(False)  # noqa: FBT003 - the standard library's own signature
            loop = asyncio.get_running_loop()
            await loop.sock_connect(deaf, ("127.0.0.1", port))
            await loop.sock_sendall(
                deaf,
                f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode(),
            )
            async with page(port, max_size=None) as other, asyncio.timeout(60):
                number = 0
                while "was let go" not in caplog.text:
                    number += 1
                    house.state.set("show.title", f"{number} " * 50_000)
                    assert (await next_of(other, "diff"))["patch"]["show"]["title"].startswith(f"{number} ")


async def test_a_slow_page_is_given_all_once_it_can_take_it(house: Evening) -> None:
    async with opened(house) as port, page(port, max_size=None, max_queue=1) as slow:
        await next_of(slow, "snapshot")
        for number in range(600):  # more than the state remembers, faster than they can be sent
            house.state.set("show.title", f"{number} " * 500)
            house.state.snapshot()
        message = await next_of(slow, "snapshot")
        assert message["state"] == house.state.snapshot()


# ── who may speak ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/", "/healthz", "/hls/master.m3u8", "/static/status.js", "/nowhere"])
async def test_a_name_that_is_not_ours_is_refused(http: httpx.AsyncClient, path: str) -> None:
    for name in ("evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "127.0.0.1:x"):
        answer = await http.get(path, headers={"Host": name})
        assert answer.status_code == 403, name


async def test_our_own_names_are_answered(http: httpx.AsyncClient, port: int) -> None:
    for name in (f"localhost:{port}", "LOCALHOST", f"127.0.0.1:{port}", f"[::1]:{port}", "localhost."):
        assert (await http.get("/healthz", headers={"Host": name})).status_code == 200, name


async def test_a_page_of_another_site_is_refused(http: httpx.AsyncClient, port: int) -> None:
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{port + 1}", f"ftp://127.0.0.1:{port}"):
        assert (await http.get("/healthz", headers={"Origin": origin})).status_code == 403, origin
        with pytest.raises(InvalidStatus) as refused:
            async with page(port, origin=origin):
                pass
        assert refused.value.response.status_code == 403
    assert (await http.get("/healthz", headers={"Origin": f"http://127.0.0.1:{port}"})).status_code == 200
    async with page(port, origin=f"http://127.0.0.1:{port}") as socket:
        await next_of(socket, "snapshot")


async def test_served_to_the_house_every_address_is_ours_and_no_foreign_name(house: Evening) -> None:
    async with opened(house, host="0.0.0.0") as port, httpx.AsyncClient(trust_env=False) as http:  # noqa: S104 - the case
        url = f"http://127.0.0.1:{port}/healthz"
        for name in ("192.168.1.20", f"{socket.gethostname()}:{port}", "[fe80::1]"):
            assert (await http.get(url, headers={"Host": name})).status_code == 200, name
        assert (await http.get(url, headers={"Host": "evil.example"})).status_code == 403


async def test_every_answer_is_guarded(http: httpx.AsyncClient) -> None:
    for path in ("/", "/static/status.js", "/hls/none.ts", "/nowhere"):
        headers = (await http.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
        assert "server" not in headers


async def test_an_endless_request_line_is_refused(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /" + b"a" * 40_000)
    assert (await reader.readline()).startswith(b"HTTP/1.1 400")
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def test_nothing_is_taken_but_questions(http: httpx.AsyncClient) -> None:
    for path in ("/", "/static/status.js", "/hls/master.m3u8", "/healthz"):
        assert (await http.post(path, content=b"x")).status_code in (404, 405), path


# ── files ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def raw(port: int, target: str) -> tuple[int, bytes]:
    """Ask for `target` as it stands: clients of the better sort tidy up dots."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split()[1]), answer


@pytest.mark.parametrize(
    "target",
    [
        "/hls/../secret.ts",
        "/hls/..%2fsecret.ts",
        "/hls/%2e%2e/secret.ts",
        "/hls/%2e%2e%2fsecret.ts",
        "/hls//secret.ts",
        "/hls/%2fetc%2fpasswd",
        "/hls/link.ts",
        "/hls/.hidden.ts",
        "/hls/notes.txt",
        "/hls/",
        "/hls/a%00b.ts",
        "/hls/" + "a" * 300 + ".ts",
        "/static/layout.html",
        "/static/../_serve.py",
        "/locale/..%2f..%2fpl.json",
        "/locale/de.json",
    ],
)
async def test_nothing_leaves_but_what_is_meant_to(house: Evening, port: int, target: str) -> None:
    hls = house.folder / "hls"
    for file in (house.folder / "secret.ts", hls / ".hidden.ts", hls / "notes.txt"):
        file.write_text("secret")
    (hls / "link.ts").symlink_to(house.folder / "secret.ts")
    status, answer = await raw(port, target)
    assert status == 404
    assert b"secret" not in answer


async def test_the_programme_is_given_out_as_what_it_is(http: httpx.AsyncClient, house: Evening) -> None:
    hls = house.folder / "hls"
    (hls / "master.m3u8").write_text("#EXTM3U\n")
    (hls / "captions-1.vtt").write_text("WEBVTT\n")
    (hls / "video-1.ts").write_bytes(b"\x47" * 188)
    playlist = await http.get("/hls/master.m3u8")
    assert (playlist.headers["Content-Type"], playlist.headers["Cache-Control"]) == (
        "application/vnd.apple.mpegurl",
        "no-store",
    )
    assert (await http.get("/hls/captions-1.vtt")).headers["Content-Type"] == "text/vtt; charset=utf-8"
    segment = await http.get("/hls/video-1.ts")
    assert (segment.headers["Content-Type"], segment.headers["Cache-Control"]) == ("video/mp2t", "no-cache")
    assert segment.content == b"\x47" * 188
    again = await http.get("/hls/video-1.ts", headers={"If-None-Match": segment.headers["ETag"]})
    assert again.status_code == 304
    part = await http.get("/hls/video-1.ts", headers={"Range": "bytes=0-9"})
    assert (part.status_code, len(part.content)) == (206, 10)


async def test_a_programme_that_has_not_begun_is_not_found(tmp_path: Path) -> None:
    async with opened(Evening(tmp_path / "later")) as port:
        assert (await raw(port, "/hls/master.m3u8"))[0] == 404


async def test_pages_are_asked_for_again_each_time(http: httpx.AsyncClient) -> None:
    first = await http.get("/static/status.js")
    assert (first.headers["Content-Type"], first.headers["Cache-Control"]) == (
        "text/javascript; charset=utf-8",
        "no-cache",
    )
    again = await http.get("/static/status.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await http.get("/")).headers["Cache-Control"] == "no-cache"


async def test_health_is_told(http: httpx.AsyncClient, house: Evening) -> None:
    house.state.set("show.seconds", 1)
    house.state.snapshot()
    assert (await http.get("/healthz")).json() == {"studio": "0.1.0", "version": 1}


# ── opening and closing ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_port_in_use_is_named_with_what_to_do(house: Evening, port: int) -> None:
    with pytest.raises(WebError, match=rf"Port {port} on 127\.0\.0\.1 is in use.*`port` under \[web\]"):
        await serve(house, "127.0.0.1", port)


@pytest.mark.parametrize(("host", "sentence"), [("192.0.2.1", "no address"), ("nowhere.invalid", "Nobody knows")])
async def test_an_address_that_is_not_ours_is_named_with_what_to_do(house: Evening, host: str, sentence: str) -> None:
    with pytest.raises(WebError, match=sentence):
        await serve(house, host, 0)


async def test_closing_closes_the_pages_and_frees_the_port(house: Evening) -> None:
    before = signal.getsignal(signal.SIGINT)
    async with opened(house) as port:
        assert signal.getsignal(signal.SIGINT) is before
        browser = await connect(f"ws://127.0.0.1:{port}/ws", proxy=None)
        await next_of(browser, "snapshot")
        await browser.send('{"id": 1, "name": "wait"}')
        await house.waiting.wait()
    assert await closed(browser) == 1012
    async with opened(house, port):
        pass
