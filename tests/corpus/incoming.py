"""Table E of reliability.md §2.4: what the emulator makes of keys and incoming events.

The forms of other origins (E10) are with the browsers in `requests`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.conftest import KEY
from tests.corpus.wire import BATCH, EVENT, HOOK, KEY_LINE, NOW, signature_lines

CLIENT = "client-" + "c" * 43
LOG_EVENT = "/v1/log_event"
RGSTR = "/v1/rgstr"
YEAR = 365 * 86_400_000


@dataclass(frozen=True, slots=True)
class Case:
    """A request to the emulator, its answer, and the events that come of it."""

    id: str
    body: bytes = EVENT
    lines: tuple[str, ...] = (KEY_LINE,)
    path: str = HOOK
    status: int = 202
    says: str = ""
    """In the error, and in what is shown of the request."""
    shown: str = ""
    """The path under which it is shown; empty: any."""
    names: tuple[str, ...] = ("checkout",)
    """Of the events that are accepted; where it is not lenient, with a 400 none."""
    lenient: int = 0
    """The answer where the emulator is lenient; 0: the same."""
    note: str = ""
    """What is said of the first event."""
    forwarded: bool = True
    sent_on: bytes = b""
    """What the receiver gets among other bytes, exactly so spelled."""


def _keyless(id: str, *keys: str, says: str, path: str = HOOK, shown: str = "") -> Case:  # noqa: A002
    lines = tuple(f"STATSIG-API-KEY: {key}" for key in keys)
    return Case(id, EVENT, lines, path, 401, says, shown=shown, names=())


def _faulty(id: str, body: bytes, says: str, *names: str) -> Case:  # noqa: A002
    """Refused with 400, or accepted with a word where the emulator is lenient."""
    return Case(id, body, status=400, says=says, names=names, lenient=202, forwarded="" not in names)


def _with(member: str) -> bytes:
    return EVENT[:-1] + f",{member}}}".encode()


_MALFORMED = "must be a secret-… key"
KEYS = [
    _keyless("E01 none", says="STATSIG-API-KEY is missing"),
    _keyless("E01 empty", "", says=_MALFORMED),
    _keyless("E01 client", CLIENT, says=_MALFORMED),
    _keyless("E01 console", "console-" + "x" * 43, says=_MALFORMED),
    _keyless("E01 prefix alone", "secret-", says=_MALFORMED),
    _keyless("E01 space inside", "secret-a b", says=_MALFORMED),
    _keyless("E01 tab inside", "secret-a\tb", says=_MALFORMED),
    _keyless("E01 nonsense", "nonsense", says=_MALFORMED),
    _keyless("E01 upper case", KEY.upper(), says=_MALFORMED),
    _keyless("E01 beyond ASCII", "secret-\xe9" + "k" * 43, says=_MALFORMED),
    _keyless("E01 two keys", KEY, KEY, says="sent twice"),
    Case("E01 10 kB", lines=("STATSIG-API-KEY: secret-" + "k" * 10_000,)),
    Case("E01 spaces around it", lines=(f"STATSIG-API-KEY:   {KEY} \t",)),
    Case("E01 upper-case name", lines=(f"STATSIG-API-KEY: {KEY}",)),
    Case("E01 lower-case name", lines=(f"statsig-api-key: {KEY}",)),
    _keyless("E02 in the query", says="query is not read", path=f"{HOOK}?k={KEY}",
             shown=f"{HOOK}?k=secret-…kkkk"),
    _keyless("E02 under another name", says="is missing", path=f"{HOOK}?apiKey={KEY}&x=1",
             shown=f"{HOOK}?apiKey=secret-…kkkk&x=1"),
    Case("E02 as an SDK sends it", b'{"events":[{"eventName":"checkout"}]}', (), f"{RGSTR}?k={CLIENT}"),
]  # fmt: skip

SHAPES = [
    _faulty("E03 array", b"[" + EVENT + b"]", "the body is an array"),
    _faulty("E03 events", b'{"events":[' + EVENT + b"]}", "events: batches are not taken here"),
    _faulty("E03 data", b'{"data":[' + EVENT + b"]}", "data: batches are not taken here"),
    _faulty("E03 text", b'"checkout"', "not a JSON object"),
    _faulty("E03 null", b"null", "not a JSON object"),
    _faulty("E03 eventName", b'{"user":{},"eventName":"e"}', "eventName belongs to /v1/log_event", ""),
    _faulty("E03 time", b'{"user":{},"time":5}', "event: missing", ""),
    _faulty("E03 metadata is text", _with('"metadata":"x"'), "metadata: must be an object", "checkout"),
    _faulty("E03 value is an array", _with('"value":[]'), "value: must be a string or a number", "checkout"),
    _faulty("E04 empty name", b'{"user":{},"event":""}', "event: must be a string that is not empty", ""),
    _faulty("E04 name 5", b'{"user":{},"event":5}', "event: must be a string", ""),
    *(Case(f"E04 {code:#04x}", b'{"user":{},"event":"a\\u%04xb"}' % code, names=(f"a{chr(code)}b",),
           note="Statsig drops names", forwarded=False) for code in b"\\[]{}<>#=;&$%|\0\n\r"),
    *(Case(f"E04 {name}", f'{{"user":{{}},"event":"{name}"}}'.encode(), names=(name,))
      for name in ("a b", "own::name", "/path?x", "e\u0301", "'quoted'", "statsig::gate_exposure")),
    Case("E04 65 kB", b'{"user":{},"event":"' + b"e" * 65_000 + b'"}', names=("e" * 65_000,)),
    Case("E04 lone surrogate", rb'{"user":{},"event":"\ud800"}', names=("\\ud800",), sent_on=rb'"\ud800"'),
    _faulty("E05 no user", b'{"event":"e"}', "user: missing", "e"),
    _faulty("E05 user null", b'{"event":"e","user":null}', "user: missing", "e"),
    _faulty("E05 user is text", b'{"event":"e","user":"u"}', "user: must be an object", "e"),
    _faulty("E05 userId at the top", b'{"event":"e","userId":"u"}', "userId belongs into user", "e"),
    *(Case(f"E05 user {user[:20]}", f'{{"event":"e","user":{user}}}'.encode(), names=("e",)) for user in
      ("{}", '{"userID":5}', '{"userID":null}', '{"userId":"u"}', '{"customIDs":{"stableID":"s"}}',
       f'{{"userID":"{"u" * 10_000}"}}')),
    Case("E05 private attributes", b'{"event":"e","user":{"privateAttributes":{"ssn":1}}}', names=("e",),
         note="privateAttributes removed", sent_on=b'"user":{}'),
    _faulty("E06 ISO", _with('"timestamp":"2026-01-01T00:00:00Z"'), "timestamp: must be epoch milliseconds",
            "checkout"),
    _faulty("E06 true", _with('"timestamp":true'), "timestamp: must be epoch milliseconds", "checkout"),
    Case("E06 absent", sent_on=f'"timestamp":{NOW}'.encode()),
    Case("E06 null", _with('"timestamp":null'), sent_on=f'"timestamp":{NOW}'.encode()),
    *(Case(f"E06 {stamp}", _with(f'"timestamp":{stamp}'), sent_on=f'"timestamp":{stamp}'.encode())
      for stamp in ("1767225600", "0", "-1", "1e15", "1767225600000.5", f"{NOW + YEAR}", f"{NOW - YEAR}",
                    "18446744073709551616")),
    *(Case(f"J12 {number} in metadata", _with(f'"metadata":{{"n":{number}}}'),
           sent_on=f'"n":{number}'.encode()) for number
      in ("9007199254740993", "18446744073709551616", "1" + "0" * 30, "1.0", "1e3", "-0")),
]  # fmt: skip

LOOPS = [
    Case("E08 a batch from a destination that points here", BATCH, signature_lines(BATCH), status=401,
         says="STATSIG-API-KEY is missing", names=()),
    Case("E08 the same at the root", BATCH, signature_lines(BATCH), "/", status=404, says=HOOK, names=()),
]  # fmt: skip

_TWO = b'{"events":[{"eventName":"a"},5,{"eventName":"b","value":19.99}]}'
SDKS = [
    Case("E03 an SDK's batch with a number in it", _TWO, path=LOG_EVENT, names=("a", "b"),
         says="events: not objects at 1"),
    Case("E03 an SDK's empty batch", b'{"events":[]}', path=LOG_EVENT, names=()),
    Case("E03 one event to log_event", EVENT, path=LOG_EVENT, status=400, says=HOOK, names=()),
    Case("E03 no events", b"{}", path=LOG_EVENT, status=400, says="events: missing", names=()),
    Case("E03 events is text", b'{"events":"x"}', path=LOG_EVENT, status=400, says="must be an array",
         names=()),
    Case("J21 10,001 events", b'{"events":[' + b",".join([b"{}"] * 10_001) + b"]}", path=LOG_EVENT,
         status=400, says="10,000 are the limit", names=()),
]  # fmt: skip

CASES = [*KEYS, *SHAPES, *LOOPS, *SDKS]
