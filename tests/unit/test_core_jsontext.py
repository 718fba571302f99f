"""JSON as text: what is taken, what is refused and where (reliability.md §2.3); spelling survives."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from statsig_tui.core import jsontext
from statsig_tui.core.jsontext import JsonError, items, join, members, parse


def refusal(raw: bytes) -> JsonError:
    with pytest.raises(JsonError) as caught:
        parse(raw)
    return caught.value


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        pytest.param(b'\xef\xbb\xbf{"a":1}', {"a": 1}, id="J07 BOM"),
        pytest.param(rb'"\ud800"', "\ud800", id="J08 lone surrogate in a value"),
        pytest.param(rb'{"\ud800":1}', {"\ud800": 1}, id="J08 lone surrogate in a key"),
        pytest.param(rb'"\udc00\ud800"', "\udc00\ud800", id="J08 reversed pair"),
        pytest.param(rb'"\ud83d\ude00"', "😀", id="J08 whole pair"),
        pytest.param(rb'{"\u0000":"\u0000"}', {"\0": "\0"}, id="J09 NUL as an escape"),
        pytest.param(b"9007199254740993", 2**53 + 1, id="J12 beyond a double"),
        pytest.param(b"9223372036854775808", 2**63, id="J12 2^63"),
        pytest.param(b"18446744073709551616", 2**64, id="J12 2^64"),
        pytest.param(b"-9223372036854775809", -(2**63) - 1, id="J12 below int64"),
        pytest.param(b"1" + b"0" * 30, 10**30, id="J12 10^30"),
        pytest.param(b"1" * 4300, int("1" * 4300), id="J13 4,300 digits"),
        pytest.param(b"-" + b"1" * 4300, -int("1" * 4300), id="J13 4,300 digits, negative"),
        pytest.param(b"0." + b"1" * 100_000, 0.1111111111111111, id="J14 long float"),
        pytest.param(b"1.00000000000000000001", 1.0, id="J14 rounded"),
        pytest.param(b"1e-400", 0.0, id="J14 too small"),
        pytest.param(b"-0", 0, id="J15 -0"),
        pytest.param(b'{"a":1,"a":2}', {"a": 2}, id="J16 duplicate key"),
        pytest.param(rb'{"a":1,"\u0061":2}', {"a": 2}, id="J16 duplicate by escape"),
        pytest.param(
            b'{"__proto__":1,"constructor":2,"":3,"a.b":4,"$x":5}',
            {"__proto__": 1, "constructor": 2, "": 3, "a.b": 4, "$x": 5},
            id="J28 keys",
        ),
        pytest.param(b" [ 1 ,\t{ } \r\n] ", [1, {}], id="space"),
    ],
)
def test_taken(raw: bytes, value: Any) -> None:
    assert parse(raw) == value


@pytest.mark.parametrize(
    ("raw", "code", "says"),
    [
        pytest.param(b"NaN", "bad_number", "NaN is not JSON", id="J10 NaN"),
        pytest.param(b'{"a":[Infinity]}', "bad_number", "Infinity", id="J10 Infinity"),
        pytest.param(b"[-Infinity]", "bad_number", "-Infinity", id="J10 -Infinity"),
        pytest.param(b"1e400", "bad_number", "beyond the range", id="J11 1e400"),
        pytest.param(b'{"a":-1e400}', "bad_number", "beyond the range", id="J11 -1e400"),
        pytest.param(rb'["\ud800",1e400]', "bad_number", "beyond the range", id="J11 beside a surrogate"),
        pytest.param(rb'["\ud800",NaN]', "bad_number", "NaN", id="J10 beside a surrogate"),
        pytest.param(b"1" * 4301, "bad_number", "4,300 digits", id="J13 4,301 digits"),
        pytest.param(b"[" + b"1" * 100_000 + b"]", "bad_number", "4,300 digits", id="J13 100,000 digits"),
        pytest.param('{"a":1}'.encode("utf-16"), "bad_utf8", "UTF-16", id="J07 UTF-16 LE"),
        pytest.param(b"\xfe\xff" + '{"a":1}'.encode("utf-16-be"), "bad_utf8", "UTF-16", id="J07 UTF-16 BE"),
        pytest.param(b'{"a":"caf\xe9"}', "bad_utf8", "offset 9", id="J07 Latin-1"),
        pytest.param(b'"\xc0\xaf"', "bad_utf8", "offset 1", id="J07 overlong"),
        pytest.param(b'"\xed\xa0\x80"', "bad_utf8", "offset 1", id="J07 surrogate in UTF-8"),
        pytest.param(b'"\xf4\x90\x80\x80"', "bad_utf8", "offset 1", id="J07 beyond Unicode"),
        pytest.param(b'"a\0b"', "bad_json", "control character at line 1, column 3", id="J09 raw NUL"),
        pytest.param(
            b'["a",\n"b\n"]', "bad_json", "control character at line 2, column 3", id="J09 raw newline"
        ),
        pytest.param(b'"a\tb"', "bad_json", "control character", id="J09 raw tab"),
        pytest.param(b"01", "bad_json", "line 1, column 2", id="J15 01"),
        pytest.param(b"+1", "bad_json", "line 1, column 1", id="J15 +1"),
        pytest.param(b"0x10", "bad_json", "line 1, column 2", id="J15 0x10"),
        pytest.param(b".5", "bad_json", "line 1, column 1", id="J15 .5"),
        pytest.param(b"1.", "bad_json", "line 1, column 2", id="J15 1."),
        pytest.param(b"[1,]", "bad_json", "line 1, column 4", id="J17 trailing comma"),
        pytest.param(b"[1, // one\n2]", "bad_json", "line 1, column 5", id="J17 comment"),
        pytest.param(b"{'a':1}", "bad_json", "double quotes", id="J17 single quotes"),
        pytest.param(b"{}{}", "bad_json", "follows the end", id="J17 two documents"),
        pytest.param(b'{"a":1}\n{"a":2}\n', "bad_json", "NDJSON", id="J17 NDJSON"),
        pytest.param(b"{} x", "bad_json", "line 1, column 4", id="J17 trailing text"),
        pytest.param(b"", "bad_json", "line 1, column 1", id="J01 empty"),
    ],
)
def test_refused(raw: bytes, code: str, says: str) -> None:
    error = refusal(raw)
    assert error.code == code
    assert says in error.message


@pytest.mark.parametrize("open_close", [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
@pytest.mark.parametrize("depth", [198, 200, 202, 1000, 100_000])
def test_depth(open_close: tuple[bytes, bytes], depth: int) -> None:
    """J19"""
    opening, closing = open_close
    times = depth // (opening.count(b"[") + opening.count(b"{"))
    raw = opening * times + b"1" + closing * times
    if depth <= 200:
        assert parse(raw)
    else:
        assert refusal(raw).code == "too_deep"
        assert refusal(opening * times).code == "too_deep"


def test_brackets_in_strings_are_no_depth() -> None:
    text = "[" * 500 + '\\"{'
    raw = json.dumps([text, {text: []}]).encode()
    assert parse(raw) == [text, {text: []}]


def test_more_containers_than_memory_is_meant_for_are_refused_before_they_are_made() -> None:
    """J20"""
    most = jsontext.MAX_CONTAINERS
    assert refusal(b"[" + b"[]," * most + b"[]]").code == "too_many_values"
    spelled = json.dumps(["[]" * most] + [[]] * 300)
    assert parse(spelled.encode())[0] == "[]" * most


def test_every_prefix_of_a_batch_is_refused(data: Any) -> None:
    """J18"""
    raw = data("batch-string-timestamp-unknown-keys.json").strip()
    assert parse(raw)
    for end in range(len(raw)):
        assert refusal(raw[:end]).code in {"bad_json", "bad_utf8"}


def test_a_string_of_ten_megabytes_costs_little_more_than_itself() -> None:
    script = (
        "import resource; from statsig_tui.core import jsontext\n"
        "raw = b'[\"' + b'x' * 10_000_000 + b'\"' + b',[]' * 300 + b']'\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "jsontext.check_depth(raw)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    # Kilobytes on Linux, bytes on macOS.
    assert int(run.stdout) / (1 if sys.platform == "linux" else 1024) < 50_000


SPELLED = {
    "float": b"1.0",
    "exponent": b"1e3",
    "digits": b"12345678901234567890",
    "long": b"0.1000000000000000055511151231257827",
    "escape": rb'"caf\u00e9 \/ \ud83d\ude00"',
    "array": b"[ 1.0 , 2e0 ]",
    "object": b'{ "b" : 1.50 }',
    "null": b"null",
    "minus": b"-0",
}


@pytest.mark.parametrize("surrogate", [False, True])
def test_members_keep_their_spelling(surrogate: bool) -> None:
    parts = SPELLED | ({"lone \ud800": rb'"\udfff"'} if surrogate else {})
    raw = b"{ " + b" ,\n ".join(jsontext.dump(k) + b" : " + v for k, v in parts.items()) + b" }"
    assert members(raw) == parts
    assert parse(join(members(raw))) == parse(raw)


@pytest.mark.parametrize("surrogate", [False, True])
def test_items_keep_their_spelling(surrogate: bool) -> None:
    parts = [*SPELLED.values(), *([rb'"\ud800"', rb'{"\ud800":1.0}'] if surrogate else [])]
    assert items(b" [\n" + b" , ".join(parts) + b" ] ") == parts


def test_a_duplicate_keeps_the_last_spelling() -> None:
    assert members(b'{"a":1.0,"b":2,"a":1e0}') == {"a": b"1e0", "b": b"2"}
    assert members(rb'{"a":1.0,"\u0061":1e0,"x":"\ud800"}') == {"a": b"1e0", "x": rb'"\ud800"'}


def test_empty_containers() -> None:
    assert members(b" {} ") == {}
    assert items(b"[ ]") == []


def test_dump_writes_what_any_parser_takes() -> None:
    assert jsontext.dump({"é": "☕"}) == '{"é":"☕"}'.encode()
    assert parse(jsontext.dump({"é\ud800": ["\udfff"]})) == {"é\ud800": ["\udfff"]}
