"""What events had in them is offered, the most frequent first, if a key can take it over as it is seen."""

from __future__ import annotations

import json

from statsig_tui.core.draft import Field
from statsig_tui.core.seen import gather


def test_names_ids_and_keys_come_from_bodies() -> None:
    bodies = [
        json.dumps(body).encode()
        for body in (
            {"event": "b", "user": {"userID": "u1", "custom": {"plan": 1}}, "metadata": {"x": 1}},
            {"event": "a", "user": {"userID": "u2", "customIDs": {"sid": "s"}}, "metadata": {"y": 1, "x": 2}},
            {"eventName": "out", "user": {"userID": "u2", "country": "KR"}, "metadata": "none"},
            {"user": None},
            ["event"],
        )
    ]  # fmt: skip
    found = gather(["a"], [*bodies, b"{", b"\xff"])
    assert found.of(Field.EVENT) == ("a", "b")
    assert found.of(Field.USER_ID) == ("u2", "u1")
    assert found.of(Field.METADATA) == ("x", "y")
    assert (found.of(Field.CUSTOM), found.of(Field.CUSTOM_IDS)) == (("plan",), ("sid",))
    assert found.of(Field.COUNTRY) == ("KR",)
    assert found.of(Field.VALUE) == ()


def test_what_is_not_written_as_it_is_seen_is_not_offered() -> None:
    odd = ["", "\x1b[2J", '"quoted"', "x" * 201, "\u202ex", " edge", "fine name"]
    assert gather(odd, []).of(Field.EVENT) == ("fine name",)
