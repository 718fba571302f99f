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


def test_the_values_of_a_name_are_kept_with_their_type() -> None:
    bodies = [
        json.dumps(body).encode()
        for body in (
            {"event": "a", "sdk": "py", "metadata": {"plan": "pro", "seats": 3, "on": True, "deep": {}}},
            {"event": "a", "sdk": "js", "metadata": {"plan": "free", "seats": "3", "long": "x" * 201}},
            {"user": {"age": 7, "userID": "u", "statsigEnvironment": {"tier": "qa", "region": "eu"}}},
            {"event": "a", "metadata": {"plan": "free"}},
            {"eventName": "out", "timeUUID": "t", "statsigMetadata": {}, "user": {"age": 8}},
        )
    ]  # fmt: skip
    found = gather([], bodies)
    metadata = found.values_of(Field.METADATA)
    assert metadata["plan"] == ('"free"', '"pro"')
    assert metadata["seats"] == ("3", '"3"')
    assert metadata["on"] == ("true",)
    assert not {"deep", "long"} & set(metadata)
    # What has no field of its own, too; what Statsig adds to an event is not offered for one that comes in.
    assert found.of(Field.REST) == ("sdk",)
    assert found.values_of(Field.REST) == {"sdk": ('"py"', '"js"')}
    assert found.values_of(Field.OTHER) == {"age": ("7", "8")}
    assert found.values_of(Field.ENVIRONMENT) == {"region": ('"eu"',)}


def test_what_is_not_written_as_it_is_seen_is_not_offered() -> None:
    odd = ["", "\x1b[2J", '"quoted"', "x" * 201, "\u202ex", " edge", "fine name"]
    assert gather(odd, []).of(Field.EVENT) == ("fine name",)
