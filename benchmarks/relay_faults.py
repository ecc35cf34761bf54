"""One destination of four is bad: what the others, the recordings and the core feel of it, and when it is back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.relay_house import Apart, To, apart, arrives, temporary, write_house
from benchmarks.relay_stage import (
    Arrivals,
    Book,
    Bystander,
    Ear,
    Encoder,
    console,
    free_port,
    make_programme,
    until,
    written,
)
from tests.faults.servers import KEY, PASSPHRASE, Hole, Narrow, Nginx, Srt

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator
    from pathlib import Path

GAP = 0.1
HEART = 0.1
BACK = 3.0
WAITS = 10.0
"""Seconds that a fault lasts."""
FROZEN = 20.0
NARROW = 25_000
"""Bytes a second: 200 kb/s."""
REALLY_BACK = 20_000
"""Bytes on a new connection that show that the destination is back, and not only called: 50 ms of the programme."""
OTHERS = ("good", "far", "disk", "recording", "clean")
PATIENCE = 60.0


@dataclass(eq=False)
class Stage:
    """A house on the air, and everything a fault needs."""

    air: Apart
    arrivals: Arrivals
    bad: Nginx
    narrow: Narrow
    bystander: Bystander
    stack: contextlib.ExitStack

    @property
    def ear(self) -> Ear:
        """What the relay reports."""
        return self.air.ear


@contextlib.asynccontextmanager
async def opened(folder: Path, clip: Path, options: argparse.Namespace) -> AsyncIterator[Stage]:
    """Put four destinations on the air: `bad` and `good` by RTMP, `far` by SRT, `disk` a file; `thin` waits."""
    with contextlib.ExitStack() as stack:
        arrivals = Arrivals()
        stack.callback(arrivals.close)
        bystander = Bystander()
        stack.callback(bystander.close)
        bad, good = Nginx(folder / "bad", record=True), Nginx(folder / "good", record=True)
        far = Srt(folder / "far", arrivals.port("far"))
        narrow = Narrow(bad.port, None)
        stack.callback(narrow.close)
        for server in (bad, good, far):
            server.start()
            stack.callback(server.kill)
        (folder / "disk").mkdir()
        port = free_port()
        listen = f"rtmp://127.0.0.1:{free_port()}/live/studio"
        toml = write_house(
            folder / "house",
            listen=listen,
            hold=options.hold,
            encode=options.encode,
            port=port,
            to=(
                To("bad", bad.address, KEY),
                To("good", good.address, KEY),
                To("far", far.address, PASSPHRASE),
                To("disk", str(folder / "disk" / "disk.ts"), preset="file"),
                To("thin", f"rtmp://127.0.0.1:{narrow.port}/live", KEY, on=False),
            ),
        )
        arrivals.watch("good", folder / "good", "*.flv")
        arrivals.watch("disk", folder / "disk", "*.ts")
        for name in ("recording", "clean"):
            arrivals.watch(name, folder / "show", f"{name}.part-*.ts")
        async with apart(toml, folder / "show", port) as air:
            encoder = Encoder(clip, listen)
            stack.callback(encoder.close)
            await arrives(air, encoder)
            for name in ("bad", "good", "far", "disk"):
                await air.takes(name)
            await until(lambda: arrivals.times["far"] and arrivals.times["good"], PATIENCE, "bytes at the servers")
            yield Stage(air, arrivals, bad, narrow, bystander, stack)


# ── faults ────────────────────────────────────────────────────────────────────────────────────────────────────────────

Fault = Callable[[Stage], "contextlib.AbstractAsyncContextManager[str]"]
"""What is wrong while it is open; gives the name of the destination that suffers. It has suffered enough on closing."""


def threaded(work: Callable[[], object]) -> Awaitable[object]:
    """Do something to a server without holding the core's loop up: it is the core that is measured."""
    return asyncio.to_thread(work)


@contextlib.asynccontextmanager
async def killed(stage: Stage) -> AsyncIterator[str]:
    """The server dies and is started again."""
    await threaded(stage.bad.kill)
    yield "bad"
    await threaded(stage.bad.start)


@contextlib.asynccontextmanager
async def refused(stage: Stage) -> AsyncIterator[str]:
    """Nobody listens when it is called first."""
    await stage.air.send("bad", on=False)
    await threaded(stage.bad.kill)
    await stage.air.send("bad", on=True)
    yield "bad"
    await threaded(stage.bad.start)


@contextlib.asynccontextmanager
async def frozen(stage: Stage) -> AsyncIterator[str]:
    """The server is stopped for 20 s and goes on."""
    stage.bad.freeze()
    yield "bad"
    await asyncio.sleep(FROZEN - WAITS)
    stage.bad.thaw()


@contextlib.asynccontextmanager
async def black_hole(stage: Stage) -> AsyncIterator[str]:
    """Whoever calls gets no answer at all, from the first call on."""
    await stage.air.send("bad", on=False)
    await threaded(stage.bad.kill)
    hole = Hole(stage.bad.port)
    stage.stack.callback(hole.close)
    await stage.air.send("bad", on=True)
    yield "bad"
    hole.close()
    await threaded(stage.bad.start)


@contextlib.asynccontextmanager
async def wrong_key(stage: Stage) -> AsyncIterator[str]:
    """The server does not know the key, and then does."""
    await stage.air.send("bad", on=False)

    def take(key: str) -> None:
        stage.bad.kill()
        stage.bad.take(key)
        stage.bad.start()

    await threaded(lambda: take("another-key"))
    await stage.air.send("bad", on=True)
    yield "bad"
    await until(lambda: stage.ear.state("bad") == "refused", PATIENCE, "a refusal")
    await threaded(lambda: take(KEY))


@contextlib.asynccontextmanager
async def slow(stage: Stage) -> AsyncIterator[str]:
    """The line takes 200 kb/s, and then all."""
    await stage.air.send("bad", on=False)
    await stage.air.send("thin", on=True)
    await stage.air.takes("thin")
    stage.narrow.rate = NARROW
    yield "thin"
    await until(lambda: getattr(stage.ear.output("thin"), "dropped", 0) > 0, PATIENCE, "something left out")
    stage.narrow.rate = None


FAULTS: dict[str, Fault] = {
    "kill -9": killed,
    "refused port": refused,
    "SIGSTOP 20 s": frozen,
    "black hole from the start": black_hole,
    "wrong key": wrong_key,
    "slow, 200 kb/s": slow,
}


async def suffer(stage: Stage, name: str) -> dict[str, Any]:
    """Let one fault happen and pass; return what was felt of it."""
    began = time.time()
    stage.air.pulse.forget()
    stage.ear.reports.clear()
    stage.bystander.forget()
    seen: set[str] = set()

    async def note(who: str) -> None:
        while True:
            seen.add(stage.ear.state(who))
            await asyncio.sleep(0.1)

    old = frozenset(path.name for path in stage.bad.folder.glob("*.flv"))
    async with FAULTS[name](stage) as who:
        noting = asyncio.create_task(note(who))
        await asyncio.sleep(WAITS)
    ended = time.time()
    back = await (full_rate(stage, ended) if name.startswith("slow") else fresh_bytes(stage.bad, old, ended))
    noting.cancel()
    await asyncio.sleep(1.5)
    over = time.time()
    felt = {
        "fault": name,
        "seconds": round(over - began, 1),
        "gaps": {other: round(stage.arrivals.gap(other, began, over), 3) for other in OTHERS},
        "heart": round(stage.air.pulse.longest, 3),
        "bystander": round(stage.bystander.longest, 3),
        "report": round(stage.ear.longest_silence, 3),
        "back": None if back is None else round(back, 2),
        "states": sorted(seen - {""}),
        "dropped": {
            each.name: each.dropped for each in (stage.ear.report.outputs if stage.ear.report else ()) if each.dropped
        },
        "restarts": {
            each.name: each.restarts for each in (stage.ear.report.outputs if stage.ear.report else ()) if each.restarts
        },
    }
    if who == "thin":
        await stage.air.send("thin", on=False)
        await stage.air.send("bad", on=True)
    await stage.air.takes("bad")
    await asyncio.sleep(2)
    return felt


async def fresh_bytes(server: Nginx, old: frozenset[str], since: float) -> float | None:
    """Seconds from `since` until the server has got something on a connection that is new; `None`: it did not."""
    with contextlib.suppress(TimeoutError):
        await until(lambda: written(server.folder, "*.flv", old)[0] > REALLY_BACK, PATIENCE, "")
        return time.time() - since
    return None


async def full_rate(stage: Stage, since: float) -> float | None:
    """Seconds from `since` until the slow server gets as much as the good one; `None`: it never does.

    It is back when, from then on for a second, it gets at least nine tenths of what the good one gets.
    """
    folders = (stage.bad.folder, stage.bad.folder.parent / "good")
    sizes: list[tuple[float, int, int]] = []
    while time.time() < since + PATIENCE:
        now = time.time()
        bad, good = (written(folder, "*.flv")[0] for folder in folders)
        sizes.append((now, bad, good))
        for at, bad_then, good_then in sizes:
            if now - at < 1:
                break
            if bad - bad_then >= 0.9 * (good - good_then) > 0:
                return max(0.0, at - since)
        sizes = [each for each in sizes if each[0] > now - 1.2]
        await asyncio.sleep(0.05)
    return None


# ── the run ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def measure(options: argparse.Namespace, book: Book) -> None:
    """Let every fault happen `options.runs` times."""
    with temporary() as folder:
        clip = make_programme(folder / "clip.mp4", seconds=60, size=options.size)
        felt = asyncio.run(_measure(folder, clip, options, book))
    worst = max(max(each["gaps"].values()) for each in felt)
    for name in FAULTS:
        rows = [each for each in felt if each["fault"] == name]
        if not rows:
            continue
        gaps = {other: max(each["gaps"][other] for each in rows) for other in OTHERS}
        where = max(gaps, key=lambda other: gaps[other])
        book.at_most(f"{name}: others' largest gap (at {where})", gaps[where], GAP)
        book.at_most(f"{name}: the core's slowest answer, asked each 20 ms", max(each["heart"] for each in rows), HEART)
        backs = [each["back"] for each in rows]
        book.at_most(f"{name}: back", None if None in backs else max(backs), BACK, digits=2)
    book.tell("largest gap in all", f"{worst:.3f} s", worst)
    waits = max(each["bystander"] for each in felt)
    book.tell("longest that a process which does nothing waited for its turn, of 20 ms", f"{waits:.3f} s", waits)
    silence = max(each["report"] for each in felt)
    book.tell("longest wait for the relay's report, due every 0.5 s", f"{silence:.3f} s", silence)


async def _measure(folder: Path, clip: Path, options: argparse.Namespace, book: Book) -> list[dict[str, Any]]:
    felt: list[dict[str, Any]] = book.detail.setdefault("faults", [])
    async with opened(folder, clip, options) as stage:
        await asyncio.sleep(3)
        began = time.time()
        stage.air.pulse.forget()
        await asyncio.sleep(10)
        peace = {other: round(stage.arrivals.gap(other, began, time.time()), 3) for other in OTHERS}
        book.detail["peace"] = {"gaps": peace, "heart": round(stage.air.pulse.longest, 3)}
        console.print(
            f"with nothing wrong, 10 s: gaps {peace}, the core answers within {stage.air.pulse.longest:.3f} s"
        )
        for run in range(options.runs):
            for name in options.only or FAULTS:
                felt.append({"run": run + 1, **await suffer(stage, name)})
                console.print(felt[-1])
                book.save()
    return felt
