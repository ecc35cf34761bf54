"""Names, numbers and swearing: what becomes right, and above all what is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.catalogue import Catalogue
from studio.errors import DrawerError
from studio.subtitles import Corrections, Corrector, Term, corrections_for
from studio.subtitles._glossary import distance

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = Catalogue()
NBSP = "\u00a0"


def corrected(corrector: Corrector, text: str) -> str:
    return " ".join(word for word in corrector.correct(text.split(" ")) if word)


def names(*terms: Term, never: tuple[str, ...] = ()) -> Corrector:
    return Corrections(terms, never).corrector()


POLISH = corrections_for(SHIPPED, "pl", ["dom-kultury"], "mask").corrector()
LITHUANIAN = corrections_for(SHIPPED, "lt", ["kulturos-centras"], "mask").corrector()
ENGLISH = corrections_for(SHIPPED, "en", [], "mask").corrector()


# ── names ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("gra szopena, prawda?", "gra Chopina, prawda?"),
        ("utwór Lutoslawskiego.", "utwór Lutosławskiego."),
        ("„luto sławski” i ja", "„Lutosławski” i ja"),
        ("Szymanofski i Pendarecki", "Szymanowski i Penderecki"),
        ("straszny dwur Moniuszki", "Straszny dwór Moniuszki"),
        ("wiersz shimborskiej…", "wiersz Szymborskiej…"),
    ],
)
def test_polish_names(heard: str, written: str) -> None:
    assert corrected(POLISH, heard) == written


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("churlonio paveikslai", "Čiurlionio paveikslai"),
        ("Donelaicio „Metai”", "Donelaičio „Metai”"),
        ("jūratė ir kastitis.", "Jūratė ir Kastytis."),
        ("anikščių šilelio miškas", "Anykščių šilelio miškas"),
    ],
)
def test_lithuanian_names(heard: str, written: str) -> None:
    assert corrected(LITHUANIAN, heard) == written


def test_one_form_for_several_words_stands_in_the_first_place() -> None:
    assert POLISH.correct(["To", "luto", "sławski,", "tak"]) == ["To", "Lutosławski,", "", "tak"]


def test_as_many_words_as_were_heard_keep_their_places() -> None:
    assert POLISH.correct(["(Grażyna", "bacewić)!"]) == ["(Grażyna", "Bacewicz)!"]


def test_the_end_of_a_sentence_parts_a_name() -> None:
    assert POLISH.correct(["Straszny!", "Dwur"]) == ["Straszny!", "Dwur"]


def test_words_that_were_struck_part_nothing() -> None:
    assert POLISH.correct(["luto", "", "sławski"]) == ["Lutosławski", "", ""]


def test_the_longest_name_wins() -> None:
    hall = names(Term("Dom Kultury", ("dom kultury",)), Term("Dom Kultury „Pod Lipami”", ("dom kultury pod lipami",)))
    assert corrected(hall, "w dom kultury pod lipami.") == "w Dom Kultury „Pod Lipami”."
    assert corrected(hall, "w dom kultury pod dębami.") == "w Dom Kultury pod dębami."


def test_a_sentence_keeps_its_capital() -> None:
    assert names(Term("kontrabas", ("kontra bas",))).correct(["Kontra", "bas."]) == ["Kontrabas.", ""]


def test_diacritics_decide_between_two_names() -> None:
    both = names(Term("Łoś"), Term("Los"))
    assert both.correct(["los", "łoś", "loś"]) == ["Los", "Łoś", "Łoś"]


@pytest.mark.parametrize(
    "word",
    ["Moniuszki", "Kowalewski", "kowalska", "Polski", "Kowalska", "kowalsky", "Mowalski", "Kowalskich", "Kwski"],
)
def test_what_only_resembles_a_name_stays(word: str) -> None:
    assert names(Term("Kowalski"), Term("Moniuszko")).correct([word]) == [word]


def test_short_words_are_never_taken_for_a_name() -> None:
    assert names(Term("Korda")).correct(["Kurda", "Kord"]) == ["Kurda", "Kord"]


def test_a_word_that_is_right_stays() -> None:
    terms = (Term("Kowalski"), Term("Sąd"))
    assert names(*terms).correct(["Kowelski", "sad"]) == ["Kowalski", "Sąd"]
    assert names(*terms, never=("kowelski", "sad")).correct(["Kowelski", "sad"]) == ["Kowelski", "sad"]


def test_a_word_between_two_names_is_neither() -> None:
    assert names(Term("Karolski"), Term("Korolski")).correct(["Kurolski"]) == ["Kurolski"]


def test_a_name_is_no_swear_word() -> None:
    swearing = corrections_for(SHIPPED, "pl", [], "mask").swearing
    corrector = Corrections((Term("Kurwik"),), swearing=swearing).corrector()
    assert corrector.correct(["kurwik", "kurwa"]) == ["Kurwik", "k***"]


def test_glossaries_of_another_language_are_left_out() -> None:
    assert corrections_for(SHIPPED, "en", ["dom-kultury"]).terms == ()
    assert corrections_for(SHIPPED, "auto", ["dom-kultury"]).terms
    assert corrections_for(SHIPPED, "auto").numbers is None


def test_hotwords_fit_into_the_prompt() -> None:
    polish = corrections_for(SHIPPED, "pl", ["dom-kultury"]).hotwords()
    assert "Szymanowski" in polish
    assert "Chopina" not in polish
    many = Corrections(tuple(Term(f"Jan Kowalski {number}", hint=True) for number in range(100))).hotwords()
    assert 38 <= sum(len(name.split()) for name in many) <= 40


def test_a_mistake_in_a_glossary_is_named_by_its_line(tmp_path: Path) -> None:
    drawer = tmp_path / "subtitles" / "glossaries"
    drawer.mkdir(parents=True)
    (drawer / "tonight.yaml").write_text("name: Tonight\nlanguage: pl\nentries:\n  - writes: Kowalski\n", "utf-8")
    with pytest.raises(DrawerError, match=r'tonight\.yaml line 4: "writes" .*"write"'):
        corrections_for(Catalogue(tmp_path), "pl", ["tonight"])
    (drawer / "tonight.yaml").write_text('name: x\nlanguage: pl\nentries:\n  - write: Ok\n    heard: ["…"]\n', "utf-8")
    with pytest.raises(DrawerError, match=r"tonight\.yaml line 5"):
        corrections_for(Catalogue(tmp_path), "pl", ["tonight"])


def test_edits_are_counted() -> None:
    assert distance("kowalski", "kowalski", 2) == 0
    assert distance("kowalski", "kowelski", 2) == 1
    assert distance("kowalski", "kwalksi", 2) == 3
    assert distance("lutoslawski", "lutoslaski", 2) == 1
    assert distance("abc", "abcdef", 2) == 3


# ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("25,000 osób", f"25{NBSP}000 osób"),
        ("(1,000.5)", "(1000,5)"),
        ("1,000 osób", "1000 osób"),
        ("25.000 osób", f"25{NBSP}000 osób"),
        ("1,234,567.", f"1{NBSP}234{NBSP}567."),
        ("5 000 osób", "5000 osób"),
        ("25 000 000 złotych", f"25{NBSP}000{NBSP}000 złotych"),
        ("3.5% ludzi", "3,5% ludzi"),
        ("3.5 % ludzi", "3,5% ludzi"),
        ("5 %.", "5%."),
        ("2.5 miliona", "2,5 miliona"),
        ("wynosi 0.5", "wynosi 0,5"),
    ],
)
def test_polish_numbers(heard: str, written: str) -> None:
    assert corrected(POLISH, heard) == written


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("25,000 žmonių", f"25{NBSP}000 žmonių"),
        ("3.5% žmonių", f"3,5{NBSP}% žmonių"),
        ("5 %.", f"5{NBSP}%."),
        ("2.5 milijono", "2,5 milijono"),
    ],
)
def test_lithuanian_numbers(heard: str, written: str) -> None:
    assert corrected(LITHUANIAN, heard) == written


@pytest.mark.parametrize(
    ("heard", "written"), [("25 000 people", "25,000 people"), ("5 %", "5%"), ("2,5 million", "2.5 million")]
)
def test_english_numbers(heard: str, written: str) -> None:
    assert corrected(ENGLISH, heard) == written


@pytest.mark.parametrize("corrector", [POLISH, LITHUANIAN, ENGLISH], ids=["pl", "lt", "en"])
@pytest.mark.parametrize(
    "text",
    [
        "w 1999 i 2024 r.",
        "600 700 800",
        "+48 600 700 000",
        "22 621 00 00",
        "800 000 123",
        "12.05.2024",
        "2024-05-01",
        "o 18.30 i 9:05",
        "o 12.30 złotych",
        "2.05 rano",
        "Python 3.11",
        "wersja 0.9",
        "192.168.100.200",
        "tel. 501.234.567",
        "00-950 Warszawa",
        "numer 12345678",
        "w sali 5 200 osób",
        "1.2.3",
        "3:2 i 1/2",
        "007",
    ],
)
def test_what_could_be_something_else_stays(corrector: Corrector, text: str) -> None:
    assert corrected(corrector, text) == text


# ── swearing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("corrector", "heard", "written"),
    [
        (POLISH, "O kurwa, wkurwiłeś mnie! Spierdalaj, chuju.", "O k***, w*** mnie! S***, c***."),
        (POLISH, "zajebiście pojebany, gówno", "z*** p***, g***"),
        (POLISH, "Kurwa-mać!", "K***-mać!"),
        (LITHUANIAN, "kurva, eik nachui, bliat", "k***, eik n***, b***"),
        (ENGLISH, "Fucking bullshit, motherfuckers!", "F*** b***, m***!"),
    ],
)
def test_swear_words_keep_their_first_letter(corrector: Corrector, heard: str, written: str) -> None:
    assert corrected(corrector, heard) == written


@pytest.mark.parametrize(
    ("corrector", "innocent"),
    [
        (POLISH, "kurek pieprz kura krzywizna kurort pierdoła Jebel jabłko chuchać"),
        (POLISH, "chudy pizza pizzicato zjeżdża jeżyna skurcz pochówek Hujar jebak suka dupa"),
        (LITHUANIAN, "kurmis kruša supynė pistacija pisuaras papiestas šūksnis chuliganas kurti"),
        (ENGLISH, "Scunthorpe assess cocktail shiitake shitake Essex Dickens swank Wankel class Matsushita"),
    ],
)
def test_innocent_words_stay(corrector: Corrector, innocent: str) -> None:
    assert corrected(corrector, innocent) == innocent


def test_nothing_is_hidden_unless_asked() -> None:
    assert corrections_for(SHIPPED, "pl").corrector().correct(["kurwa"]) == ["kurwa"]


def test_where_any_language_is_spoken_all_lists_count() -> None:
    assert corrections_for(SHIPPED, "auto", [], "mask").corrector().correct(["kurwa", "kurva", "fuck"]) == [
        "k***",
        "k***",
        "f***",
    ]


# ── all together ──────────────────────────────────────────────────────────────────────────────────────────────────────

some_texts = st.lists(
    st.one_of(
        st.sampled_from(
            ["luto", "sławski,", "Szymanofski", "25", "000", "%", "3.5", "1,000.5", "kurwa!", "", "„szopen”", "…", "-"]
        ),
        st.text(max_size=8),
    ),
    max_size=20,
)


@given(some_texts)
@settings(max_examples=300, deadline=None)
def test_as_many_as_given_and_right_stays_right(texts: list[str]) -> None:
    for corrector in (POLISH, LITHUANIAN, ENGLISH):
        once = corrector.correct(texts)
        assert len(once) == len(texts)
        assert all(not after for before, after in zip(texts, once, strict=True) if not before)
        assert corrector.correct(once) == once


@pytest.mark.parametrize(
    "text", ["1" + ")" * 50_000 + "x", "a" * 50_000, "-" * 50_000, "1," * 50_000 + "1", "K" * 50_000]
)
def test_endless_words_cost_no_endless_time(text: str) -> None:
    assert POLISH.correct([text]) == [text]


def test_the_plan_carries_it() -> None:
    corrections = corrections_for(SHIPPED, "pl", ["dom-kultury"], "mask")
    assert msgspec.json.decode(msgspec.json.encode(corrections), type=Corrections) == corrections
