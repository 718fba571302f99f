"""Table J of reliability.md §2.3: bodies, well signed, and what the receiver makes of them.

What is no JSON is none at the emulator either.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.corpus.wire import BATCH


@dataclass(frozen=True, slots=True)
class Case:
    """A body, its answer, and what a capture of it shows."""

    id: str
    body: bytes
    code: str | None = None
    """The fault that is answered; None: it is a batch."""
    says: str = ""
    status: int = 400
    """The answer where there is a code."""
    names: tuple[str, ...] = ()
    """The events' names as they are shown; every one of them unless there are very many."""
    stored: int | None = None
    """Events; None: as many as there are names."""
    rejected: tuple[int, ...] = ()
    """Places of items that are no events."""
    envelope: str = "data"
    user_id: str | None = None
    """The first event's, as is its"""
    time_uuid: str | None = None
    """and its"""
    timestamp: int | None = None
    marks: tuple[str, ...] = ()
    """How each mark on it begins: its word, a colon, its sentence."""
    row: str = ""
    """In its line on the list."""

    @property
    def is_json(self) -> bool:
        """Whether it is JSON at all; if not, either listener refuses it."""
        return self.code not in {"bad_json", "bad_utf8", "bad_number", "too_deep"}


def _no(id: str, body: bytes, says: str = "neither an object nor an array") -> Case:  # noqa: A002
    return Case(id, body, "not_a_batch", says)


def _bad(id: str, value: bytes, says: str = "", code: str = "bad_json") -> Case:  # noqa: A002
    return Case(id, b'{"data":[{"v":' + value + b"}]}", code, says)


def _taken(id: str, value: bytes, *marks: str) -> Case:  # noqa: A002
    return Case(id, b'{"data":[{"eventName":"e","v":' + value + b"}]}", names=("e",), marks=marks)


def _named(id: str, name: bytes, shown: str, *marks: str, row: str = "") -> Case:  # noqa: A002
    return Case(id, b'{"data":[{"eventName":' + name + b"}]}", names=(shown,), marks=marks, row=row)


def _timed(id: str, timestamp: bytes, shown: int | None, *marks: str) -> Case:  # noqa: A002
    body = b'{"data":[{"eventName":"e","timestamp":' + timestamp + b"}]}"
    return Case(id, body, names=("e",), timestamp=shown, marks=marks)


def _text(body: str) -> bytes:
    return body.encode()


SHAPES = [
    _no("J01 empty", b"", "The body is empty"),
    _no("J01 white space", b" \r\n\t", "The body is empty"),
    _no("J01 null", b"null"),
    _no("J01 true", b"true"),
    _no("J01 42", b"42"),
    _no("J01 text", b'"x"'),
    _no("J02 {}", b"{}", "data is missing"),
    _no("J02 data null", b'{"data":null}', "data is null"),
    _no("J02 data text", b'{"data":"x"}', "data is a string"),
    _no("J02 data {}", b'{"data":{}}', "data is an object"),
    _no("J02 data 1", b'{"data":1}', "data is a number"),
    _no("J02 data true", b'{"data":true}', "data is a boolean"),
    _no("J02 events", b'{"events":[]}', "calls its events data"),
    Case("J03 no events in data", b'{"data":[]}'),
    Case("J03 no events in an array", b"[]", envelope="array"),
    Case("J04 array", b'[{"eventName":"a"},{"eventName":"b"}]', names=("a", "b"), envelope="array"),
    _no("J05 one event", b'{"eventName":"e","user":{}}', 'wrap the event in {"data":['),
    Case("J06 items that are no events", b'{"data":[1,null,"x",[],{"eventName":"good"}]}', names=("good",),
         rejected=(0, 1, 2, 3)),
]  # fmt: skip

_HALF = "surrogate: half of a character"
TEXT = [
    Case("J07 byte order mark", b"\xef\xbb\xbf" + BATCH, names=("checkout",), user_id="u1",
         time_uuid="f4c414a0-8ab5-11ec-a8a3-0242ac120001"),
    Case("J07 UTF-16 LE", b"\xff\xfe" + BATCH.decode().encode("utf-16-le"), "bad_utf8", "looks like UTF-16"),
    Case("J07 UTF-16 BE", b"\xfe\xff" + BATCH.decode().encode("utf-16-be"), "bad_utf8", "looks like UTF-16"),
    _bad("J07 Latin-1", b'"caf\xe9"', "offset 18", "bad_utf8"),
    _bad("J07 overlong", b'"\xc0\xaf"', "offset 15", "bad_utf8"),
    _bad("J07 surrogate in UTF-8", b'"\xed\xa0\x80"', "offset 15", "bad_utf8"),
    _bad("J07 beyond Unicode", b'"\xf4\x90\x80\x80"', "offset 15", "bad_utf8"),
    _named("J08 lone surrogate in a value", rb'"a\ud800"', "a\\ud800", _HALF),
    _taken("J08 lone surrogate in a key", rb'{"\ud800":1}', _HALF),
    _named("J08 reversed pair", rb'"\udc00\ud800"', "\\udc00\\ud800", _HALF),
    _named("J08 pair", rb'"\ud83d\ude00"', "\N{GRINNING FACE}"),
    Case("J08 surrogates in ids", rb'[{"eventName":"e","userID":"\udfff","timeUUID":"\ud800"}]', names=("e",),
         envelope="array", user_id="\\udfff", time_uuid="\\ud800", marks=(_HALF,)),
    _named("J09 escaped NUL", rb'"a\u0000b"', "a\0b"),
    _taken("J09 escaped NUL in a key", rb'{"\u0000":1}'),
    _bad("J09 raw NUL", b'"a\0b"', "control character"),
    _bad("J09 raw newline", b'"a\nb"', "control character"),
    _bad("J09 raw tab", b'"a\tb"', "control character"),
    _bad("J09 raw ESC", b'"a\x1bb"', "control character"),
]  # fmt: skip

NUMBERS = [
    *(_bad(f"J10 {word}", word.encode(), word, "bad_number") for word in ("NaN", "Infinity", "-Infinity")),
    _bad("J10 NaN beside a surrogate", rb'["\ud800",NaN]', "NaN", "bad_number"),
    _bad("J11 1e400", b"1e400", "beyond the range", "bad_number"),
    _bad("J11 -1e400", b"-1e400", "beyond the range", "bad_number"),
    _bad("J11 1e400 beside a surrogate", rb'["\ud800",1e400]', "beyond the range", "bad_number"),
    *(_taken(f"J12 {number}", str(number).encode(), f"rounded: read as a double: {number} (beyond 2^53")
      for number in (2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**30)),
    Case("J12 2^64 as userID", b'[{"eventName":"e","userID":18446744073709551616}]', names=("e",),
         envelope="array", user_id="18446744073709551616", marks=("rounded: ",)),
    _timed("J12 2^64 as timestamp", b"18446744073709551616", None, "rounded: ", "unparsed: "),
    _taken("J13 4,300 digits", b"1" * 4300, "rounded: "),
    _bad("J13 4,301 digits", b"1" * 4301, "4,300 digits", "bad_number"),
    _bad("J13 100,000 digits", b"1" * 100_000, "4,300 digits", "bad_number"),
    Case("J13 4,300 digits as userID", b'[{"eventName":"e","userID":' + b"1" * 4300 + b"}]", names=("e",),
         envelope="array", user_id="1" * 4300, marks=("rounded: ",)),
    _taken("J14 100,000 digits behind the point", b"0." + b"1" * 100_000,
           "rounded: read as a double: 0.1111111111111111111111111111111111111… (100000 digits: a"),
    _taken("J14 more than a double holds", b"1.00000000000000000001",
           "rounded: read as a double: 1.00000000000000000001 (21 digits: a double keeps 17)."),
    _taken("J14 less than a double holds", b"1e-400",
           "rounded: read as a double: 1e-400 (so small that it is read as 0)."),
    _taken("J14 what a double holds", b"[0.1,-1.5e300,9007199254740992,12345678901234567.0e-3]"),
    _taken("J14 several", b"[1e-400,9007199254740993,2e-400]",
           "rounded: read as a double: 1e-400 (so small that it is read as 0), and 2 more such numbers."),
    _taken("J15 -0", b"-0"),
    *(_bad(f"J15 {word}", word.encode()) for word in ("01", "+1", "0x10", ".5", "1.", "1e", "--1", "1_000")),
]  # fmt: skip

_PRETTY = b'{\n  "data": [\n    {"eventName": "e"},\n  ]\n}'
SYNTAX = [
    Case("J16 duplicate key", b'[{"eventName":"a","eventName":"b"}]', names=("b",), envelope="array",
         marks=("twice: eventName is twice in an object: the last one counts.",)),
    Case("J16 duplicate through an escape", rb'[{"eventName":"a","event\u004eame":"b"}]', names=("b",),
         envelope="array", marks=("twice: eventName is twice",)),
    Case("J16 duplicate data", b'{"data":[],"data":[{"eventName":"b"}]}', names=("b",),
         marks=("twice: data is twice",)),
    Case("J16 duplicate data beside a surrogate", rb'{"data":[1],"data":[{"eventName":"\ud800"}]}',
         names=("\\ud800",), marks=("twice: data is twice", _HALF)),
    _taken("J16 five duplicate keys, deep inside",
           b'[{"a":1,"a":2,"b":1,"b":2,"c":1,"c":2,"":1,"":2,"d":1,"d":2}]',
           "twice: a, b, c and 2 more are twice in an object"),
    _taken("J16 the same keys in two objects", b'[{"a":1,"b":"a"},{"a":2}]'),
    Case("J16 timeUUID twice", b'[{"eventName":"a","timeUUID":"t"},{"eventName":"b","timeUUID":"t"}]',
         names=("a", "b"), envelope="array", time_uuid="t",
         marks=("twice: timeUUID t is that of events 0, 1.",)),
    Case("J17 trailing comma", _PRETTY, "bad_json", "line 4, column 3"),
    _bad("J17 comment", b"1 /* one */", "line 1, column 17"),
    _bad("J17 single quotes", b"'a'", "line 1, column 15"),
    Case("J17 two documents", BATCH + BATCH, "bad_json", "follows the end"),
    Case("J17 NDJSON", BATCH + b"\n" + BATCH + b"\n", "bad_json", "NDJSON"),
    Case("J17 trailing text", BATCH + b" x", "bad_json", "follows the end"),
    *(Case(f"J18 the first {end} bytes", BATCH[:end], "bad_json") for end in range(1, len(BATCH))),
]  # fmt: skip


def _nested(opening: bytes, closing: bytes, times: int) -> bytes:
    return opening * times + b"1" + closing * times


KINDS = {"arrays": (b"[", b"]"), "objects": (b'{"a":', b"}"), "mixed": (b'[{"a":', b"}]")}
_FRAME = 3
"""How deep `v` is itself."""
DEPTH = [
    *(_taken(f"J19 {name} {depth} deep", _nested(*pair, (depth - _FRAME) // (2 if name == "mixed" else 1)))
      for name, pair in KINDS.items() for depth in (199, 200)),
    *(_bad(f"J19 {name} {depth} deep", _nested(*pair, depth // (2 if name == "mixed" else 1)), "200 levels",
           "too_deep") for name, pair in KINDS.items() for depth in (202, 1000, 100_000)),
    *(Case(f"J19 {name}, never closed", pair[0] * 100_000, "too_deep") for name, pair in KINDS.items()),
    _taken("J19 brackets in text", b'"' + b"[" * 1000 + b'\\"{"'),
]  # fmt: skip

_MANY_NAMES = b"[" + b",".join(b'{"eventName":"name %d"}' % n for n in range(10_000)) + b"]"
SIZES = [
    Case("J20 a million small objects", b"[" + b",".join([b'{"a":1}'] * 1_000_000) + b"]", "too_many_events",
         "1,000,000 events", 413),
    Case("J20 a million small objects in an event", b'[{"v":[' + b",".join([b'{"a":1}'] * 1_000_000) + b"]}]",
         names=("",), envelope="array"),
    Case("J20 three million empty arrays", b"[" + b",".join([b"[]"] * 3_000_000) + b"]", "too_many_values",
         "1,048,576 objects and arrays", 413),
    Case("J20 600,000 keys", b"[{" + b",".join(b'"k%d":1' % n for n in range(600_000)) + b"}]", names=("",),
         envelope="array"),
    Case("J21 10,000 events", b"[" + b",".join([b"{}"] * 10_000) + b"]", stored=10_000, envelope="array"),
    Case("J21 10,001 events", b"[" + b",".join([b"{}"] * 10_001) + b"]", "too_many_events", "10,001 events",
         413),
    Case("J22 a 2 MiB event among others",
         b'[{"eventName":"a"},{"eventName":"b","v":"' + b"x" * 2**21 + b'"},{"eventName":"c"}]',
         names=("a", "b", "c"), envelope="array"),
    Case("J29 10,000 names", _MANY_NAMES, stored=10_000, envelope="array",
         row=" name 0, name 1, +9,998 more  "),
    Case("J29 names that fit", b"[" + b",".join(b'{"eventName":"%d"}' % n for n in range(9)) + b"]",
         names=tuple("012345678"), envelope="array", row=" 0, 1, 2, 3, 4, 5, 6, 7, 8  "),
]  # fmt: skip

_UUID = "f4c414a0-8ab5-11ec-a8a3-0242ac120001"
_ANSI = r"\u001b[31m"
FIELDS = [
    Case("J23 no name", b"[{}]", names=("",), envelope="array"),
    _named("J23 empty name", b'""', ""),
    _named("J23 name 5", b"5", ""),
    _named("J23 name null", b"null", ""),
    _named("J23 10 kB", b'"' + b"e" * 10_000 + b'"', "e" * 10_000),
    _named("J23 markup", b'"[@click=app.quit]sale[/]"', "[@click=app.quit]sale[/]"),
    _named("J23 colour", b'"[red]x"', "[red]x"),
    _named("J23 ESC", _text(f'"{_ANSI}"'), "\x1b[31m"),
    _named("J23 right to left", '"\u202eabc"'.encode(), "\u202eabc"),
    _named("J23 emoji family", '"\U0001f468\u200d\U0001f469\u200d\U0001f467"'.encode(),
           "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
    _named("J23 emoji code", b'":warning:"', ":warning:"),
    _timed("J24 number", b"1767225600000", 1_767_225_600_000),
    _timed("J24 digits as text", b'"1767225600000"', 1_767_225_600_000),
    _timed("J24 ISO", b'"2026-01-01T00:00:00Z"', 1_767_225_600_000),
    _timed("J24 word", b'"soon"', None, 'unparsed: timestamp "soon" is no time.'),
    _timed("J24 float", b"1767225600000.5", 1_767_225_600_000),
    _timed("J24 negative", b"-1", -1),
    _timed("J24 year 99999", b"3093527980800000", 3_093_527_980_800_000,
           "unparsed: timestamp 3093527980800000 is no time."),
    _timed("J24 1e300", b"1e300", None, "unparsed: "),
    _timed("J24 null", b"null", None, "unparsed: timestamp null is no time."),
    _timed("J24 true", b"true", None, "unparsed: timestamp true is no time."),
    _timed("J24 object", b'{"data":1}', None, "unparsed: timestamp (an object) is no time."),
    Case("J24 two bad ones", b'[{},{"timestamp":"a"},{"timestamp":[]}]', names=("", "", ""), envelope="array",
         marks=('unparsed: timestamp "a" of event 1 is no time, and 1 more such timestamps.',)),
    Case("J25 no timeUUID", b'[{"eventName":"e"}]', names=("e",), envelope="array"),
    Case("J25 null", b'[{"eventName":"e","timeUUID":null}]', names=("e",), envelope="array"),
    Case("J25 number", b'[{"eventName":"e","timeUUID":5}]', names=("e",), envelope="array"),
    Case("J25 no UUID", b'[{"eventName":"e","timeUUID":"g123"}]', names=("e",), envelope="array",
         time_uuid="g123"),
    Case("J25 10 kB", b'[{"eventName":"e","timeUUID":"' + b"t" * 10_000 + b'"}]', names=("e",),
         envelope="array", time_uuid="t" * 10_000),
    Case("J25 UUID", _text(f'[{{"eventName":"a","timeUUID":"{_UUID}"}}]'), names=("a",), envelope="array",
         time_uuid=_UUID),
    Case("J25 the same UUID again", _text(f'[{{"eventName":"b","timeUUID":"{_UUID}"}}]'), names=("b",),
         envelope="array", time_uuid=_UUID),
    Case("J26 twins without timeUUID", b'[{"eventName":"e"},{"eventName":"e"}]', names=("e", "e"),
         envelope="array"),
    *(Case(f"J27 {field} {value}", _text(f'[{{"eventName":"e","{field}":{value}}}]'), names=("e",),
           envelope="array") for field, value in (("user", "null"), ("user", '"u"'), ("user", "[]"),
           ("metadata", "[]"), ("metadata", '"m"'), ("value", "{}"), ("value", "true"))),
    Case("J27 user in user", b'[{"eventName":"e","user":{"userID":"u2"}}]', names=("e",), envelope="array",
         user_id="u2"),
    *(_taken(f"J28 {key or 'empty'}", _text(f'{{"{key}":1}}'))
      for key in ("__proto__", "constructor", "", "a.b", "$x", "a key")),
    _named("J30 zalgo", ('"' + "a" + "\u0301" * 3_000 + '"').encode(), "a" + "\u0301" * 3_000,
           row="a" + "\u0301" * 4 + "‹+"),
    _named("J30 one line of 200 kB", b'"' + b"x" * 200_000 + b'"', "x" * 200_000, row="xxxxxxx…   ✓"),
    _named("J30 100,000 newlines", b'"' + rb"\n" * 100_000 + b'"', "\n" * 100_000, row="⏎⏎⏎…   ✓"),
    _named("J30 tabs", rb'"\t\t"', "\t\t", row=" ⇥⇥ "),
    _named("J30 line separator", '"\u2028"'.encode(), "\u2028", row="\\u{2028}"),
    _named("J30 tag characters", '"\U000e0041"'.encode(), "\U000e0041", row="\\u{e0041}"),
]  # fmt: skip

CASES = [*SHAPES, *TEXT, *NUMBERS, *SYNTAX, *DEPTH, *SIZES, *FIELDS]
