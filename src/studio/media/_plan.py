"""What the relay is told before it starts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from studio.events import Destination
from studio.language import _
from studio.subtitles import Style
from studio.units import Ms
from studio.wire.obs import Collection

LONGEST_HOLD = Ms(30_000)
"""More would make talking to the hall about what it sees impossible."""
Form: TypeAlias = Literal["mp4", "mkv"]
"""What a whole recording is."""
DeliveryForm: TypeAlias = Literal["wav", "flac", "mp3"]
"""What leaves the vocal studio."""
X264_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
"""From the least work to the most, as x264 names them."""


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(
            _("{name} is {value}; it must lie between {least} and {most}").format(
                name=name, value=value, least=least, most=most
            )
        )


@dataclass(frozen=True, slots=True)
class SmallPicture:
    """A second picture in HLS, for weak connections."""

    height: int = 360
    """Rows; never more than the big picture has. Its width follows."""
    video_bitrate: int = 600
    """Kilobits a second at most."""
    fps: float = 0
    """Most frames a second. 0: as the big picture."""

    def __post_init__(self) -> None:
        _within("small.height", self.height, 90, 2160)
        _within("small.video_bitrate", self.video_bitrate, 50, 20_000)
        _within("small.fps", self.fps, 0, 120)


@dataclass(frozen=True, slots=True)
class EncodePreset:
    """How the programme is encoded: a file of the drawer `presets/encode`."""

    width: int = 0
    """Widest picture in pixels; a wider one is made smaller, none is made larger. 0: as the source."""
    height: int = 0
    """Highest picture in pixels, likewise."""
    fps: float = 0
    """Most frames a second; a source with more loses some. 0: as the source."""
    video_bitrate: int = 3000
    """Kilobits a second at most, kept within every `buffer_seconds`; an easy picture takes less."""
    quality: float = 21.0
    """x264's rate factor: what an easy picture looks like. 18 is very good, 28 is poor; 6 less takes twice the bits."""
    buffer_seconds: float = 2.0
    """Over which stretch `video_bitrate` is kept."""
    copy: bool = False
    """Whether the picture goes out as the encoder sends it, where nothing has to be drawn on it: without captions, of
    H.264 in 8 bits and 4:2:0 with a key frame for every segment. Size, rate and bits are then the encoder's; what
    stands above and below holds for the slate, and for a picture that cannot be copied."""
    encoder: Literal["auto", "x264", "nvenc", "qsv", "vaapi", "videotoolbox"] = "x264"
    """What encodes. `auto`: the first of the graphics units' encoders that works here, else x264, as it is where a
    named one does not work."""
    preset: str = "veryfast"
    """How hard x264 tries, by its own name."""
    threads: int = 0
    """Of the encoder; each but the first delays the picture by one frame. 0: one for each core, four at most."""
    keyframe_seconds: float = 2.0
    """From one keyframe to the next: where players and HLS segments may begin."""
    audio_bitrate: int = 128
    """Kilobits a second of AAC, 48 kHz stereo."""
    segment_seconds: float = 2.0
    """Length of an HLS segment; a multiple of `keyframe_seconds`."""
    playlist_segments: int = 60
    """How many segments the HLS playlist goes back. 0: to the show's beginning, nothing is removed."""
    segment_type: Literal["ts", "fmp4"] = "ts"
    """What HLS segments are: MPEG-TS, which every player takes, or fragmented MP4."""
    small: SmallPicture | None = None
    """A second, smaller picture in HLS, which x264 encodes; nothing is copied then. `None`: there is none."""

    def __post_init__(self) -> None:
        _within("width", self.width, 0, 7680)
        _within("height", self.height, 0, 4320)
        _within("fps", self.fps, 0, 120)
        _within("video_bitrate", self.video_bitrate, 50, 100_000)
        _within("quality", self.quality, 10, 40)
        _within("buffer_seconds", self.buffer_seconds, 0.2, 10)
        _within("threads", self.threads, 0, 64)
        _within("keyframe_seconds", self.keyframe_seconds, 0.5, 10)
        _within("audio_bitrate", self.audio_bitrate, 32, 512)
        _within("segment_seconds", self.segment_seconds, 1, 20)
        _within("playlist_segments", self.playlist_segments, 0, 100_000)
        if 0 < self.playlist_segments < 4:  # noqa: PLR2004 - a player holds three segments (RFC 8216, 6.3.3)
            raise ValueError(_("playlist_segments is below 4; players need more to go on without a break"))
        if self.preset not in X264_PRESETS:
            raise ValueError(
                _("preset is {name}; x264 knows {known}").format(name=self.preset, known=", ".join(X264_PRESETS))
            )
        if self.small is not None and self.small.video_bitrate >= self.video_bitrate:
            raise ValueError(_("small.video_bitrate is not below video_bitrate; the small picture is for weak lines"))
        if self.segment_seconds < self.keyframe_seconds:
            raise ValueError(_("segment_seconds is shorter than keyframe_seconds; a segment begins with a keyframe"))

    def target_seconds(self, fps: float = 0) -> int:
        """What HLS promises, once for all: rounded, no segment is longer (RFC 8216, 4.3.3.1).

        A segment ends with the first keyframe that is due, and that is the first picture that is; `fps` 0: at once.
        """
        longest = math.ceil(self.segment_seconds / self.keyframe_seconds - 1e-6) * self.keyframe_seconds
        return math.floor(longest + (1 / fps if fps else 0) + 0.5)


class RelayPlan(msgspec.Struct, frozen=True):
    """Everything the relay needs to know; it travels to its standard input as JSON."""

    folder: Path
    """The show folder. A show that was cut off there goes on."""
    socket: Path
    """Where the relay answers."""
    input: str
    """`file:PATH`, `mic`, `mic:DEVICE`, `listen:rtmp://…` or `listen:srt://…`."""
    hold: Ms
    """How long the programme waits between arriving and airing."""
    encode: EncodePreset
    style: Style
    title: str
    """What stands on the card where the programme has no picture."""
    captions: bool
    """Whether there is a WebVTT rendition."""
    language: str
    """Of the captions, as a code; `auto` where it is not known."""
    interface: str
    """Language of the relay's own sentences."""
    seconds: float | None = None
    """The programme ends after so long on the show clock; `None`: when its source ends or somebody says so."""
    cea608: bool = False
    """Whether the pictures carry closed captions in their own data, too."""
    translate: bool = False
    """Whether there is a second WebVTT rendition, in English."""
    destinations: tuple[Destination, ...] = ()
    """Where the programme goes besides the show folder."""
    slate: Collection | None = None
    """Its first scene airs in place of an encoder that gives nothing: what is drawn of it stands still (`colour`,
    `image`, `text`). `None`: the card does."""
    slate_from_start: bool = False
    """Whether the show begins with the slate, before an encoder comes: of `listen:` only."""
    level: float | None = None
    """LUFS that the programme is brought to while it airs; `None`: it airs as loud as it came."""
    lip_sync: Ms = Ms(0)
    """How much later than it came the sound airs with its picture; below 0 earlier, by no more than the hold."""
    backup: str = ""
    """Where a second encoder may stream to, `rtmp://…` or `srt://…`, beside `listen:`; empty: nowhere."""
    backup_return: bool = True
    """Whether the main encoder airs again by itself when it has been back for a while."""
    clean: bool = True
    """Whether what an encoder sends is kept as it came, beside what aired. If not, so much of it as the hold needs when
    the relay is killed."""
    patience: float = 15.0
    """Seconds for which the air or the source may hang before the relay ends, to be started again. Where all is well, a
    turn takes 0.3 s at the most; a disk that slept needs ten to answer, and its alarm comes before us."""
    form: Form = "mp4"
    """Of the recordings, once they are whole."""
    part_seconds: float = 600.0
    """How long one part of a recording is until a show is over."""

    @property
    def instant(self) -> Path:
        """Where the relay passes on what arrives, without the hold (`instant.Instant`)."""
        return self.socket.with_name("instant.sock")

    def to_json(self) -> bytes:
        """Return what the relay reads on its standard input."""
        return msgspec.json.encode(self, enc_hook=_path_out)

    @classmethod
    def from_json(cls, data: bytes) -> RelayPlan:
        """Read what `to_json` wrote. Raises msgspec.MsgspecError."""
        return msgspec.json.decode(data, type=cls, dec_hook=_path_in)


def _path_out(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError


def _path_in(kind: type, value: object) -> Path:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError
