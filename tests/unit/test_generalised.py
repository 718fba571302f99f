"""A received event as a template: what is that one event's own becomes a variable, all else stays."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from statsig_tui.core import template
from statsig_tui.core.generalised import generalised, plain
from statsig_tui.core.paste import Converted, Pasted, recognise
from statsig_tui.core.template import Sources

AT = 1_767_225_600_000
UUID = "f4c414a0-1111-4222-8333-444455556666"
EVENT = {
    "eventName": "checkout",
    "user": {"userID": "user-1042", "customIDs": {"stableID": UUID, "uuid": "x"}, "email": "a@b.c"},
    "userID": "user-1042",
    "timestamp": AT,
    "value": "49.90",
    "metadata": {
        "for": "user-1042", "stable": UUID, "order": UUID.replace("f", "e"), "began": str(AT - 300_000),
        "ends": "2026-01-01T01:00:00.250Z", "born": "1990-01-01T00:00:00Z", "phone": "4915112345678",
        "items": [{"at": AT + 1}, "x", "{{not_mine}}"], "x": "x",
    },
    "timeUUID": UUID,
}  # fmt: skip


def sources(**more: Any) -> Sources:
    return Sources(now=AT, uuid=lambda: "new", choose=lambda count: 0, **more)


def made(event: object) -> Converted:
    pasted = recognise(json.dumps(event))
    assert pasted is not None
    [converted] = generalised(pasted, AT).events
    return converted


def test_times_and_ids_are_variables_and_said() -> None:
    it = made(EVENT)
    assert it.variables == {"userID": "user-1042", "stableID": UUID, "id_uuid": "x"}
    # As it was, a day later and for another user.
    later = replace(sources(values={**it.variables, "userID": "u2"}), now=AT + 86_400_000)
    event = json.loads(template.render(it.text, later))
    assert event == {
        "user": {"userID": "u2", "customIDs": {"stableID": UUID, "uuid": "x"}, "email": "a@b.c"},
        "event": "checkout",
        "value": "49.90",
        "timestamp": AT + 86_400_000,
        "metadata": {
            "for": "u2", "stable": UUID, "order": "new", "began": str(AT + 86_400_000 - 300_000),
            "ends": "2026-01-02T01:00:00.250Z", "born": "1990-01-01T00:00:00Z", "phone": "4915112345678",
            "items": [{"at": AT + 86_400_001}, "x", "{{not_mine}}"], "x": "x",
        },
    }  # fmt: skip
    assert "eventName is called event here" in it.differences
    for words in (
        "timestamp is {{now_ms}}",
        "user.userID is {{userID}}",
        "metadata.began is {{now_ms -5m}}",
        "metadata.items[0].at is {{now_ms +1ms}}",
        "metadata.order is {{uuid}}",
    ):
        assert words in it.differences


texts = st.sampled_from(["", "{{uuid}}", "{{{{}}", "a{{b", '\\"', "é☕", UUID, str(AT), "user-1042"])
values = st.recursive(
    texts | st.none() | st.booleans() | st.integers() | st.just(AT) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(metadata=st.dictionaries(texts, values, max_size=4), user=st.dictionaries(texts, values, max_size=3))
def test_any_event_is_rendered_as_it_was(metadata: dict[str, Any], user: dict[str, Any]) -> None:
    event = {"event": "x", "user": {"userID": "user-1042", **user}, "timestamp": AT, "metadata": metadata}
    pasted = Pasted("incoming", (Converted("x", json.dumps(event, indent=1)),))
    [as_it_is] = plain(pasted).events
    assert json.loads(template.render(as_it_is.text, sources())) == event
    [it] = generalised(pasted, AT).events
    assert (
        json.loads(template.render(it.text, replace(sources(values=it.variables), uuid=lambda: UUID)))
        == event
    )
