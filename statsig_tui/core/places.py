"""What can be jumped to, and which of it fits what is typed: every word, beginnings of names first. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Goal = TypeVar("Goal")


@dataclass(frozen=True, slots=True)
class Place(Generic[Goal]):
    """Somewhere to go, in words."""

    kind: str
    name: str
    about: str
    goal: Goal


def fitting(places: Iterable[Place[Goal]], text: str, most: int) -> list[Place[Goal]]:
    """The places that hold every word, those first whose name begins with the text."""
    wanted = text.casefold().split()
    start = " ".join(wanted)
    found = [
        place
        for place in places
        if all(word in f"{place.kind} {place.name} {place.about}".casefold() for word in wanted)
    ]
    return sorted(found, key=lambda place: not place.name.casefold().startswith(start))[:most]
