"""What is masked on a screen that others look at, and that nothing else is."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from statsig_tui.tui.privacy import AROUND, dots, identifies, masked, masked_line, masked_part


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"userID":"user-1042","event":"x"}', '{"userID":"•••••••••","event":"x"}'),
        ('"email": "a@b.example"', '"email": "•••••••••••"'),
        ("write to a@b.example, soon", "write to •••••••••••, soon"),
        ('"customIDs":{"stableID":"3f","account":"acme"}', '"customIDs":{"stableID":"••","account":"••••"}'),
        ('{ companyID: "acme", seats: 3 }', '{ companyID: "••••", seats: 3 }'),
        ('userID      "u1"', 'userID      "••"'),
        ('"userID": 42, "timeUUID": null', '"userID": ••, "timeUUID": null'),
        (r"\"userID\": \"u1\", \"a\": \"b\"", r"\"userID\": \"••\", \"a\": \"b\""),
        (r'"userID":"a\"b","c":"d"', r'"userID":"••••","c":"d"'),
        ("user:u1 class:gate -uuid:abc", "user:•• class:gate -uuid:•••"),
        ("STATSIG-API-KEY: secret-…a1b2", "STATSIG-API-KEY: ••••••••••••"),
        ("key  secret-…a1b2", "key  ••••••••••••"),
        ("of f4c414a0-1111-4222-8333-444455556666", "of " + "•" * 36),
        ("userID=user-1&event=x", "userID=••••••&event=x"),
        ('"userID":"日本', '"userID":"＊＊'),
        ("an id such as c57, d7; valid: no, grid=3", "an id such as c57, d7; valid: no, grid=3"),
        ("emulator :7828 ●   receiver :7829 ●", "emulator :7828 ●   receiver :7829 ●"),
        ('"user":{"custom":{"plan":"pro"}}', '"user":{"custom":{"plan":"pro"}}'),
    ],
)
def test_ids_addresses_and_keys_are_dots_of_the_same_width(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert (len(shown), cell_len(shown)) == (len(text), cell_len(text))


def test_a_part_is_masked_by_what_stands_before_it() -> None:
    text = '{"userID":"user-1042","event":"x"}'
    for start in range(len(text)):
        assert masked_part(text, start, start + 4) == masked(text)[start : start + 4]
    long = "x" * (3 * AROUND) + text
    assert masked_part(long, len(long) - 25, len(long)) == masked(long)[-25:]


def test_a_line_is_masked_by_what_stands_above_it() -> None:
    text = """{
  "userID":
    "user-1042",
  "customIDs": {
    "account":

      "acme"
  },
  "plan": "pro"
}"""
    lines = text.split("\n")
    shown = [masked_line(lines, at).strip() for at in range(len(lines))]
    assert "|".join(shown) == '{|"userID":|"•••••••••",|"customIDs": {|"account":||"••••"|},|"plan": "pro"|}'
    assert masked_line(["x" * 5_000, '"userID":', '"u-1"'], 2) == '"•••"'


def test_a_place_says_whether_its_value_tells_who_somebody_is() -> None:
    known = ("user.userID", "data[0].user.customIDs.account", "timeUUID", "user.email", "user.ip")
    assert all(identifies(path) for path in known)
    assert not any(identifies(path) for path in ("", "value", "metadata.plan", "data[0].eventName"))


def test_blanks_around_a_cell_stay() -> None:
    assert dots("  u 1 ") == "  ••• "
