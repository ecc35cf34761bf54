"""The hallway: opens the rooms in order, introduces them to each other, closes them in reverse; knows everyone."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.app._captions import CaptionsWish, caption_alone, repair_captions
    from studio.app._destinations import house_destinations
    from studio.app._devices import HouseDevices, Named, Opened
    from studio.app._evening import Evening, Wish, check_everything, demo_venue, join_recording, plan_evening
    from studio.app._film_shelf import Films, house_films
    from studio.app._films import FilmsWish, subtitle_films
    from studio.app._house import House
    from studio.app._orders import DEADLINE, Done, known, worst
    from studio.app._outputs import Sent
    from studio.app._scenes import obs_scenes
    from studio.app._summary import Summary
    from studio.app._vocal import TakeWish, VocalRoom
    from studio.app._vocal_desk import VocalDesk, vocal_desk
    from studio.app._vocal_studio import VocalStudio

__all__ = [
    "DEADLINE",
    "CaptionsWish",
    "Done",
    "Evening",
    "Films",
    "FilmsWish",
    "House",
    "HouseDevices",
    "Named",
    "Opened",
    "Sent",
    "Summary",
    "TakeWish",
    "VocalDesk",
    "VocalRoom",
    "VocalStudio",
    "Wish",
    "caption_alone",
    "check_everything",
    "demo_venue",
    "house_destinations",
    "house_films",
    "join_recording",
    "known",
    "obs_scenes",
    "plan_evening",
    "repair_captions",
    "subtitle_films",
    "vocal_desk",
    "worst",
]

_WHERE = {
    "_captions": "CaptionsWish caption_alone repair_captions",
    "_destinations": "house_destinations",
    "_devices": "HouseDevices Named Opened",
    "_evening": "Evening Wish check_everything demo_venue join_recording plan_evening",
    "_film_shelf": "Films house_films",
    "_films": "FilmsWish subtitle_films",
    "_house": "House",
    "_orders": "DEADLINE Done known worst",
    "_outputs": "Sent",
    "_scenes": "obs_scenes",
    "_summary": "Summary",
    "_vocal_desk": "VocalDesk vocal_desk",
    "_vocal": "TakeWish VocalRoom",
    "_vocal_studio": "VocalStudio",
}
"""What each file has to offer: a command loads those that it needs, since all of them take two seconds."""


def __getattr__(name: str) -> object:
    for file, names in _WHERE.items():
        if name in names.split():
            return getattr(importlib.import_module(f"studio.app.{file}"), name)
    raise AttributeError(name)
