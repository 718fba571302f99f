"""What is typed in the jump's line fits by every word, names that begin with it first."""

from __future__ import annotations

from statsig_tui.core.places import Place, fitting

PLACES = [
    Place("template", "gate exposure", "QA", 1),
    Place("screen", "Live", "what the receiver gets", 2),
    Place("destination", "receiver", "http://127.0.0.1:7829/", 3),
    Place("sent", "delivered_late", "s7", 4),
]


def found(text: str, most: int = 9) -> list[int]:
    return [place.goal for place in fitting(PLACES, text, most)]


def test_every_word_has_to_be_there_and_beginnings_come_first() -> None:
    assert found("") == [1, 2, 3, 4]
    assert found("receiver") == [3, 2]
    assert found("LIVE") == [2, 4]
    assert found("template gate") == [1]
    assert found("gate screen") == []
    assert found("", most=2) == [1, 2]
