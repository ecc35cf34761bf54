from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from studio.catalogue import Catalogue
from studio.errors import DrawerError
from studio.show import load_scenes, load_slate
from studio.venue import CameraSettings, ShowSettings, Venue
from studio.wire.obs import Box, Collection, Source, input_of

HALL = Venue(
    name="Dom Kultury",
    show=ShowSettings(title="Wieczór"),
    cameras=(CameraSettings("main", url="rtsp://10.0.0.31/1"), CameraSettings("hall", device=Path("/dev/video0"))),
)


def scenes(folder: Path, text: str, venue: Venue = HALL, talk: Path | None = None) -> Collection:
    file = folder / "scenes" / "own.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(dedent(text), "utf-8")
    return load_scenes(Catalogue(folder), "own", venue, talk)


def named(collection: Collection, name: str) -> Source:
    return next(source for source in collection.sources() if source.name == name)


def complaints(folder: Path, text: str, venue: Venue = HALL) -> list[str]:
    with pytest.raises(DrawerError) as caught:
        scenes(folder, text, venue)
    return [str(problem) for problem in caught.value.all()]


def test_the_demo_plays_the_talk_under_a_lower_third() -> None:
    talk = Path("/films/talk.mp4")
    collection = load_scenes(Catalogue(), "demo", HALL, talk)
    assert (collection.width, collection.height, collection.fps) == (640, 360, 15)
    assert collection.scene_names() == ("Talk", "Holding")
    assert named(collection, "The talk").file == talk
    on_air, holding = collection.scenes
    assert [source.text for source in on_air.sources if source.kind == "text"] == ["Wieczór", "Dom Kultury"]
    assert [source.text for source in holding.sources if source.kind == "text"] == [
        "Zaraz wracamy",
        "Zaraz wracamy  ·  Netrukus grįšime  ·  Back soon",
    ]


def test_the_lower_third_leaves_the_foot_of_the_picture_to_the_captions() -> None:
    for name in ("demo", "talk"):
        collection = load_scenes(Catalogue(), name, HALL, Path("/films/talk.mp4"))
        for source in collection.scenes[0].sources:
            if source.kind in ("text", "colour") and source.box != Box():
                assert source.box.top > 0.5
                assert source.box.top + source.box.height < 0.76


def test_a_hall_with_two_cameras() -> None:
    collection = load_scenes(Catalogue(), "talk", HALL)
    assert collection.scene_names() == ("Talk", "Hall", "Both", "Holding")
    main = named(collection, "camera main")
    hall = [source for source in collection.sources() if source.name == "camera hall"]
    assert input_of(main, collection) == (
        "ffmpeg_source",
        {
            "input": "rtsp://10.0.0.31/1",
            "is_local_file": False,
            "reconnect_delay_sec": 2,
            "restart_on_activate": False,
            "close_when_inactive": False,
            "hw_decode": False,
        },
    )
    assert len(hall) == 2  # in two boxes, yet one source for OBS
    assert {input_of(source, collection)[0] for source in hall} == {"v4l2_input"}


def test_the_issues_own_example(tmp_path: Path) -> None:
    (tmp_path / "scenes").mkdir()
    file = tmp_path / "scenes" / "talk.yaml"
    file.write_text("width: 640\nheight: 360\n\nscenes:\n  - name: Talk\n    sources:\n      - camera: mian\n")
    with pytest.raises(DrawerError) as caught:
        load_scenes(Catalogue(tmp_path), "talk", HALL)
    assert str(caught.value) == ('scenes/talk.yaml line 7: camera "mian" is not in studio.toml; did you mean "main"?')
    assert caught.value.file == file


@pytest.mark.parametrize(
    ("venue", "text"),
    [
        (Venue(language="pl"), "tak"),
        (Venue(language="lt"), "taip"),
        (Venue(language="en"), "tak"),  # nobody wrote it in English: the first one stands in
        (Venue(language="auto", interface="lt"), "taip"),
    ],
)
def test_texts_are_read_in_the_language_of_the_stage(tmp_path: Path, venue: Venue, text: str) -> None:
    collection = scenes(tmp_path, "scenes: [{name: A, sources: [{text: {pl: tak, lt: taip}}]}]", venue)
    assert collection.sources()[0].text == text


def test_sources_are_named_by_where_they_stand_unless_they_have_a_name(tmp_path: Path) -> None:
    collection = scenes(
        tmp_path,
        """\
        scenes:
          - name: A
            sources: [{fill: "#000000"}, {text: a, name: Headline}]
          - name: B
            sources: [{fill: "#000000"}, {text: a, name: Headline}]
        """,
    )
    assert [source.name for source in collection.sources()] == ["A: fill 1", "Headline", "B: fill 1", "Headline"]


def test_files_count_from_the_folder_of_the_scenes(tmp_path: Path) -> None:
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "logo.png").touch()
    (tmp_path / "film.mp4").touch()
    collection = scenes(tmp_path, "scenes: [{name: A, sources: [{image: logo.png}, {media: ../film.mp4}]}]")
    logo, film = collection.sources()
    assert logo.file == tmp_path / "scenes" / "logo.png"
    assert film.file is not None
    assert film.file.samefile(tmp_path / "film.mp4")


def test_everything_that_this_house_does_not_have_is_told_at_once(tmp_path: Path) -> None:
    told = complaints(
        tmp_path,
        """\
        scenes:
          - name: Talk
            sources:
              - camera: mian
              - media: talk
              - image: logo.png
              - media: film.mp4
              - text: a
                name: Talk
          - name: Talk
            sources:
              - {fill: "#000000", name: Ground}
              - {fill: "#000000", name: Ground}
          - name: Other
            sources:
              - {text: a, name: Ground}
        """,
    )
    assert [line.split(": ", 1)[1] for line in told] == [
        'camera "mian" is not in studio.toml; did you mean "main"?',
        "this plays the talk that a show is started with, and there is none; name a file here",
        f"there is no file {tmp_path}/scenes/logo.png",
        f"there is no file {tmp_path}/scenes/film.mp4",
        '"Talk" is the name of a scene; OBS needs another one for the source',
        'there is a scene "Talk" already, on line 2',
        'the scene "Talk" already holds a source "Ground"; give this one another "name"',
        '"Ground" is a source of another kind elsewhere in this file; give this one another "name"',
    ]
    assert [line.split(":")[0] for line in told] == [
        f"scenes/own.yaml line {number}" for number in (4, 5, 6, 7, 9, 10, 13, 16)
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("scenes: []", 'line 1: "scenes" is empty; name at least one'),
        ("width: 641\nscenes: [{name: A}]", 'line 1: "width" is 641; it must be an even number'),
        ("fps: 0\nscenes: [{name: A}]", 'line 1: "fps" must be from 1 to 120, not "0"'),
        ("width: 640", '"scenes" is missing'),
        ("scenes: [{name: ''}]", "line 1: a scene needs a name"),
        ("scenes: [{name: A, sources: [{fill: red}]}]", '"fill" must be a colour, #RRGGBB or #RRGGBBAA'),
        ("scenes: [{name: A, sources: [{text: a, colour: '#12'}]}]", '"colour" must be a colour, #RRGGBB'),
        ("scenes: [{name: A, sources: [{text: {de: ja}}]}]", 'cannot be "de"; known here: pl, lt, en'),
        ("scenes: [{name: A, sources: [{text: a, box: {width: 0}}]}]", "a box needs a width and a height above 0"),
        ("scenes: [{name: A, sources: [{text: a, size: 0}]}]", '"size" must be above 0, not "0"'),
        ("scenes: [{name: A, sources: [{meda: a}]}]", '"meda" is not known here; did you mean "media"?'),
    ],
)
def test_one_sentence_for_each_mistake(tmp_path: Path, text: str, sentence: str) -> None:
    (told,) = complaints(tmp_path, text)
    assert sentence in told


def test_a_camera_in_a_house_without_any(tmp_path: Path) -> None:
    assert complaints(tmp_path, "scenes: [{name: A, sources: [{camera: main}]}]", Venue()) == [
        'scenes/own.yaml line 1: camera "main" is not in studio.toml; describe it there under [[cameras]]'
    ]


def test_scenes_that_are_not_there_are_told_where_they_were_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DrawerError, match=r'^studio\.toml: there is no "dmeo" in scenes; did you mean "demo"\?$'):
        load_scenes(Catalogue(tmp_path), "dmeo", Venue())


def test_the_slate_that_comes_with_the_house_speaks_the_language_of_the_hall() -> None:
    slate = load_slate(Catalogue(), "slate", Venue(language="lt"))
    assert [source.text for source in slate.scenes[0].sources if source.kind == "text"] == ["Tuoj grįšime", "studio"]


def test_a_slate_does_not_move(tmp_path: Path) -> None:
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "own.yaml").write_text("scenes:\n  - name: Slate\n    sources:\n      - camera: main\n")
    with pytest.raises(DrawerError) as caught:
        load_slate(Catalogue(tmp_path), "own", HALL)
    assert str(caught.value) == (
        "scenes/own.yaml line 4: a slate stands still, and this moves; name a fill, a text or an image"
    )
