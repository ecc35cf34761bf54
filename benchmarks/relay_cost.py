"""Processor time: of burning beside the same encode without captions and beside drawtext, of the relay beside ffmpeg.

Every figure is a ratio of what was measured in one run, the median of `RUNS`, of burning that of `TURNS`; processor
time is that of a process and all its children, so that other programs disturb little.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import av
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # it runs itself, too

from benchmarks.relay_house import temporary
from benchmarks.relay_stage import FPS, Book, Ear, Encoder, console, free_port, make_programme, until

from studio import media
from studio.catalogue import Catalogue
from studio.media._air.burn import is_hd
from studio.media._air.fonts import find_font
from studio.media._air.transmitter import Transmitter
from studio.media._ground.clock import RATE, Ticks
from studio.media._leave.destination import Destinations
from studio.subtitles import Style
from studio.units import Ms

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

RUNS, TURNS = 3, 9
"""How often each is measured; what captions add lies within what single readings of ffmpeg are apart."""
BURNING, RELAYING = 1.05, 1.10
"""What is asked, as shares of what the same costs without."""
FRAMES = 500
STRETCH = 25
KEPT = 90
"""Decoded pictures that are encoded again and again: memory holds no more of 1080p."""
WARM, WATCHED = 6.0, 24.0
"""Seconds on the air before it is measured, and while it is."""
SIZES = {"1280x720": "hall-720p", "1920x1080": "hall-1080p"}
SAID = (
    ("„Zażółć gęślą jaźń” – powiedział Miłosz,", "a potem długo milczał i patrzył w okno."),  # noqa: RUF001
    ("Ąžuolų šakos ir įžūlūs žvirbliai", "šiandien susirinko visi kartu."),
)
EVERY = 50
"""Frames that a caption stands; the next one follows at once."""


def measure(chosen: argparse.Namespace, book: Book) -> None:
    """Write both into `book`; `chosen.sizes`, where it is there, names the sizes, else 720p and 1080p."""
    for size in getattr(chosen, "sizes", None) or SIZES:
        with temporary() as folder:
            console.print(f"burning at {size} …")
            of_burning(size, folder, book)
            book.save()
            console.print(f"the relay at {size} …")
            asyncio.run(of_the_relay(size, folder, book))
            book.save()


# ── burning ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def of_burning(size: str, folder: Path, book: Book) -> None:
    """What captions add to each frame, ours and drawtext's, each beside the same work without them."""
    clip = make_programme(folder / "burned.mp4", seconds=FRAMES / FPS, size=size, kilobits=8000)
    encode = Catalogue().load("presets/encode", SIZES[size], media.EncodePreset)
    runs: dict[str, list[float]] = {"plain": [], "burned": [], "ffmpeg": [], "drawtext": []}
    for _turn in range(TURNS):
        done = subprocess.run(
            [sys.executable, __file__, str(clip), SIZES[size]], check=True, capture_output=True, text=True
        )
        for name, spent_ in zip(("plain", "burned"), done.stdout.split(), strict=True):
            runs[name].append(float(spent_))
        for name in ("ffmpeg", "drawtext"):
            texts = ["-vf", drawn(folder, size)] if name == "drawtext" else []
            runs[name].append(spent(["ffmpeg", *quiet(), "-i", str(clip), *texts, *x264(encode), *nowhere()]))
    ours = statistics.median(burned / plain for burned, plain in zip(runs["burned"], runs["plain"], strict=True))
    added = {
        name: 1000 / FRAMES * statistics.median(b - a for a, b in zip(runs[without], runs[name], strict=True))
        for name, without in (("burned", "plain"), ("drawtext", "ffmpeg"))
    }
    book.at_most(f"burning at {size}, beside the same encode without captions", ours, BURNING, "x")
    book.at_most(
        f"burning at {size} adds to a frame, beside drawtext", added["burned"], round(added["drawtext"], 3), "ms"
    )
    book.detail[f"burning {size}"] = runs


def burn(clip: Path, preset: str) -> tuple[float, float]:
    """Encode FRAMES pictures of `clip` as the relay does, without captions and with; return what each took.

    In turns, so that whatever else this machine does disturbs both alike.
    """
    catalogue = Catalogue()
    plan = media.RelayPlan(
        folder=Path(), socket=Path(), input="", hold=Ms(0), title="", captions=True, language="pl", interface="en",
        encode=catalogue.load("presets/encode", preset, media.EncodePreset),
        style=catalogue.load("subtitles/styles", "hall", Style),
    )  # fmt: skip
    with av.open(str(clip)) as container:
        pictures = [frame for frame, _number in zip(container.decode(video=0), range(KEPT), strict=False)]
    ways = [
        Transmitter(plan, closed=None, open_outputs=lambda *_size: [], destinations=Destinations((), print), say=print)
        for _each in range(2)
    ]
    for way in ways:
        way.open(pictures[0], FPS)
        way.drawn(("Aa",), hd=is_hd(pictures[0]))  # fonts are found once in a show
    took = [0.0, 0.0]
    for first in range(0, FRAMES, STRETCH):
        for which, way in enumerate(ways):
            began = time.process_time()
            for number in range(first, first + STRETCH):
                turn, there = divmod(number, KEPT)  # to and fro, so that nothing jumps
                lines = SAID[number // EVERY % len(SAID)] if which else ()
                way.send(pictures[KEPT - 1 - there if turn % 2 else there], Ticks(number * RATE // FPS), lines)
            took[which] += time.process_time() - began
    return took[0], took[1]


def drawn(folder: Path, size: str) -> str:
    """Return drawtext's filters for the same captions at the same times, in the same look."""
    height = int(size.partition("x")[2])
    style = Catalogue().load("subtitles/styles", "hall", Style)
    asked = []
    for number, lines in enumerate(SAID):
        text = folder / f"said-{number}.txt"
        text.write_text("\n".join(lines), encoding="utf-8")
        when = f"eq(mod(floor(n/{EVERY})\\,{len(SAID)})\\,{number})"
        asked.append(
            f"drawtext=fontfile={find_font(style.font)[0]}:textfile={text}:fontsize={round(style.size * height)}:"
            f"fontcolor=white:borderw=2:bordercolor=black:box=1:boxcolor=black@0.69:boxborderw=12:"
            f"x=(w-text_w)/2:y=h-text_h-{round(style.margin * height)}:enable='{when}'"
        )
    return ",".join(asked)


# ── the relay ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def of_the_relay(size: str, folder: Path, book: Book) -> None:
    """The whole relay on a film and on an encoder's stream, beside ffmpeg doing the same, without captions."""
    clip = make_programme(folder / "relayed.mp4", seconds=WARM + WATCHED + 30, size=size, kilobits=5000)
    encode = Catalogue().load("presets/encode", SIZES[size], media.EncodePreset)
    for source in ("a film", "an encoder"):
        ratios, ours, theirs = [], [], []
        for run in range(RUNS):
            place = folder / f"{source[-4:]}-{run}"
            place.mkdir()
            theirs.append(await of_ffmpeg(source, clip, encode, place))
            ours.append(await of_one_relay(source, clip, encode, place))
            ratios.append(ours[-1] / theirs[-1])
        book.at_most(f"the relay at {size} of {source}, beside ffmpeg", statistics.median(ratios), RELAYING, "x")
        book.tell(
            f"… in cores: the relay, ffmpeg ({source}, {size})",
            f"{statistics.median(ours):.3f}, {statistics.median(theirs):.3f}",
        )
        book.detail[f"relay {size} {source}"] = {"relay": ours, "ffmpeg": theirs}


async def of_one_relay(source: str, clip: Path, encode: media.EncodePreset, folder: Path) -> float:
    """Cores that the relay and its children keep busy."""
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    plan = media.RelayPlan(
        folder=folder / "show", socket=folder / "relay.sock", hold=Ms(1000), encode=encode, style=Style(), title="Cost",
        input=f"file:{clip}" if source == "a film" else f"listen:{url}", captions=False, language="pl", interface="en",
    )  # fmt: skip
    told = folder / "plan.json"
    told.write_bytes(plan.to_json())
    process = run(media.command(), told)
    sender: Encoder | None = None
    ear: Ear | None = None
    try:
        await until(plan.socket.exists, 20, "the relay answers")
        ear = Ear(plan.socket)
        if source == "an encoder":
            sender = Encoder(clip, url)
        await until(lambda: ear.report and ear.report.frames > FPS, 30, "the programme airs")
        return await busy(process.pid)
    finally:
        if ear is not None:
            await ear.close()
        if sender is not None:
            sender.close()
        process.kill()
        process.wait()


async def of_ffmpeg(source: str, clip: Path, encode: media.EncodePreset, folder: Path) -> float:
    """Cores that ffmpeg keeps busy with the same: decode, x264 and AAC as the relay has them, MPEG-TS and HLS.

    Of an encoder it also owns the socket and keeps what arrives, as the relay does.
    """
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    asked = ["-re", "-i", str(clip)] if source == "a film" else ["-listen", "1", "-i", url]
    (folder / "hls").mkdir()
    hls = f"hls_time={encode.segment_seconds}:hls_list_size={encode.playlist_segments}:hls_flags=delete_segments"
    to = f"[f=mpegts:flush_packets=1]{folder}/aired.ts|[f=hls:{hls}]{folder}/hls/index.m3u8"
    kept = [] if source == "a film" else ["-map", "0", "-c", "copy", "-f", "mpegts", f"{folder}/clean.ts"]
    command = ["ffmpeg", *quiet(), *asked, "-map", "0:v", "-map", "0:a", *x264(encode), *aac(encode)]
    process = run([*command, "-f", "tee", to, *kept], Path(os.devnull))
    sender: Encoder | None = None
    try:
        if source == "an encoder":
            await asyncio.sleep(1)
            sender = Encoder(clip, url)
        await until((folder / "hls" / "index.m3u8").exists, 30, "ffmpeg writes")
        return await busy(process.pid)
    finally:
        if sender is not None:
            sender.close()
        process.kill()
        process.wait()


async def busy(of: int) -> float:
    """Return how many cores the process `of` and its children keep busy, once they have settled."""
    await asyncio.sleep(WARM)
    began, before = time.monotonic(), sum(times(of))
    await asyncio.sleep(WATCHED)
    return (sum(times(of)) - before) / (time.monotonic() - began)


def times(of: int) -> Iterator[float]:
    """Processor time of a process and its children so far."""
    process = psutil.Process(of)
    for each in (process, *process.children(recursive=True)):
        spent_ = each.cpu_times()
        yield spent_.user + spent_.system


# ── ffmpeg ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def x264(encode: media.EncodePreset) -> list[str]:
    """Return the very settings of `studio.media._air.encode`."""
    threads = encode.threads or min(4, os.cpu_count() or 1)
    return [
        *("-c:v", "libx264", "-preset", encode.preset, "-crf", str(encode.quality), "-threads:v", str(threads)),
        *("-maxrate", f"{encode.video_bitrate}k", "-forced-idr", "1", "-pix_fmt", "yuv420p"),
        *("-bufsize", f"{round(encode.video_bitrate * encode.buffer_seconds)}k"),
        *("-force_key_frames", f"expr:gte(t,n_forced*{encode.keyframe_seconds:g})"),
        *("-x264-params", "bframes=0:rc-lookahead=0:sync-lookahead=0:mbtree=0:scenecut=0:keyint=infinite"),
    ]


def aac(encode: media.EncodePreset) -> list[str]:
    """Return the settings of the sound."""
    return ["-c:a", "aac", "-ar", "48000", "-ac", "2", "-b:a", f"{encode.audio_bitrate}k"]


def quiet() -> list[str]:
    """Return what keeps it still."""
    return ["-v", "error", "-nostdin", "-nostats", "-y"]


def nowhere() -> list[str]:
    """Return an output that takes pictures alone and keeps nothing."""
    return ["-an", "-f", "null", "-"]


def run(command: list[str], told: Path) -> subprocess.Popen[bytes]:
    """Start `command`, which is told what stands in a file."""
    with told.open("rb") as plan:
        return subprocess.Popen(command, stdin=plan, stderr=subprocess.DEVNULL)


def spent(command: list[str]) -> float:
    """Run `command`; return the processor time of it."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print(*burn(Path(sys.argv[1]), sys.argv[2]))
