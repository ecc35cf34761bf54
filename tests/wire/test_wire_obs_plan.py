"""What has to be done to an OBS, told from what a hand changed in it: pure, against an OBS of plain values."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from studio.wire.obs import Box, Collection, Scene, Source, transform_of
from studio.wire.obs_plan import Applied, Change, Input, Item, Plan, Reported, plan

SLIDE = Source("Slide", "colour", colour="#102030")
NAME = Source("Name", "text", box=Box(0.05, 0.75, 0.9, 0.1), text="Ona Žukauskaitė", align="left")
SOON = Source("Soon", "text", box=Box(0, 0.4, 1, 0.2), text="Zaraz zaczynamy")
SHOW = Collection((Scene("Talk", (SLIDE, NAME)), Scene("Holding", (SLIDE, SOON))), 640, 360, 15, file="show")
EMPTY = Reported({"Scene": ()}, {}, "Scene")


def done(reported: Reported, planned: Plan) -> Reported:
    """The same OBS once the plan was carried out."""
    scenes = {name: list(items) for name, items in reported.scenes.items()}
    inputs = dict(reported.inputs)
    for change in planned.todo:
        items = scenes.setdefault(change.scene, []) if change.scene else []
        match change.kind, change.what:
            case "make", "source":
                inputs[change.source] = Input(change.input_kind, change.values)
            case "make", "item":
                number = 1 + max((item.id for item in items), default=0)
                top = 1 + max((item.index for item in items), default=-1)
                items.append(Item(change.source, number, top, change.values))
            case "set", "source":
                there = inputs[change.source]
                inputs[change.source] = replace(there, settings={**there.settings, **change.values})
            case "set", "item":
                scenes[change.scene] = [
                    replace(item, transform={**item.transform, **change.values}) if item.id == change.id else item
                    for item in items
                ]
            case "set", "order":
                order = change.values["order"]
                first = {source: next(item for item in items if item.source == source) for source in order}
                places = sorted(item.index for item in first.values())
                moved = {first[source].id: place for source, place in zip(order, places, strict=True)}
                scenes[change.scene] = [replace(item, index=moved.get(item.id, item.index)) for item in items]
            case "remove", "item":
                scenes[change.scene] = [item for item in items if item.id != change.id]
            case "remove", "scene":
                del scenes[change.scene]
    scenes = {
        name: [replace(item, index=place) for place, item in enumerate(sorted(items, key=lambda item: item.index))]
        for name, items in scenes.items()
    }
    used = {item.source for items in scenes.values() for item in items}
    kept = {name: each for name, each in inputs.items() if name in used}
    return Reported({name: tuple(items) for name, items in scenes.items()}, kept, reported.on_air)


def brief(planned: Plan) -> list[tuple[str, ...]]:
    return [(each.kind, each.what, each.scene, each.source, *sorted(each.values)) for each in planned.changes]


def fresh(collection: Collection = SHOW) -> tuple[Reported, Applied]:
    planned = plan(collection, EMPTY)
    return done(EMPTY, planned), planned.applied


def by_hand(reported: Reported, source: str, **settings: Any) -> Reported:  # noqa: ANN401 - what OBS keeps
    there = reported.inputs[source]
    changed = replace(there, settings={**there.settings, **settings})
    return replace(reported, inputs={**reported.inputs, source: changed})


def moved(reported: Reported, scene: str, source: str, **transform: float) -> Reported:
    items = tuple(
        replace(item, transform={**item.transform, **transform}) if item.source == source else item
        for item in reported.scenes[scene]
    )
    return replace(reported, scenes={**reported.scenes, scene: items})


def without(reported: Reported, scene: str, source: str) -> Reported:
    items = tuple(item for item in reported.scenes[scene] if item.source != source)
    return done(replace(reported, scenes={**reported.scenes, scene: items}), Plan())


def with_text(text: str) -> Collection:
    return replace(SHOW, scenes=(Scene("Talk", (SLIDE, replace(NAME, text=text))), SHOW.scenes[1]))


def test_an_empty_obs_gets_everything_and_then_nothing() -> None:
    planned = plan(SHOW, EMPTY)
    assert [each[:4] for each in brief(planned)] == [
        ("make", "scene", "Talk", ""),
        ("make", "source", "Talk", "Slide"),
        ("make", "item", "Talk", "Slide"),
        ("make", "source", "Talk", "Name"),
        ("make", "item", "Talk", "Name"),
        ("make", "scene", "Holding", ""),
        ("make", "item", "Holding", "Slide"),
        ("make", "source", "Holding", "Soon"),
        ("make", "item", "Holding", "Soon"),
    ]
    again = plan(SHOW, done(EMPTY, planned), planned.applied)
    assert brief(again) == []
    assert again.applied == planned.applied


def test_the_file_changed_and_no_hand_did() -> None:
    reported, applied = fresh()
    assert brief(plan(with_text("Jonas"), reported, applied)) == [("set", "source", "", "Name", "text")]


def test_a_hand_changed_it_and_it_stays_until_it_is_taken_back() -> None:
    reported, applied = fresh()
    reported = moved(by_hand(reported, "Name", text="by hand"), "Talk", "Name", positionX=99.0)
    planned = plan(SHOW, reported, applied)
    assert brief(planned) == [
        ("kept", "source", "", "Name", "text"),
        ("kept", "item", "Talk", "Name", "positionX"),
    ]
    assert planned.kept[0].now == {"text": "by hand"}
    assert brief(plan(SHOW, reported, planned.applied)) == brief(planned)  # nor the next time
    # Now the file says something else, too: the hand still has it.
    assert brief(plan(with_text("Jonas"), reported, planned.applied)) == brief(planned)
    back = plan(SHOW, reported, planned.applied, take_back={"Name"})
    assert brief(back) == [("set", "source", "", "Name", "text"), ("set", "item", "Talk", "Name", "positionX")]
    assert brief(plan(SHOW, done(reported, back), back.applied)) == []


def test_a_hand_that_did_what_the_file_now_wants_leaves_nothing_to_keep() -> None:
    reported, applied = fresh()
    reported = by_hand(reported, "Name", text="Jonas")
    planned = plan(with_text("Jonas"), reported, applied)
    assert brief(planned) == []
    assert brief(plan(with_text("Ada"), reported, planned.applied)) == [("set", "source", "", "Name", "text")]


def test_without_a_memory_what_differs_is_set() -> None:
    reported, _applied = fresh()
    assert brief(plan(SHOW, by_hand(reported, "Name", text="of before"))) == [("set", "source", "", "Name", "text")]


def test_what_a_hand_took_away_stays_away() -> None:
    reported, applied = fresh()
    planned = plan(SHOW, without(reported, "Holding", "Slide"), applied)
    assert brief(planned) == [("kept", "item", "Holding", "Slide")]
    planned = plan(SHOW, without(reported, "Holding", "Soon"), planned.applied)
    assert brief(planned) == [("kept", "source", "Holding", "Soon")]
    bare = replace(reported, scenes={name: items for name, items in reported.scenes.items() if name != "Holding"})
    planned = plan(SHOW, done(bare, Plan()), planned.applied)
    assert [each[:3] for each in brief(planned)] == [("kept", "scene", "Holding")]
    assert brief(plan(SHOW, done(bare, Plan()), planned.applied)) == brief(planned)
    back = plan(SHOW, done(bare, Plan()), planned.applied, take_back={"Holding"})
    assert [each[:4] for each in brief(back)][:2] == [
        ("make", "scene", "Holding", ""),
        ("make", "item", "Holding", "Slide"),
    ]


def test_an_order_of_a_hand_stays_and_one_of_the_file_is_set() -> None:
    reported, applied = fresh()
    turned = tuple(replace(item, index=1 - item.index) for item in reported.scenes["Talk"])
    hand = replace(reported, scenes={**reported.scenes, "Talk": turned})
    assert brief(plan(SHOW, hand, applied)) == [("kept", "order", "Talk", "", "order")]
    other = replace(SHOW, scenes=(Scene("Talk", (NAME, SLIDE)), SHOW.scenes[1]))
    assert brief(plan(other, reported, applied)) == [("set", "order", "Talk", "", "order")]
    assert brief(plan(SHOW, hand, applied, take_back={"Talk"})) == [("set", "order", "Talk", "", "order")]


def test_a_source_that_comes_back_takes_its_place() -> None:
    reported, applied = fresh()
    away = without(reported, "Talk", "Slide")
    back = plan(SHOW, away, applied, take_back={"Slide"})
    again = done(away, back)
    assert [item.source for item in sorted(again.scenes["Talk"], key=lambda item: item.index)] == ["Slide", "Name"]


def test_what_the_file_drops_goes_only_where_no_hand_was_at_it() -> None:
    reported, applied = fresh()
    smaller = replace(SHOW, scenes=(Scene("Talk", (SLIDE,)),))
    assert brief(plan(smaller, reported, applied)) == [
        ("remove", "item", "Talk", "Name"),
        ("remove", "scene", "Holding", ""),
    ]
    touched = moved(moved(reported, "Talk", "Name", positionX=1.0), "Holding", "Soon", rotation=5.0)
    planned = plan(smaller, touched, applied)
    assert brief(planned) == [("kept", "item", "Talk", "Name"), ("kept", "scene", "Holding", "")]
    assert brief(plan(smaller, touched, planned.applied)) == brief(planned)
    on_air = replace(reported, on_air="Holding")
    assert plan(smaller, on_air, applied).kept == (Change("kept", "scene", "Holding", why="on air"),)
    extra = (*reported.scenes["Holding"], Item("Mine", 9, 9, {}))
    added = replace(reported, scenes={**reported.scenes, "Holding": extra})
    assert ("kept", "scene", "Holding", "") in brief(plan(smaller, added, applied))
    # Another file never made these: it leaves them alone.
    assert brief(plan(replace(smaller, file="other"), reported, applied)) == []


def test_after_a_crash_what_was_not_saved_is_no_hands_work() -> None:
    reported, applied = fresh()
    hand = moved(reported, "Talk", "Name", positionX=99.0)
    applied = plan(SHOW, hand, applied).applied
    saved = by_hand(without(hand, "Holding", "Soon"), "Name", text="an hour ago")
    planned = plan(SHOW, saved, applied, lost=True)
    assert [each[:4] for each in brief(planned)] == [
        ("set", "source", "", "Name"),
        ("kept", "item", "Talk", "Name"),
        ("make", "source", "Holding", "Soon"),
        ("make", "item", "Holding", "Soon"),
        ("set", "order", "Holding", ""),
    ]


def test_a_text_of_ours_is_made_and_then_left_alone() -> None:
    ours = {("source/Name", "text")}
    planned = plan(SHOW, EMPTY, ours=ours)
    reported = by_hand(done(EMPTY, planned), "Name", text="what is being said")
    assert brief(plan(SHOW, reported, planned.applied, ours=ours)) == []


def test_a_source_of_another_kind_is_a_clash_and_another_version_is_not() -> None:
    reported, applied = fresh()
    other = replace(reported, inputs={**reported.inputs, "Name": Input("ffmpeg_source", {})})
    planned = plan(SHOW, other, applied)
    assert planned.clashes == (("Name", "ffmpeg_source"),)
    assert planned.changes == ()
    newer = replace(reported.inputs["Name"], kind="text_ft2_source_v3")
    assert plan(SHOW, replace(reported, inputs={**reported.inputs, "Name": newer}), applied).clashes == ()


def test_the_memory_survives_json_and_holds_no_password() -> None:
    camera = Source("Camera", "media", address="rtsp://me:s3cret@10.0.0.5/1")
    collection = Collection((Scene("Talk", (camera,)),), 640, 360, 15, file="a/b")
    reported, applied = fresh(collection)
    text = json.dumps(applied.to_json())
    assert "s3cret" not in text
    assert Applied.from_json(json.loads(text)) == applied
    assert brief(plan(collection, reported, applied)) == []
    assert brief(plan(collection, by_hand(reported, "Camera", input="rtsp://me@10.0.0.6/1"), applied)) == [
        ("kept", "source", "", "Camera", "input")
    ]
    junk: object
    for junk in (None, 1, [], {}, {"version": 1}, {"version": 1, "files": {}, "kept": {}}, {"version": 2}):
        assert Applied.from_json(junk) == Applied()


def test_a_slash_in_a_name_is_no_other_thing() -> None:
    one = Collection((Scene("A/B", (Source("C", "colour"),)), Scene("A", (Source("B/C", "colour"),))), file="x")
    planned = plan(one, EMPTY)
    assert len(planned.applied.files["x"]) == 8


@given(
    sources=st.permutations([SLIDE, NAME, SOON]),
    count=st.integers(1, 3),
    touched=st.sets(st.sampled_from(["Name", "Soon"])),
    lost=st.booleans(),
)
def test_carried_out_it_leaves_nothing_to_do(
    sources: list[Source], count: int, touched: set[str], *, lost: bool
) -> None:
    reported, applied = fresh()
    for name in touched:
        reported = by_hand(reported, name, text="by hand")
    wanted = Collection((Scene("Talk", tuple(sources[:count])), Scene("New", (SOON,))), 640, 360, 15, file="show")
    planned = plan(wanted, reported, applied, lost=lost)
    after = done(reported, planned)
    again = plan(wanted, after, planned.applied)
    assert again.todo == () or (lost and {change.kind for change in again.todo} == {"remove"})
    if not lost:
        for name in touched & after.inputs.keys():
            assert after.inputs[name].settings["text"] == "by hand"
    assert transform_of(SLIDE, SHOW)["boundsWidth"] == 640
