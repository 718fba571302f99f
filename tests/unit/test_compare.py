"""What a comparison says of two bodies: places, kinds, what it passes over, and bytes of any other kind."""

from __future__ import annotations

import pytest

from statsig_tui.core.compare import compare

EVENT = b'{"user":{"userID":"u1"},"event":"a","value":1.0,"metadata":{"n":"1"},"timestamp":5}'


def said(left: bytes, right: bytes, *, noise: bool = True) -> list[str]:
    """Each change in a line."""
    changes = compare(left, right).changes
    return [
        f"{change.kind} {change.where}: {change.left} | {change.right}"
        for change in changes
        if noise or not change.is_noise
    ]


def test_changes_have_paths_and_kinds() -> None:
    other = (
        b'\xef\xbb\xbf{ "timestamp": 6, "event":"a", "value":1, "tags": [], "metadata":{"n":1,"x y":null} }'
    )
    assert said(EVENT, other) == [
        'removed user: {"userID":"u1"} | None',
        "spelled value: 1.0 | 1",
        'changed metadata.n: "1" | 1',
        "added metadata.x y: None | null",
        "changed timestamp: 5 | 6",
        "added tags: None | []",
    ]
    assert len(said(EVENT, other, noise=False)) == 5


@pytest.mark.parametrize(
    ("left", "right", "says"),
    [
        (b'{"a":1,"a":2}', b'{"a":1}', ["removed a (no. 2): 2 | None"]),
        (b'{"a":{"b":1},"a":{"b":1}}', b'{"a":{"b":1},"a":{"b":2}}', ["changed a (no. 2).b: 1 | 2"]),
        (b'{"\\u0061":1}', b'{"a":1}', ['spelled a: "\\u0061" | "a"']),
        (b'["a/b"]', b'["a\\/b"]', ['spelled [0]: "a/b" | "a\\/b"']),
        (b"[0.1]", b"[0.10000000000000001]", ["changed [0]: 0.1 | 0.10000000000000001"]),
        (b"[1e-99999999999999999999]", b"[0]", ["changed [0]: 1e-99999999999999999999 | 0"]),
        (b"[1,2,3]", b"[0,1,2,3]", ["added [0]: None | 0"]),
        (b"[1,2,9,3]", b"[1,2,3]", ["removed [2]: 9 | None"]),
        (b'{"a.b":{"":1}}', b'{"a.b":{"":2}}', ['changed "a.b"."": 1 | 2']),
        (b"1", b"2", ["changed (the whole): 1 | 2"]),
        (b"one\ntwo\nthree", b"one\nthree", ["removed line 2: two | None"]),
        (b"one\nthree", b"zero\none\n3", ["added line 1: None | zero", "changed line 2: three | 3"]),
        (b'{"a":', b'{"a":1}', ['changed line 1: {"a": | {"a":1}']),
        (b"\xff" * 17, b"\xff" * 18, ["changed byte 0x10: ff | ff ff"]),
        (b"", b"", []),
    ],
)
def test_what_is_compared_how(left: bytes, right: bytes, says: list[str]) -> None:
    assert said(left, right) == says


def test_noise_is_passed_over_at_any_depth_and_hides_no_event_that_came() -> None:
    def batch(*ids: int) -> bytes:
        events = (b'{"eventName":"e%d","timeUUID":"%d","timestamp":%d}' % (i % 10, i, i) for i in ids)
        return b'{"data":[' + b",".join(events) + b"]}"

    assert said(batch(1, 2), batch(11, 12), noise=False) == []
    assert len(said(batch(1, 2), batch(11, 12))) == 4
    [came] = said(batch(1, 2), batch(17, 11, 12), noise=False)
    assert came.startswith("added data[0]: None | {")
    changed = batch(17, 11, 12).replace(b'"e2"', b'"e3"')
    assert said(batch(1, 2, 4), changed, noise=False)[1:] == [
        'changed data[1].eventName: "e2" | "e3"',
        'removed data[2]: {"eventName":"e4","timeUUID":"4","timestamp":4} | None',
    ]


def test_many_lines_and_deep_json_are_compared_too() -> None:
    lines = b"\n".join(b"%d" % number for number in range(5000))
    assert said(lines, b"x\n" + lines) == ["added line 1: None | x"]
    assert len(said(lines, lines.replace(b"1", b"x"))) == sum("1" in str(number) for number in range(5000))
    deep = b"[" * 200 + b"%d" + b"]" * 200
    assert said(deep % 1, deep % 2) == [f"changed {'[0]' * 200}: 1 | 2"]
