"""Templates with text, numbers and nesting that break parsers, screens and stores. Pure."""

from __future__ import annotations

from statsig_tui.core import draft
from statsig_tui.core.library.model import Template

_GROUP = "QA: characters"
_HEAD = b'{"user":{"userID":"user-1042","statsigEnvironment":{"tier":"development"}},"event":"'
_SAME = "Accepted; the text should come out as it went in."
_REFUSED = "Not JSON: refused."
_DEEP_ENOUGH = 190
_TOO_DEEP = 1000


def _body(
    name: str, about: str, tail: bytes, answer: int, expect: str = _SAME, *, before: bytes = b""
) -> Template:
    return Template(name, draft.decode(before + _HEAD + tail), _GROUP, about, expect, answer)


def _metadata(name: str, about: str, value: str, answer: int = 202, expect: str = _SAME) -> Template:
    return _body(name, about, b'text","metadata":{"text":' + value.encode() + b"}}", answer, expect)


def _deep(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


CHARACTERS = (
    _metadata("emoji", "emoji, joined ones and flags", '"👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪"'),
    _metadata("right-to-left", "Hebrew, Arabic, and marks that turn text around",
              '"שלום مرحبا \u202eabc\u202c \u2067x\u2069"'),
    _metadata("combining", "combining marks, and a flood of them", '"e\u0301 Z' + "\u0351" * 60 + '"'),
    _metadata("invisible", "zero-width and other unseen characters", '"a\u200bb\u2060c\u00add\ufefff"'),
    _metadata("lookalikes", "letters that look like others", '"раураl аpple"'),
    _metadata("nul", "NUL as an escape", r'"a\u0000b"'),
    _metadata("controls", "escape sequences of terminals",
              r'"\u001b[31mred\u001b[0m \u001b]0;title\u0007 \u009b2J"'),
    _metadata("markup", "text that looks like markup or a script",
              r'"[bold]x[/] <script>alert(1)</script> ${x} %s"'),
    _metadata("line-ends", "every kind of line end", r'"a\nb\r\nc\rd\u2028e\u0085f"'),
    _metadata("lone-surrogate", "half of a character, as an escape", r'"\ud83d"', 202,
              "JSON allows the escape; UTF-8 cannot carry it, and parsers differ."),
    _metadata("raw-control", "a line end inside of a string, not escaped", '"a\nb"', 400, _REFUSED),
    _body("invalid-utf-8", "bytes that are not UTF-8", b'caf\xe9 \xff\xfe"}', 400, _REFUSED),
    _body("surrogate-bytes", "half of a character, as bytes", b'\xed\xa0\xbd"}', 400, _REFUSED),
    _body("raw-nul", "a NUL byte in the body", b'a\x00b"}', 400, _REFUSED),
    _body("bom", "a byte order mark before the JSON", b'bom"}', 202,
          "RFC 8259 lets a parser ignore it, or refuse.", before=b"\xef\xbb\xbf"),
    Template("utf-16", draft.decode('{"user":{"userID":"u"},"event":"utf-16"}'.encode("utf-16")), _GROUP,
             "the body in UTF-16", _REFUSED, 400),
    _metadata("huge-integer", "an integer of 100 digits", "9" * 100),
    _metadata("int-64", "integers around 2^53, 2^63 and 2^64",
              "[9007199254740993,9223372036854775808,18446744073709551616]", 202,
              "Accepted; beyond 2^53 JavaScript loses digits."),
    _metadata("exponents", "1e308, 5e-324, -0.0 and 0.1 with all its digits",
              "[1e308,5e-324,-0.0,0.1000000000000000055511151231257827]"),
    _metadata("too-large", "1e400: beyond every double", "1e400", 400,
              "Infinity to some parsers, refused by others."),
    _metadata("nan", "NaN, which is no JSON", "NaN", 400, _REFUSED),
    _metadata("infinity", "-Infinity, which is no JSON", "-Infinity", 400, _REFUSED),
    _metadata("deep", f"{_DEEP_ENOUGH} objects in each other", _deep(_DEEP_ENOUGH)),
    _metadata("too-deep", f"{_TOO_DEEP:,} objects in each other", _deep(_TOO_DEEP), 400,
              "Many parsers give up on the way."),
    _metadata("empty-names", "members without a name, or with a space", '{"":1," ":2,"a.b":3,"a b":4}'),
    _metadata("braces", "two braces, which are no variable here", '"{{{{}}name}}"'),
)  # fmt: skip
