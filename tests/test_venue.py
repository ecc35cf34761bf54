from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from studio.app import check_everything
from studio.catalogue import Catalogue
from studio.errors import DrawerError
from studio.venue import CameraSettings, DeviceSettings, ShowSettings, Venue, find, read


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "studio.toml"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's house: an empty folder to stand in, and an empty one of the user's."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    return here


def said_of(file: Path, text: str) -> Venue:
    file.write_text(dedent(text), "utf-8")
    return read(file)


def test_without_a_file_everything_is_as_shipped() -> None:
    assert read(None) == Venue()
    assert find() is None
    assert Venue().folder is None
    assert Venue().place("show", "style").shown == "studio.toml"


def test_an_empty_file_says_nothing(file: Path) -> None:
    venue = said_of(file, "")
    assert (venue.file, venue.folder) == (file, file.parent)
    assert venue.show == ShowSettings()


def test_everything_it_may_say(file: Path) -> None:
    venue = said_of(
        file,
        """\
        name = "Kultūros namai"
        language = "lt"
        interface = "en"
        [show]
        title = "Vakaras"
        input = "films/talk.mp4"
        out = "shows"
        scenes = "talk"
        style = "large"
        encode = "hall-1080p"
        hold = 8
        listen = "srt://127.0.0.1:9000"
        [obs]
        use = "start"
        port = 4456
        password_env = "OBS_PASSWORD"
        [web]
        port = 80
        [captions]
        on = false
        threads = 4
        [[devices]]
        name = "pad"
        hardware = "akai-apc-mini"
        bind = { pad1 = "take:Talk", password = "stop" }
        [[devices]]
        name = "desk"
        hardware = "behringer-x32"
        host = "10.0.0.5"
        port = 10023
        [[cameras]]
        name = "main"
        url = "rtsp://10.0.0.31/stream1"
        [[cameras]]
        name = "hall"
        device = "/dev/video0"
        """,
    )
    assert (venue.name, venue.language, venue.interface) == ("Kultūros namai", "lt", "en")
    assert venue.show.input == str(file.parent / "films/talk.mp4")
    assert venue.show.out == file.parent / "shows"
    assert venue.show.hold == 8.0
    assert venue.devices == (
        DeviceSettings("pad", "akai-apc-mini", bind={"pad1": "take:Talk", "password": "stop"}),
        DeviceSettings("desk", "behringer-x32", host="10.0.0.5", port=10023),
    )
    assert venue.cameras == (
        CameraSettings("main", url="rtsp://10.0.0.31/stream1"),
        CameraSettings("hall", device=Path("/dev/video0")),
    )
    assert venue.place("devices", 1, "port").line == 30
    assert venue.place("devices", 0, "bind", "pad1").line == 25
    assert venue.place("show").line == 4


def test_here_comes_before_the_users_folder(tmp_path: Path, elsewhere: Path) -> None:
    home = tmp_path / "home" / "studio.toml"
    home.parent.mkdir()
    home.write_text('name = "home"')
    assert read(None).name == "home"
    (elsewhere / "studio.toml").write_text('name = "here"')
    venue = read(None)
    assert (venue.name, str(venue.place("name").shown)) == ("here", "studio.toml")
    assert read(home).name == "home"


def test_a_user_whose_folder_is_this_one(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('name = "a"')
    monkeypatch.setenv("STUDIO_HOME", str(file.parent))
    assert read(None).folder == file.parent


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('nmae = "a"', 'line 1: "nmae" is not known here; did you mean "name"?'),
        ('\n[shwo]\ntitle = "a"', 'line 2: "shwo" is not known here; did you mean "show"?'),
        ("[show]\nhold = 30.5", 'line 2: "hold" must be from 0 to 30, not "30.5"'),
        ("[show]\nhold = -1", 'line 2: "hold" must be from 0 to 30, not "-1"'),
        ("[show]\nhold = nan", 'line 2: "hold" must be from 0 to 30, not "nan"'),
        ("[show]\ntitle = 5", 'line 2: "title" must be text (in quotes where it looks like a number), not "5"'),
        ('[show]\nlisten = "http://127.0.0.1:80/x"', 'line 2: "listen" must be like rtmp://127.0.0.1:1935/live'),
        ('[show]\nlisten = "rtmp://127.0.0.1/live"', 'line 2: "listen" must be like rtmp://'),
        ('[show]\nlisten = "rtmp://127.0.0.1:99999/live"', 'line 2: "listen" must be like rtmp://'),
        ('[show]\nlisten = "rtmp://[::1/live"', 'line 2: "listen" must be like rtmp://'),
        ('[show]\nlisten = "rtmp://127.0.0.1:1935"', 'line 2: "listen" needs a name after the port'),
        ('[show]\nbackup = "rtmp://127.0.0.1:1936"', 'line 2: "backup" needs a name after the port'),
        ('[show]\nbackup = "rtmp://127.0.0.1:1935/b/b"', 'line 2: "backup" must have another port than "listen"'),
        ('[obs]\nuse = "strat"', 'line 2: "use" cannot be "strat"; did you mean "start"?'),
        ("[obs]\nport = 0", 'line 2: "port" must be from 1 to 65535, not "0"'),
        ("[captions]\nthreads = 0", 'line 2: "threads" must be from 1 to 64, not "0"'),
        ('[captions]\non = "yes"', 'line 2: "on" must be true or false, not "yes"'),
        ('[[devices]]\nname = "pad"', 'line 1: "hardware" is missing'),
        ('[devices]\nname = "pad"', 'line 1: "devices" must be a list, not a group of lines'),
        ('[[cameras]]\nname = "a"', 'line 2: the camera "a" needs one of "url" and "device"'),
        ('[[cameras]]\nname = "a"\nurl = "rtsp://a:b/"', 'line 3: "url" must be an address such as rtsp://'),
        ('[[cameras]]\nname = "a"\nurl = "camera"', 'line 3: "url" must be an address such as rtsp://'),
        ("name = ", "line 1: this is not TOML: "),
        ('name = "a"\nname = "b"', "line 2: this is not TOML: "),
        ('name = """\n\n', "this is not TOML: "),
        ('language = "de"', 'line 1: "language" cannot be "de"; known here: pl, lt, en, auto'),
    ],
)
def test_one_sentence_for_each_mistake(file: Path, text: str, sentence: str) -> None:
    with pytest.raises(DrawerError) as caught:
        said_of(file, text)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.file == file
    assert caught.value.exit_code == 2


def test_all_mistakes_come_at_once(file: Path) -> None:
    with pytest.raises(DrawerError) as caught:
        said_of(file, 'nmae = "a"\n[show]\nhold = 31\ntitel = "b"\n[[devices]]\nname = 3\n')
    assert [problem.line for problem in caught.value.all()] == [1, 3, 4, 6, 5]


SECRET = "hunter2!"  # noqa: S105 - it opens nothing


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[obs]\npassword = '{0}'", '"password" does not belong in this file; put it into the environment variable '),
        ("[obs]\npassword_env = '{0}'", '"password_env" must be the name of an environment variable'),
        ("[show]\nstream_key = '{0}'", '"stream_key" does not belong in this file; passwords and stream keys'),
        ("[show]\nkey = '{0}'", '"key" does not belong in this file'),
        ("[[devices]]\nname = 'a'\nhardware = 'b'\ntoken = '{0}'", '"token" does not belong in this file'),
        ("[show]\nlisten = 'srt://127.0.0.1:9000?passphrase={0}'", '"listen" holds a password'),
        ("[show]\nbackup = 'srt://127.0.0.1:9001?passphrase={0}'", '"backup" holds a password'),
        ("[show]\nlisten = 'rtmp://user:{0}@127.0.0.1:1935/live'", '"listen" holds a password'),
        ("[[cameras]]\nname = 'a'\nurl = 'rtsp://admin:{0}@10.0.0.3/s'", '"url" holds a password'),
    ],
)
def test_a_secret_is_refused_and_not_repeated(file: Path, text: str, sentence: str) -> None:
    with pytest.raises(DrawerError) as caught:
        said_of(file, text.format(SECRET))
    assert sentence in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.line is not None


def test_the_variable_that_obs_is_asked_for_is_named(file: Path) -> None:
    with pytest.raises(DrawerError, match=r"environment variable STUDIO_OBS_PASSWORD$"):
        said_of(file, "[obs]\npassword = 'x'")
    with pytest.raises(DrawerError, match=r"environment variable HALL_OBS$"):
        said_of(file, "[obs]\npassword_env = 'HALL_OBS'\npassword = 'x'")


def test_a_file_that_is_not_there(file: Path) -> None:
    with pytest.raises(DrawerError, match="there is no such file"):
        read(file)
    file.mkdir()
    with pytest.raises(DrawerError, match="this is a folder"):
        read(file)


def test_the_example_is_right_and_tells_the_defaults(root: Path) -> None:
    venue = read(root / "docs" / "studio.example.toml")
    plain = Venue()
    assert (venue.obs, venue.web, venue.captions) == (plain.obs, plain.web, plain.captions)
    assert replace(venue.show, title=plain.show.title) == plain.show
    assert venue.cameras == plain.cameras


def test_what_the_example_comments_out_is_right_too(root: Path, file: Path) -> None:
    text = (root / "docs" / "studio.example.toml").read_text(encoding="utf-8")
    before, cameras, after = text.replace("# scenes =", "scenes =").partition("# [[cameras]]")
    file.write_text(before + re.sub(r"(?m)^# (?!ptz)", "", cameras + after), encoding="utf-8")
    venue = read(file)
    assert [camera.name for camera in venue.cameras] == ["main", "hall"]
    assert venue.show.scenes in Catalogue().names("scenes")


def test_every_shipped_file_is_what_its_room_reads(root: Path) -> None:
    assert check_everything(root / "docs" / "studio.example.toml") == []
