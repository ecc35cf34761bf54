"""What `[[destinations]]` and `presets/destinations/` come to."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from studio.catalogue import Catalogue
from studio.errors import DrawerError, SecretError, ShowError
from studio.events import Destination
from studio.media import EncodePreset
from studio.show import Outlet, check, chosen, load_outlets
from studio.show._destinations import Service, advice
from studio.venue import Venue, read

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "abcd-efgh-hunter2"  # noqa: S105 - it opens nothing
YOUTUBE = '[[destinations]]\nname = "YouTube"\npreset = "youtube"\nkey_env = "TEST_YOUTUBE_KEY"\n'


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEST_YOUTUBE_KEY", SECRET)
    return tmp_path / "studio.toml"


def venue_of(file: Path, text: str) -> Venue:
    file.write_text(dedent(text), "utf-8")
    return read(file)


def outlets(file: Path, text: str) -> tuple[Outlet, ...]:
    return load_outlets(venue_of(file, text), Catalogue(file.parent))


def test_each_kind_of_place(file: Path) -> None:
    key = file.parent / "srt.key"
    key.write_text("a long passphrase")
    key.chmod(0o600)
    found = outlets(
        file,
        YOUTUBE
        + """\
        [[destinations]]
        name = "Hall next door"
        address = "srt://10.0.0.9:9000?streamid=hall"
        key_file = "srt.key"
        on = false
        [[destinations]]
        name = "Our server"
        preset = "rtmp"
        address = "rtmp://10.0.0.8/live/hall"
        look_at = "http://10.0.0.8/hls/hall.m3u8"
        [[destinations]]
        name = "Second disk"
        preset = "file"
        address = "backup/{show}.ts"
        [[destinations]]
        name = "Web"
        preset = "hls-folder"
        address = "/srv/web/hall"
        look_at = "https://example.org/{show}/master.m3u8"
        """,
    )
    assert [outlet.destination() for outlet in found] == [
        Destination("YouTube", "rtmp", "rtmps://a.rtmps.youtube.com:443/live2", SECRET),
        Destination("Hall next door", "srt", "srt://10.0.0.9:9000?streamid=hall", "a long passphrase"),
        Destination("Our server", "rtmp", "rtmp://10.0.0.8/live/hall", "", "http://10.0.0.8/hls/hall.m3u8"),
        Destination("Second disk", "file", f"{file.parent}/backup/{{show}}.ts"),
        Destination("Web", "hls", "/srv/web/hall", "", "https://example.org/{show}/master.m3u8"),
    ]
    assert found[3].of("2026-11-22_200000").address == f"{file.parent}/backup/2026-11-22_200000.ts"
    assert found[0].of("x") == found[0]
    assert found[4].of("Wieczór 1").look_at == "https://example.org/Wiecz%C3%B3r%201/master.m3u8"
    assert [outlet.name for outlet in chosen(found, ())] == ["YouTube", "Our server", "Second disk", "Web"]
    assert [outlet.name for outlet in chosen(found, ("Web", "Hall next door"))] == ["Hall next door", "Web"]
    assert chosen(found, ("none",)) == ()
    with pytest.raises(ShowError, match=r'no destination "Yutube" in studio.toml; did you mean "YouTube"'):
        chosen(found, ("Yutube",))
    with pytest.raises(ShowError, match="sends nowhere"):
        chosen(found, ("none", "Web"))


def test_no_secret_is_shown(file: Path) -> None:
    (outlet,) = outlets(file, YOUTUBE)
    assert SECRET not in repr(outlet)
    assert SECRET not in repr(outlet.destination())
    assert outlet.key.shown == "environment variable TEST_YOUTUBE_KEY"


DISK = '[[destinations]]\nname = "Disk"\npreset = "file"\naddress = "a.ts"\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (YOUTUBE + YOUTUBE, 'line 6: the name "YouTube" is taken already, on line 2'),
        (YOUTUBE.replace("youtube", "yutube"), 'line 3: there is no "yutube" in presets/destinations; did you mean'),
        (YOUTUBE.replace("key_env", "# key_env"), 'line 2: "YouTube" needs a stream key; say with "key_env"'),
        (
            YOUTUBE + f'address = "rtmps://b.rtmps.youtube.com/live2/{SECRET}"',
            'line 5: "address" seems to hold the stream key, which does not belong in this file; end it with /live2',
        ),
        (YOUTUBE + 'address = "srt://a:1"', 'line 5: "address" must begin with rtmp:// / rtmps://, as the preset'),
        (DISK + 'key_env = "A"', 'line 5: "key_env" is not needed here'),
        (DISK.replace('"a.ts"', '"rtmp://a/b"'), 'line 4: "address" must be a path here'),
        (DISK.replace('preset = "file"\n', ""), "line 3: a path needs a preset, too"),
        (DISK.replace('address = "a.ts"\n', ""), 'line 3: "address" is missing; the preset "file" leaves it'),
        ('[[destinations]]\nname = "a"', 'line 2: the destination "a" needs a "preset" or an "address"'),
        ('[[destinations]]\naddress = "rtmp://a/b"', 'line 1: "name" is missing'),
        ('[[destinations]]\nname = " "\naddress = "rtmp://a/b"', 'line 2: "name" must be a few letters'),
        ('[[destinations]]\nname = "HLS"\naddress = "rtmp://a/b"', 'line 2: "name" cannot be "HLS"; the house itself'),
        ('[[destinations]]\nname = "a"\naddress = "http://a/b"', 'line 3: "address" must be like rtmp://'),
        ('[[destinations]]\nname = "a"\naddress = "rtmp://a/b c"', 'line 3: "address" must be like rtmp://'),
        ('[[destinations]]\nname = "a"\naddress = "rtmp://a"', 'line 3: "address" needs a name after the host'),
        ('[[destinations]]\nname = "a"\naddress = "srt://a"', 'line 3: "address" needs a port'),
        (YOUTUBE + 'key_file = "a"', 'line 4: only one of "key_env", "key_file" and "keyring"'),
        (YOUTUBE + 'look_at = "a.m3u8"', 'line 5: "look_at" must be an address such as https://'),
        ('[[destinations]]\nname = "a"\naddress = "rtmp://a/b"\nkeyring = "-x"', 'line 4: "keyring" must be a name'),
    ],
)
def test_one_sentence_for_each_mistake(file: Path, text: str, sentence: str) -> None:
    with pytest.raises(DrawerError) as caught:
        outlets(file, text)
    assert sentence in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"[[destinations]]\nname = 'a'\nkey = '{SECRET}'", 3),
        (f"[[destinations]]\nname = 'a'\nstream_key = '{SECRET}'", 3),
        (f"[[destinations]]\nname = 'a'\naddress = 'srt://a:1?passphrase={SECRET}'", 3),
        (f"[[destinations]]\nname = 'a'\naddress = 'srt://a:1?streamid=#!::r=a,key={SECRET}'", 3),
        (f"[[destinations]]\nname = 'a'\naddress = 'rtmp://me:{SECRET}@a/b'", 3),
        (f"[[destinations]]\nname = 'a'\naddress = 'rtmp://a/b?auth={SECRET}'", 3),
        (f"[[destinations]]\nname = 'a'\npreset = 'youtube'\nkey_env = '{SECRET}'", 4),
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(file: Path, text: str, line: int) -> None:
    with pytest.raises(DrawerError) as caught:
        outlets(file, text)
    assert caught.value.line == line
    assert SECRET not in str(caught.value)
    assert "key_env" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "secret", "sentence"),
    [
        ("srt", "short", "must have 10 to 79 letters; correct what stands in environment variable TEST_KEY"),
        ("srt", "x" * 80, "must have 10 to 79 letters"),
        ("rtmp", "abc def", "has a space in it; correct what stands in environment variable TEST_KEY"),
    ],
)
def test_a_key_that_cannot_be_one(
    file: Path, monkeypatch: pytest.MonkeyPatch, kind: str, secret: str, sentence: str
) -> None:
    monkeypatch.setenv("TEST_KEY", secret)
    (outlet,) = outlets(file, f'[[destinations]]\nname = "a"\naddress = "{kind}://a:1/b"\nkey_env = "TEST_KEY"')
    with pytest.raises(SecretError) as caught:
        outlet.destination()
    assert sentence in str(caught.value)
    assert secret not in str(caught.value)


@dataclass(frozen=True, slots=True)
class Encoding:
    height: int = 720
    keyframe_seconds: float = 2.0
    video_bitrate: int = 3000
    audio_bitrate: int = 128


def test_advice_is_given_where_the_encoding_is_not_liked() -> None:
    service = Service("rtmp", keyframe_most=4, video_most={720: 4000, 1080: 6000}, audio_most=160, source="https://a/b")
    assert list(advice(service, Encoding())) == []
    assert list(advice(service, Encoding(1080, 4.0, 6000, 160))) == []
    assert list(advice(service, Encoding(0, 2.0, 6000))) == []
    assert list(advice(service, Encoding(720, 5.0, 4500, 192))) == [
        'it takes a key frame at least every 4 s, but "encode" makes one every 5.0 s (https://a/b)',
        'it takes at most 4000 kb/s of picture, but "encode" makes up to 4500 kb/s (https://a/b)',
        'it takes at most 160 kb/s of sound, but "encode" makes 192 kb/s (https://a/b)',
    ]
    assert list(advice(Service("srt"), Encoding(2160, 10, 50_000, 320))) == []


@pytest.mark.parametrize("preset", ["youtube", "facebook", "twitch"])
@pytest.mark.parametrize("encode", ["hall-720p", "hall-1080p", "demo-360p"])
def test_every_service_likes_every_shipped_encoding(preset: str, encode: str) -> None:
    service = Catalogue().load("presets/destinations", preset, Service)
    assert list(advice(service, Catalogue().load("presets/encode", encode, EncodePreset))) == []
    assert service.key == "needed"
    assert service.source


def test_the_check_finds_what_a_show_would_stumble_over(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_YOUTUBE_KEY")
    others = YOUTUBE.replace('"YouTube"', '"Again"') + (
        '[[destinations]]\nname = "FB"\npreset = "facebook"\nkey_file = "fb.key"\n'
        '[show]\nencode = "big"\n[[destinations]]\nname = "Disk"\npreset = "file"\n'
    )
    key = file.parent / "fb.key"
    key.write_text(SECRET)
    key.chmod(0o644)
    (file.parent / "presets" / "encode").mkdir(parents=True)
    (file.parent / "presets" / "encode" / "big.yaml").write_text("based_on: hall-1080p\nvideo_bitrate: 9000\n")
    venue = venue_of(file, YOUTUBE + others)
    found = check(venue, Catalogue(file.parent), {"presets/encode": EncodePreset})
    told = [(str(each).removeprefix(f"{file} "), each.serious) for each in found if "destinations" not in str(each)]
    empty = "The environment variable TEST_YOUTUBE_KEY is empty; put the key into it before you start studio."
    likes = (
        'it takes at most 6000 kb/s of picture, but "encode" makes up to 9000 kb/s '
        "(https://developers.facebook.com/docs/live-video-api/reference)"
    )
    assert told == [
        ('line 17: "address" is missing; the preset "file" leaves it to studio.toml to say where to', True),
        (f"line 4: {empty}", False),
        ('line 6: "YouTube" goes to the same place with the same key; leave out one of them', True),
        (f"line 8: {empty}", False),
        (f"line 12: The key file {key} may be read by others; run: chown $USER {key} && chmod 600 {key}", True),
        (f"line 10: {likes}", False),
    ]
    assert SECRET not in str(told)
