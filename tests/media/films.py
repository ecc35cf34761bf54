"""Films as they lie in cupboards, made within a second each: whole, odd and broken."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ODD_NAME = "Zażółć „gęślą” jaźń\n'ir ąžuolo' \"lapas\" %d; $HOME.mkv"
"""What a file may be called: Polish and Lithuanian letters, quotes, a new line, and what shells and FFmpeg read."""
BEEP = "aevalsrc='0.4*sin(2*PI*{pitch}*t)*lt(mod(t,1),0.2)':d={seconds}:s={rate}"
"""A fifth of a second at each whole second of its track."""


def ffmpeg(*arguments: str | Path, **more: Path) -> None:
    """Run it to its end."""
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)],
        check=True,
        timeout=60,
        **more,  # type: ignore[call-overload]
    )


def beeps(seconds: float = 4, *, pitch: float = 440, rate: int = 48_000) -> list[str]:
    """An input that beeps at each whole second."""
    return ["-f", "lavfi", "-i", BEEP.format(pitch=pitch, seconds=seconds, rate=rate)]


def bars(seconds: float = 4, *, size: str = "160x90", rate: float = 25) -> list[str]:
    """An input with a picture that moves."""
    return ["-f", "lavfi", "-i", f"testsrc=s={size}:r={rate}:d={seconds}"]


QUICK = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p")


def whole(path: Path, seconds: float = 4, sound: Sequence[str] = ("-c:a", "aac")) -> Path:
    """A film as it should be: H.264, beeps, a title, two chapters."""
    notes = path.with_name("chapters.ffmeta")
    half = round(seconds * 500)
    notes.write_text(
        ";FFMETADATA1\ntitle=Ąžuolas\n"
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND={half}\ntitle=Początek\n"
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={half}\nEND={half * 2}\ntitle=Pabaiga\n",
        "utf-8",
    )
    ffmpeg(*bars(seconds), *beeps(seconds), "-f", "ffmetadata", "-i", notes, "-map_metadata", "2", *QUICK, *sound, path)
    return path


def no_sound(path: Path) -> Path:
    """Only a picture."""
    ffmpeg(*bars(2), *QUICK, path)
    return path


def no_media(path: Path) -> Path:
    """A text that is called a film."""
    path.write_text("To nie jest film.\n" * 500, "utf-8")
    return path


def without_index(path: Path) -> Path:
    """An MP4 whose second half, and with it its index, was never copied."""
    whole(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def truncated(path: Path, seconds: float = 12) -> Path:
    """An MP4 with its index in front, or a Matroska file, of which half is there."""
    ffmpeg(*bars(seconds), *beeps(seconds), *QUICK, "-c:a", "aac", "-movflags", "+faststart", path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def corrupt(path: Path, seconds: float = 6) -> Path:
    """A film of which a piece in the middle is noise: in Matroska, with sound that does not bear it."""
    ffmpeg(*bars(seconds), *beeps(seconds), *QUICK, "-c:a", "flac", path)
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        places = [
            (packet.pos, packet.size)
            for packet in container.demux(container.streams.audio[0])
            if packet.pts is not None and packet.pos and 2 <= packet.pts * packet.time_base < 3
        ]
    for place, size in places:
        data[place + 12 : place + size] = bytes(size - 12)
    path.write_bytes(data)
    return path


def unsteady(path: Path) -> Path:
    """A film whose pictures come every 40 ms for two seconds, then every 100 ms: a variable frame rate."""
    ffmpeg(
        *bars(2), *bars(2, rate=10), *beeps(4),
        "-filter_complex", "[0:v]settb=1/1000[a];[1:v]settb=1/1000[b];[a][b]concat=n=2:v=1:unsafe=1[v]",
        "-map", "[v]", "-map", "2:a", "-fps_mode", "vfr", "-enc_time_base", "1/1000", *QUICK, "-c:a", "aac", path,
    )  # fmt: skip
    return path


def twelve_tracks(path: Path) -> Path:
    """Each track beeps 50 Hz above the one before; the fifth is Polish and surround, the sixth a commentary on it."""
    inputs, maps = [], []
    for number in range(12):
        inputs += beeps(2, pitch=300 + 50 * number)
        maps += ["-map", f"{number + 1}:a" if number + 1 != 5 else "[surround]"]
    ffmpeg(
        *bars(2), *inputs, "-filter_complex", "[5:a]pan=5.1|FC=c0[surround]", "-map", "0:v", *maps,
        "-metadata:s:a:0", "language=eng", "-disposition:a:0", "default",
        "-metadata:s:a:4", "language=pol",
        "-metadata:s:a:5", "language=pol", "-metadata:s:a:5", "title=Komentarz reżysera",
        *QUICK, "-c:a", "ac3", path,
    )  # fmt: skip
    return path


def delayed(path: Path, by: float = 1.5) -> Path:
    """A film whose sound track begins later than its picture: its first beep is heard at `by`."""
    ffmpeg(*bars(5), "-itsoffset", str(by), *beeps(3), "-map", "0:v", "-map", "1:a", *QUICK, "-c:a", "aac", path)
    return path


def with_bitmaps(path: Path) -> Path:
    """A Matroska film whose only subtitles are pictures of letters, as DVDs have them."""
    plain = path.with_name("plain.mkv")
    ffmpeg(*bars(2), *beeps(2), *QUICK, "-c:a", "aac", plain)
    with av.open(str(plain)) as source, av.open(str(path), "w", "matroska") as out:
        streams = [out.add_stream_from_template(stream) for stream in source.streams]
        out.add_mux_stream("dvd_subtitle").metadata["language"] = "lit"
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    plain.unlink()
    return path
