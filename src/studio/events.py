"""The facts that more than one room reports or reads, on one page.

Facts that cross from process to process are `Message`s: they travel as msgpack, tagged with their own name (see
`bridge`). Commands go down as calls; what stands here comes up.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import unquote_plus

import msgspec

from studio.spoken import Cue, ScriptWord, Word
from studio.units import Decibels, Lufs, Ms

LinkState = Literal["off", "connecting", "syncing", "online", "degraded", "refused"]
"""*online* needs a full snapshot and an answered probe; *refused* needs a person."""

Language = Literal["", "en"]
"""A track of subtitles: as it was said, or translated into English, which is all that Whisper can."""

OutputState = Literal["starting", "connecting", "on air", "stalled", "retrying", "refused", "done", "failed"]
"""Where the programme goes to: `on air` only while bytes are seen to arrive there. A destination is `connecting` until
it takes the first, `stalled` while it takes none, `retrying` between two attempts, and `refused` where it answered that
it does not want us: a person must look at the key, though we ask again for ever."""

InputName = Literal["main", "backup"]
"""Where an encoder streams to us."""

DestinationKind = Literal["rtmp", "srt", "hls", "file"]


class Message(msgspec.Struct, frozen=True, tag=True):
    """A fact or a wish on its way between two processes of the house."""


def without_stream(address: str) -> tuple[str, str]:
    """Return an address of SRT without its `streamid`, and that: a password may stand in it."""
    plain, _mark, query = address.partition("?")
    kept, stream = [], ""
    for word in query.split("&"):
        name, _is, value = word.partition("=")
        if name in ("streamid", "srt_streamid"):
            stream = unquote_plus(value)
        elif word:
            kept.append(word)
    return "?".join([plain, *(["&".join(kept)] if kept else [])]), stream


def shown_address(address: str) -> str:
    """Return where a destination leads as anyone may see it."""
    plain, stream = without_stream(address) if address.startswith("srt://") else (address, "")
    return f"{plain}{'&' if '?' in plain else '?'}streamid=…" if stream else address


class Destination(msgspec.Struct, frozen=True):
    """A place to send the programme to, besides the show folder."""

    name: str
    """What the house calls it; no two have the same."""
    kind: DestinationKind
    address: str
    """rtmp://, rtmps:// or srt:// without any secret; a folder (`hls`) or a file's path (`file`)."""
    secret: str = ""
    """The stream key (`rtmp`) or the passphrase (`srt`); empty for none. Goes over sockets and standard input only."""
    look_at: str = ""
    """An address where viewers would play it, for the prober; empty for none."""

    def __repr__(self) -> str:
        """Without the secret: whatever is logged may be read by many."""
        return f"Destination({self.name!r}, {self.kind!r}, {self.shown!r})"

    @property
    def shown(self) -> str:
        """The address as anyone may see it."""
        return shown_address(self.address)


# ── to the relay ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Subscribe(Message, frozen=True):
    """First word of everyone who calls the relay."""

    name: str
    """Who calls, for the log: `core`, `recogniser`."""
    sound_from: Ms | None = None
    """Send programme sound from here on the show clock (what the ring still holds), or none at all."""


class ShowCue(Message, frozen=True):
    """Burn this at its time and put it into WebVTT; a cue of a number already known replaces it if it has not aired.

    A cue without lines takes back the one of its number.
    """

    cue: Cue
    track: Language = ""
    """Empty for the words as they were said, which are burned; else a translation, which is a WebVTT rendition."""


class Heard(Message, frozen=True):
    """What the recogniser made of the sound: to the relay, which hands it on to the core."""

    settled: tuple[Word, ...]
    """Words that the fast pass will not change any more, in order, each sent once."""
    tentative: str
    """What is likely to follow; replaced by the next `Heard`."""
    at: Ms
    """When this was decided, on the show clock."""
    behind: Ms
    """How much received sound had not been listened to yet."""
    ids: tuple[int, ...] = ()
    """By which each of `settled` is called in this show, should it be corrected before it airs."""


class WordsChanged(Message, frozen=True):
    """These words of the show read otherwise now, and so does what will air: from the recogniser to everyone."""

    words: tuple[ScriptWord, ...]
    """New ones among them where the second look heard something between two words; order them by their start."""


class EditWord(Message, frozen=True):
    """A person wants a word to read otherwise, before it airs: to the recogniser."""

    request: int
    """Comes back with the answer."""
    id: int
    text: str | None
    """One word or several; empty strikes it, `None` brings back what the ears heard."""
    by: str = ""
    """Who wants it, for the journal."""


class Edited(Message, frozen=True):
    """What became of an `EditWord`: to everyone."""

    request: int
    refused: str
    """Empty where it is done, and journalled as soon as the disk takes it; else why not, in a sentence for the user."""


class CaptionsDone(Message, frozen=True):
    """Every word of the sound that ended has been sent as cues."""


class SinkReport(msgspec.Struct, frozen=True):
    """One place where captions are shown or kept."""

    name: str
    """`files`, `picture`, `webvtt`, `cea608`, `youtube`, `obs`, `hall`."""
    state: LinkState
    detail: str
    """One sentence for the user, or empty."""
    late: Ms | None
    """How long after its moment the last text came here: 0 in time, `None` before the first.

    The moment is a cue's air moment where the sink is behind the hold, the end of a word where it is not.
    """


class ListenerReport(Message, frozen=True):
    """How the recogniser is doing, about once a second: to the relay, which hands it on to the core."""

    state: LinkState
    detail: str
    """One sentence for the user, or empty."""
    words: int
    """Settled since the show began, over all restarts."""
    cues: int
    """Settled since the show began, over all restarts."""
    late_p50: Ms | None
    """Half of all words were settled within this time after they were spoken; `None` before the first word."""
    late_p95: Ms | None
    behind: Ms = Ms(0)
    """Sound that waits to be listened to."""
    skipped: Ms = Ms(0)
    """Sound that nobody had time for, since this recogniser started: `[…]` stands in its place."""
    corrected: int = 0
    """Words that the second look or a person changed before they aired, over all restarts."""
    sinks: tuple[SinkReport, ...] = ()


class Finish(Message, frozen=True):
    """Take no more programme, air what is held, close the files and leave."""


class SetHold(Message, frozen=True):
    """Let the programme wait so long between arriving and airing, 0 to 30 s, from now on."""

    hold: Ms


class AddDestination(Message, frozen=True):
    """Send the programme there, too; one of the same name is replaced."""

    destination: Destination


class RemoveDestination(Message, frozen=True):
    """Send the programme there no more."""

    name: str


class ChooseInput(Message, frozen=True):
    """Air what this encoder sends, until somebody takes it back or it is lost."""

    name: InputName | None
    """`None` takes it back: the main one airs, and the backup while that is lost."""


# ── from the relay ────────────────────────────────────────────────────────────────────────────────────────────────────


class Welcome(Message, frozen=True):
    """First word of the relay to everyone who calls."""

    epoch: int
    """The show clock's zero, in nanoseconds of the machine's monotonic clock; 0 while no frame ever arrived."""
    hold: Ms
    """How long the programme waits between arriving and airing."""
    process: int
    """The relay's process number: another one means a restarted relay, which knows no cues."""
    show: int = 0
    """Which show this is: its clock's first zero, which stays when a reboot moves `epoch`; 0: the same as `epoch`."""


class HoldChanged(Message, frozen=True):
    """The programme waits so long from now on: to everyone."""

    hold: Ms


class ClockStarted(Message, frozen=True):
    """The first frame of the show arrived; sent once, to those whose `Welcome` said 0."""

    epoch: int


class Sound(Message, frozen=True):
    """Programme sound for the recogniser: 16 kHz mono."""

    start: Ms
    """Where it begins on the show clock; a jump from the end of the last one is a gap in the programme."""
    samples: bytes
    """Signed 16-bit little-endian."""


class SoundEnded(Message, frozen=True):
    """The programme is over, or has no sound at all: no `Sound` follows."""

    silent: bool
    """The programme never had sound: captions are off."""


class OutputReport(msgspec.Struct, frozen=True):
    """One place the programme goes to."""

    name: str
    """`hls`, `recording`, later the names of destinations."""
    state: OutputState
    detail: str
    """A path, an address without secrets, or what is wrong; one sentence at most."""
    size: int
    """Bytes written or sent."""
    destination: bool = False
    """Whether it is a `Destination` rather than a part of the show folder."""
    bitrate: int = 0
    """Kilobits a second over the last seconds; destinations only, as all that follows."""
    dropped: int = 0
    """Packets that were left out because it took them too slowly."""
    restarts: int = 0
    """How often it was tried again."""


class InputReport(msgspec.Struct, frozen=True):
    """One place where an encoder may stream to us."""

    name: InputName
    state: LinkState
    detail: str
    """One sentence for the user, or empty."""
    airs: bool
    """Whether what it sends is the programme; also while it sends nothing, and none is there that does."""


class Loudness(msgspec.Struct, frozen=True):
    """How loud the programme goes out, by EBU R128; `None` where there was no sound to measure."""

    momentary: Lufs | None = None
    """Of the last 400 ms."""
    short_term: Lufs | None = None
    """Of the last three seconds."""
    integrated: Lufs | None = None
    """Of everything since this relay started; pauses do not count."""
    true_peak: Decibels | None = None
    """Highest since this relay started, between the samples too (dBTP): it may lie above 0."""
    gain: Decibels | None = None
    """What levelling adds just now; `None` where it is off."""


class Alarm(msgspec.Struct, frozen=True):
    """Something is wrong with the programme, by evidence: in each report while it lasts."""

    name: str
    """`slate` (nothing comes), `main` (nothing from the main encoder, so the backup airs), `black`, `frozen`, `silent`,
    `clipped`, `left`, `right` (that channel has no sound), `still:` and the name of an output whose files do not move,
    `unseen:` and the name of a destination that nobody can watch."""
    sentence: str
    """What to do."""
    since: Ms
    """When it was raised, on the show clock: an alarm is the same one as long as this is."""
    over: str = ""
    """What to say now that it is over; empty while it lasts. One that is gone without was not told of to its end."""


class RelayReport(Message, frozen=True):
    """How the relay is doing, twice a second."""

    source: LinkState
    """The link to whoever streams to us."""
    source_detail: str
    """One sentence for the user, or empty."""
    width: int
    """Pixels; 0 before the first frame."""
    height: int
    fps: float
    """Frames a second as measured over the last seconds; 0 before the first frame."""
    frames: int
    """Aired since this relay started."""
    on_time: int
    """Of these, aired no more than one frame's length or 100 ms (the longer) after their moment."""
    dropped: int
    """Due but never aired, since this relay started."""
    late_p95: Ms | None
    """Frames' lateness over the last ten seconds."""
    peak: Decibels | None
    """Loudest sample of the last half second, or `None` while there is no sound."""
    held: int
    """Bytes in the hold."""
    cues: int
    """Cues shown on the picture so far."""
    late_cues: int
    """Of these, those that came after their first frame had aired."""
    outputs: tuple[OutputReport, ...]
    phase: Literal["waiting", "on air", "draining", "done"]
    """`waiting` until the first frame airs; `draining` after the programme ended, while the hold airs."""
    sinks: tuple[SinkReport, ...] = ()
    """Where the relay itself shows captions: `picture`, `webvtt`, and `cea608` where it is on."""
    loudness: Loudness = Loudness()
    alarms: tuple[Alarm, ...] = ()
    slate: bool = False
    """The slate airs in place of a programme that does not come, or waits, for its hold has become longer; its pictures
    are not counted in `frames`."""
    hold: Ms = Ms(0)
    """How long the programme waits now between arriving and airing."""
    encoder: str = ""
    """What encodes the picture, by its name: `x264`, `NVIDIA NVENC` …; empty before the first frame."""
    inputs: tuple[InputReport, ...] = ()
    """Where encoders stream to us; empty where the programme is a file or a microphone."""
    chosen: InputName | None = None
    """Which of them a person wants; `None`: it goes by itself."""


class Trouble(Message, frozen=True):
    """Something a person should know, said once: from any process, handed on to the core."""

    sentence: str
    """In the user's language, says what to do."""
    ends_show: bool = False
    """The process that says so will not come back."""


# ── to the recorder of the vocal studio ───────────────────────────────────────────────────────────────────────────────


class ArmedTrack(msgspec.Struct, frozen=True):
    """One channel of the input that is written, and what it is called there."""

    channel: int
    """Of the input, counted from 1."""
    name: str
    singer: str = ""
    """Who sings into it; several are parted by commas, nobody is empty."""


class Stretch(msgspec.Struct, frozen=True):
    """A part of a song, in seconds of the song."""

    start: float
    end: float


class Backing(msgspec.Struct, frozen=True):
    """What is played to the singers while they are recorded."""

    path: str
    """Any form of sound."""
    offset: float = 0.0
    """Second of the song at which the file begins; below 0 where its beginning is left out."""
    gain: Decibels = Decibels(0.0)
    outputs: tuple[int, ...] = (1, 2)
    """Channels of the output that it is sent to, counted from 1: its first to the first of them, and so on."""


class Click(msgspec.Struct, frozen=True):
    """A metronome, and the bars that are counted in before a take."""

    tempo: float
    """Beats a minute."""
    beats: int = 4
    """In one bar."""
    count_in: int = 1
    """Bars before the take begins."""
    through: bool = False
    """Whether it goes on while the take is recorded."""
    taps: tuple[float, ...] = ()
    """Where somebody tapped the beats: seconds of the song. Where there are any, they count and not `tempo`."""
    gain: Decibels = Decibels(-12.0)
    outputs: tuple[int, ...] = (1, 2)
    """Channels of the output, counted from 1."""


class StartTake(Message, frozen=True):
    """Record from now on, or from where `backing`, `click` and `punch` let the take begin."""

    number: int
    """No take of the session has it yet."""
    tracks: tuple[ArmedTrack, ...]
    song: str = ""
    backing: Backing | None = None
    click: Click | None = None
    punch: Stretch | None = None
    """Only this part of the song is recorded; `lead` seconds before it are played."""
    loop: Stretch | None = None
    """This part is played over and over; each pass is a take of its own, numbered on from `number`."""
    lead: float = 4.0
    """Seconds that are played before `punch` or the first pass of `loop`."""
    seconds: float | None = None
    """How long the take is at most; `None`: until it is stopped."""


class StopTake(Message, frozen=True):
    """Close the take that is being recorded; nothing where there is none."""


class MeasureLatency(Message, frozen=True):
    """Send a ping through output and input, and say in `RecorderState` how long it took. Not while a take runs."""

    output: int = 1
    """Channel of the output, counted from 1."""
    input: int = 1
    """Channel of the input that hears it, counted from 1."""


class Monitor(Message, frozen=True):
    """Change how loud backing and click are from now on; `None` leaves it."""

    backing: Decibels | None = None
    click: Decibels | None = None


class FollowPitch(Message, frozen=True):
    """Say how high is sung into one microphone, in `PitchHeard`, until told otherwise."""

    channel: int | None
    """Of the input, counted from 1; `None`: say nothing of any."""
    lowest: float = 60.0
    """Hertz that this voice reaches down to: with a band in the same microphone, its bass must lie below."""
    highest: float = 1200.0
    """Hertz that it reaches up to."""


# ── from it ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class TakeStarted(Message, frozen=True):
    """The first sample of a take is being written."""

    number: int
    path: str
    """Of the file, in the session's folder: `takes/001.wav`."""
    first_frame: int
    """Of the input, counted since it was opened."""
    at: str
    """When it was heard: ISO 8601, UTC."""
    rate: int
    tracks: tuple[ArmedTrack, ...]
    backing_offset: float | None = None
    """Second of the song that is heard at the take's first sample; `None` without backing and click."""


class TakeEnded(Message, frozen=True):
    """A take is closed and on the disk."""

    number: int
    frames: int
    ended: str
    """`stopped`, `whole` where it reached its length, or one sentence that says why."""
    lost: int = 0
    """Frames that are silence, for they were lost: the sum of its `Dropout`s."""


class Dropout(Message, frozen=True):
    """Sound was lost in a take that is being recorded; silence of that length stands in its place."""

    number: int
    frame: int
    """Of the take, where it begins."""
    frames: int
    how: Literal["ring", "skip", "clock", "reopened"]
    """`ring`: this machine did not write in time; `skip`: the sound server threw sound away; both are counted exactly.
    `clock`: the sound card's time went ahead of what came, and `reopened`: the input was gone and came back; both are
    as exact as the machine's clock tells, a few milliseconds."""


class Levels(Message, frozen=True):
    """How loud each channel of the input was, 25 times a second, from its first channel to its last."""

    frame: int
    """Of the input, where the stretch began."""
    frames: int
    peak: tuple[Decibels, ...]
    """Never below -150."""
    rms: tuple[Decibels, ...]
    clipped: tuple[int, ...]
    """Samples at full scale."""
    hum: tuple[Decibels | None, ...] = ()
    """Of 50 Hz and its harmonics in the 0.48 s that end with this stretch, `None` where they do not stand out; empty in
    all others."""


class PitchHeard(Message, frozen=True):
    """How high is sung, some 60 times a second."""

    channel: int
    """Of the input, counted from 1."""
    frame: int
    """Of the input: the middle of what was heard."""
    hertz: float | None
    """`None`: nobody sings, or it cannot be told."""
    sure: float
    """How sure that somebody sings, in [0..1]."""


class RecorderState(Message, frozen=True):
    """How the recorder is doing: at once to whoever calls, when something changes, and each second."""

    input: LinkState
    device: str
    """The input's name as the system knows it; empty while there is none."""
    rate: int
    channels: int
    take: int | None
    """Number of the one that is being recorded."""
    frames: int
    """Of that take, so far."""
    disk_seconds: float | None
    """How long the disk lasts at what is recorded, or at all channels between takes; `None` where it cannot be told."""
    output: LinkState = "off"
    latency: float | None = None
    """Frames from writing to hearing; `None`: not measured since the streams were opened."""
    spread: float | None = None
    """Frames between the smallest and the largest of the pings."""
    detail: str = ""
    """One sentence for the user, or empty."""


AnyMessage = (
    Subscribe
    | ShowCue
    | Heard
    | WordsChanged
    | EditWord
    | Edited
    | CaptionsDone
    | ListenerReport
    | Finish
    | SetHold
    | AddDestination
    | RemoveDestination
    | ChooseInput
    | Welcome
    | HoldChanged
    | ClockStarted
    | Sound
    | SoundEnded
    | RelayReport
    | Trouble
    | StartTake
    | StopTake
    | MeasureLatency
    | Monitor
    | FollowPitch
    | TakeStarted
    | TakeEnded
    | Dropout
    | Levels
    | PitchHeard
    | RecorderState
)


# ── inside the core ───────────────────────────────────────────────────────────────────────────────────────────────────


class LinkChanged(msgspec.Struct, frozen=True):
    """A link to a device or a child process went to another state."""

    name: str
    """`obs`, `relay`, `recogniser`, or the device's name in `studio.toml`."""
    state: LinkState
    detail: str
    """One sentence for the user, or empty."""


class SceneTaken(msgspec.Struct, frozen=True):
    """OBS reported another programme scene."""

    scene: str


class PadPressed(msgspec.Struct, frozen=True):
    """A named control of a surface was pressed."""

    surface: str
    control: str


class PadReleased(msgspec.Struct, frozen=True):
    """It was let go."""

    surface: str
    control: str
    seconds: float
    """How long it was held."""


class FaderMoved(msgspec.Struct, frozen=True):
    """A hand moved a fader or a knob with ends, and what it moves shall follow: take-over is done with already."""

    surface: str
    control: str
    position: float
    """In [0..1]."""


class FaderTouched(msgspec.Struct, frozen=True):
    """A hand was laid on a fader that feels it, or taken off."""

    surface: str
    control: str
    touched: bool


class EncoderTurned(msgspec.Struct, frozen=True):
    """An endless knob was turned."""

    surface: str
    control: str
    steps: int
    """Clockwise is above 0."""
