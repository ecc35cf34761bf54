from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Meta

from studio.catalogue import NOT_SAID, Catalogue, Place, Said, fit, nearest, read_toml, shipped_folder, user_folder
from studio.catalogue._yaml import read_yaml
from studio.errors import DrawerError
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable

LAMPS = "hall/lamps"


class Mood(Enum):
    WARM = "warm"
    COLD = "cold"


@dataclass(frozen=True, slots=True)
class Bulb:
    bulb: str
    watts: float = 40


@dataclass(frozen=True, slots=True)
class Candle:
    candle: str
    hours: int = 3


@dataclass(frozen=True, slots=True)
class Lamp:
    name: str
    count: int = 1
    share: Annotated[float, Meta(ge=0, le=1)] = 0.5
    fade: Ms = Ms(0)
    on: bool = False
    mood: Mood = Mood.WARM
    where: Literal["stage", "hall"] = "stage"
    gel: str | None = None
    picture: Path | None = None
    lights: tuple[Bulb | Candle, ...] = ()
    pair: tuple[int, str] = (0, "")
    notes: Mapping[int, str] = field(default_factory=dict)
    extra: Any = None
    serial: int = field(default=0, metadata={NOT_SAID: True})

    def __post_init__(self) -> None:
        if self.count > 9:
            raise ValueError(f"count is {self.count}; nine lamps are enough")
        if self.gel is not None and not self.gel.startswith("L"):
            raise ValueError(f'"{self.gel}" is not the number of a gel')


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def write(home: Path) -> Callable[[str, str], Path]:
    def write(name: str, text: str) -> Path:
        file = home / LAMPS / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), "utf-8")
        return file

    return write


def load(home: Path, name: str = "a") -> Lamp:
    return Catalogue(home).load(LAMPS, name, Lamp)


def complaint(home: Path, name: str = "a") -> str:
    with pytest.raises(DrawerError) as caught:
        load(home, name)
    return str(caught.value)


def test_everything_a_file_may_say(home: Path, write: Callable[[str, str], Path]) -> None:
    write(
        "a",
        """\
        # a lamp
        name: Žibintas ąę
        count: 0x3
        share: 1
        fade: 1_500
        on: true
        mood: cold
        where: hall
        gel: L201
        picture: gels/l201.png
        lights:
          - bulb: E27
            watts: 60
          - {candle: wax, hours: 5}
        pair: [1, two]
        notes: {36: pad, 37: other}
        extra: {any: [thing, 1, null]}
        """,
    )
    assert load(home) == Lamp(
        name="Žibintas ąę",
        count=3,
        share=1.0,
        fade=Ms(1500),
        on=True,
        mood=Mood.COLD,
        where="hall",
        gel="L201",
        picture=home / LAMPS / "gels/l201.png",
        lights=(Bulb("E27", 60.0), Candle("wax", 5)),
        pair=(1, "two"),
        notes={36: "pad", 37: "other"},
        extra={"any": ("thing", 1, None)},
    )


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "y", "n", "2024-05-01", "12:30", "1e", "~a"])
def test_words_stay_words(home: Path, write: Callable[[str, str], Path], word: str) -> None:
    write("a", f"name: {word}\n")
    assert load(home).name == word


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name: a\ncuont: 2\n", 'line 2: "cuont" is not known here; did you mean "count"?'),
        ("name: a\nserial: 2\n", 'line 2: "serial" is not known here; known here: name, count, share, '),
        ("count: 2\n", 'hall/lamps/a.yaml: "name" is missing'),
        ("name: a\ncount: two\n", 'line 2: "count" must be a whole number, not "two"'),
        ("name: a\ncount: true\n", 'line 2: "count" must be a whole number, not "True"'),
        ("name: a\ncount: 2.5\n", 'line 2: "count" must be a whole number, not "2.5"'),
        ("name: a\ncount:\n", 'line 2: "count" must be a whole number, not nothing'),
        ("name: 12\n", 'line 1: "name" must be text (in quotes where it looks like a number), not "12"'),
        ("name: [a]\n", 'line 1: "name" must be text (in quotes where it looks like a number), not a list'),
        ("name: a\n\non: no\n", 'line 3: "on" must be true or false, not "no"'),
        ("name: a\nshare: 1.01\n", 'line 2: "share" must be from 0 to 1, not "1.01"'),
        ("name: a\nshare: .nan\n", 'line 2: "share" must be from 0 to 1, not "nan"'),
        ("name: a\nmood: wram\n", 'line 2: "mood" cannot be "wram"; did you mean "warm"?'),
        ("name: a\nwhere: roof\n", 'line 2: "where" cannot be "roof"; known here: stage, hall'),
        ("name: a\nwhere: [hall]\n", 'line 2: "where" must be one of: stage, hall, not a list'),
        ("name: a\npicture: 3\n", 'line 2: "picture" must be the path of a file, not "3"'),
        ("name: a\ncount: 12\n", "line 2: count is 12; nine lamps are enough"),
        ("name: a\non: true\ngel: R02\n", 'line 3: "R02" is not the number of a gel'),
        ("name: a\nlights:\n  - bulb: a\n    wats: 3\n", 'line 4: "wats" is not known here; did you mean "watts"?'),
        ("name: a\nlights:\n  - cadnle: a\n", 'line 3: "cadnle" is not known here; did you mean "candle"?'),
        ("name: a\nlights:\n  - size: 3\n", "line 3: one of these keys must stand here: bulb, candle"),
        ("name: a\nlights: [3]\n", 'line 2: "lights" must be lines of the form “key: value”, not "3"'),
        ("name: a\nlights: bulb\n", 'line 2: "lights" must be a list, not "bulb"'),
        ("name: a\npair: [1]\n", 'line 2: "pair" must be a list of 2, not a list'),
        ("name: a\nnotes: {a: b}\n", 'line 2: "notes" must be a whole number, not "a"'),
        ("name: a\nnotes: 3\n", 'line 2: "notes" must be lines of the form “key: value”, not "3"'),
        ("name: a\ncount: 1\nname: b\n", 'line 3: "name" stands here a second time; it was said on line 1'),
        ("- name: a\n", "hall/lamps/a.yaml: the file must hold lines of the form “key: value”"),
        ("just words\n", "hall/lamps/a.yaml: the file must hold lines of the form “key: value”"),
        ("", "hall/lamps/a.yaml: the file is empty"),
        ("# only a comment\n", "hall/lamps/a.yaml: the file is empty"),
        ("name: a\ncount: [1\nshare: 1\n", "line 3: this is not YAML: "),
        ("name: a\n\tcount: 1\n", "line 2: this is not YAML: "),
        ("name: a\n---\nname: b\n", "line 2: this is not YAML: "),
        ("name: *lamp\n", "line 1: this is not YAML: "),
        ("name: &a [*a]\n", "line 1: an alias may not stand inside the value that it names"),
        ("name: !lamp a\n", 'line 1: the tag "!lamp" is not used here; leave it out'),
        ("name: !!python/object:os.system a\n", "is not used here; leave it out"),
        ("? [a, b]\n: c\n", "line 1: a key must be one word or number"),
        ("name: a\x00b\n", "this is not YAML: "),
        ("<<: {name: a}\n", 'line 1: "<<" is not known here; known here: name, '),
        ("based_on: [b]\n", 'line 1: "based_on" must be the name of another file of this drawer'),
        ("based_on: ../secret\n", 'line 1: there is no "../secret" in hall/lamps'),
    ],
)
def test_one_sentence_for_each_mistake(home: Path, write: Callable[[str, str], Path], text: str, sentence: str) -> None:
    file = write("a", text)
    said = complaint(home)
    assert sentence in said
    assert said.startswith("hall/lamps/a.yaml")
    assert "\n" not in said
    with pytest.raises(DrawerError) as caught:
        load(home)
    assert caught.value.file == file


def test_bytes_that_are_no_text(home: Path, write: Callable[[str, str], Path]) -> None:
    write("a", "").write_bytes("name: a\ngel: Lłódź\n".encode("cp1250"))
    assert complaint(home) == (
        "hall/lamps/a.yaml line 2: there are bytes here that are not UTF-8; save the file as UTF-8 text"
    )


def test_a_byte_order_mark_is_no_trouble(home: Path, write: Callable[[str, str], Path]) -> None:
    write("a", "").write_bytes("name: ą\n".encode("utf-8-sig"))
    assert load(home).name == "ą"


def test_a_folder_in_place_of_a_file(home: Path) -> None:
    (home / LAMPS / "a.yaml").mkdir(parents=True)
    assert complaint(home) == "hall/lamps/a.yaml: this is a folder, where a file is expected; move it away"


def test_a_link_that_leads_nowhere(home: Path) -> None:
    (home / LAMPS).mkdir(parents=True)
    (home / LAMPS / "a.yaml").symlink_to("gone")
    assert complaint(home) == "hall/lamps/a.yaml: there is no such file"


def test_an_absent_name_is_told_with_the_nearest_and_who_asked(home: Path, write: Callable[[str, str], Path]) -> None:
    write("warm", "name: a")
    write("cold", "name: b")
    assert complaint(home, "wram") == 'there is no "wram" in hall/lamps; did you mean "warm"?'
    assert complaint(home, "x/../warm").startswith('there is no "x/../warm" in hall/lamps')
    with pytest.raises(
        DrawerError, match=r'^studio\.toml line 4: there is no "blue" in hall/lamps; known here: cold, '
    ):
        Catalogue(home).load(LAMPS, "blue", Lamp, Place(Path("studio.toml"), 4))


class TestBasedOn:
    def test_a_few_lines_change(self, home: Path, write: Callable[[str, str], Path]) -> None:
        write("base", "name: base\ncount: 3\nnotes: {1: one, 2: two}\nlights: [{bulb: a}, {bulb: b}]\n")
        write("middle", "based_on: base\nnotes: {2: zwei}\n")
        write("a", "based_on: middle\nname: top\nlights: [{candle: c}]\n")
        assert load(home) == Lamp("top", 3, notes={1: "one", 2: "zwei"}, lights=(Candle("c"),))

    def test_a_mistake_stands_in_the_file_that_makes_it(self, home: Path, write: Callable[[str, str], Path]) -> None:
        write("base", "name: base\n\ncuont: 3\n")
        write("a", "based_on: base\n")
        assert complaint(home).startswith('hall/lamps/base.yaml line 3: "cuont"')
        write("base", "name: base\ncount: 3\n")
        write("a", "based_on: base\ncount: 30\n")
        assert complaint(home).startswith("hall/lamps/a.yaml line 2: count is 30")
        place = Catalogue(home).place(LAMPS, "a", "name")
        assert (place.shown, place.line) == ("hall/lamps/base.yaml", 1)

    def test_a_circle_is_drawn(self, home: Path, write: Callable[[str, str], Path]) -> None:
        write("a", "name: a\nbased_on: b\n")
        write("b", "based_on: c\n")
        write("c", "based_on: a\n")
        assert complaint(home) == 'hall/lamps/c.yaml line 1: "based_on" goes in a circle: a → b → c → a'

    def test_a_file_that_is_based_on_nobody(self, home: Path, write: Callable[[str, str], Path]) -> None:
        write("a", "name: a\nbased_on: bsae\n")
        write("base", "name: b\n")
        assert complaint(home) == ('hall/lamps/a.yaml line 2: there is no "bsae" in hall/lamps; did you mean "base"?')
        write("a", "based_on: a\n")
        assert 'there is no "a"' in complaint(home)

    def test_the_house_may_change_a_few_lines_of_what_was_shipped(self, tmp_path: Path) -> None:
        (tmp_path / "scenes").mkdir()
        (tmp_path / "scenes" / "demo.yaml").write_text("based_on: demo\nfps: 10\n")
        said = Catalogue(tmp_path).said("scenes", "demo")
        assert said.at("fps").value == 10
        assert said.at("width").place.file == shipped_folder() / "scenes" / "demo.yaml"


def test_the_house_stands_before_what_was_shipped(tmp_path: Path) -> None:
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "demo.yaml").write_text("fps: 10\n")
    (tmp_path / "scenes" / "mine.yaml").write_text("fps: 11\n")
    (tmp_path / "scenes" / "notes.txt").write_text("no drawer")
    own, shipped = Catalogue(tmp_path), Catalogue()
    assert own.said("scenes", "demo").at("fps").value == 10
    assert shipped.said("scenes", "demo").at("fps").value == 15
    assert set(own.names("scenes")) == {"mine", *shipped.names("scenes")}
    assert [place.shown for place in own.files("scenes")].count("scenes/demo.yaml") == 2
    assert own.names("nothing") == []


def test_a_place_is_as_near_as_it_can_be(home: Path, write: Callable[[str, str], Path]) -> None:
    write("a", "name: a\nlights:\n  - bulb: E27\n  - candle: wax\n    hours: 4\n")
    catalogue = Catalogue(home)
    lines = [
        catalogue.place(LAMPS, "a", *path).line
        for path in (("lights", 1, "hours"), ("lights", 1), ("lights", 7), ("lights",), ("gel",), ("lights", "x"))
    ]
    assert lines == [5, 4, 2, 2, None, 2]


def test_where_the_house_keeps_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    assert user_folder() == tmp_path
    monkeypatch.delenv("STUDIO_HOME")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert user_folder() == tmp_path / "config" / "studio"


def test_what_was_meant() -> None:
    assert nearest("mian", ["main", "hall"]) == "main"
    assert nearest("MAIN", ["Main", "hall"]) == "Main"
    assert nearest("kitchen", ["main", "hall"]) is None
    assert nearest("a", []) is None


QUIET = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUIET
@given(st.binary(max_size=60) | st.text(alphabet="ab:-[]{}#&*!|>'\"%@`\n\t 01.", max_size=40).map(str.encode))
def test_any_file_is_read_or_refused_in_one_sentence(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "any.yaml"
    file.write_bytes(data)
    try:
        assert isinstance(read_yaml(Place(file)), Said)
    except DrawerError as problem:
        assert "\n" not in str(problem)  # noqa: PT017 - a file that is read is as good


keys = st.text(alphabet="abc", min_size=1, max_size=3)
leaves = st.integers() | st.booleans() | st.sampled_from(["x", "a # b", '"""', "[x]\n[y]", "q'\nz", "a\u2028b"])
tables = st.recursive(
    st.dictionaries(keys, leaves, max_size=3),
    lambda inner: st.dictionaries(keys, leaves | inner | st.lists(inner, min_size=1, max_size=2), max_size=3),
    max_leaves=8,
)


def toml(table: dict[str, Any], path: tuple[str, ...] = (), at: tuple[str | int, ...] = ()) -> list[tuple[Any, str]]:
    """The lines of a table, each with what it says."""
    lines: list[tuple[Any, str]] = []
    for key, value in table.items():
        if isinstance(value, str) and "\n" in value:
            first, *rest = value.replace("\\", "\\\\").replace('"', '\\"').split("\n")
            lines += [((*at, key), f'{key} = """{first}'), *((None, line) for line in rest[:-1])]
            lines.append((None, f'{rest[-1]}"""'))
        elif not isinstance(value, dict | list):
            text = json.dumps(value, ensure_ascii=False)
            lines.append(((*at, key), f"{key} = {text} # note"))
    for key, value in table.items():
        name = ".".join((*path, key))
        if isinstance(value, dict):
            lines += [((*at, key), f"[{name}]"), *toml(value, (*path, key), (*at, key))]
        elif isinstance(value, list):
            for number, item in enumerate(value):
                lines += [((*at, key, number), f"[[{name}]]"), (None, "")]
                lines += toml(item, (*path, key), (*at, key, number))
    return lines


@QUIET
@given(tables)
def test_every_key_of_a_toml_file_is_found_at_its_line(tmp_path: Path, table: dict[str, Any]) -> None:
    lines = toml(table)
    file = tmp_path / "studio.toml"
    file.write_text("\n".join(line for _, line in lines) + "\n")
    said = read_toml(Place(file))
    for number, (path, _line) in enumerate(lines, 1):
        if path is not None:
            assert said.at(*path).place.line == number
    assert fit(Said({"extra": said, "name": Said("a", said.place)}, said.place), Lamp).extra == plain(table)


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever the strategy made
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return tuple(plain(item) for item in value) if isinstance(value, list) else value


@QUIET
@given(st.binary(max_size=40) | st.text(alphabet="ab=.[]{}#'\"\n 01", max_size=40).map(str.encode))
def test_any_toml_is_read_or_refused_in_one_sentence(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "studio.toml"
    file.write_bytes(data)
    try:
        assert isinstance(read_toml(Place(file)), Said)
    except DrawerError as problem:
        assert "\n" not in str(problem)  # noqa: PT017 - a file that is read is as good
