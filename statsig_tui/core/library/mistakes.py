"""Templates that are wrong on purpose in their fields, their framing or their key. Pure."""

from __future__ import annotations

from statsig_tui.core.library.model import Template
from statsig_tui.core.request import Shape, lines_of

_GROUP = "QA: mistakes"
_USER = '"user":{"userID":"user-1042","statsigEnvironment":{"tier":"development"}}'
_UNKNOWN = "What Statsig answers is not documented."


def _wrong(
    name: str, about: str, text: str, answer: int, expect: str = _UNKNOWN, *headers: tuple[str, str]
) -> Template:
    return Template(name, text, _GROUP, about, expect, answer, Shape(headers=lines_of(headers)))


def _field(name: str, about: str, fields: str, answer: int, expect: str = _UNKNOWN) -> Template:
    return _wrong(name, about, "{" + fields + "}", answer, expect)


_EVENT = f'{_USER},"event":"checkout_completed"'

MISTAKES = (
    _field(
        "seconds",
        "timestamp in seconds instead of milliseconds",
        f'{_EVENT},"timestamp":{{{{now_s}}}}',
        202,
        "Accepted, and taken as a day in January 1970: the event is too old to count.",
    ),
    _field(
        "iso-timestamp",
        "timestamp as ISO 8601 text",
        f'{_EVENT},"timestamp":"{{{{now_iso}}}}"',
        400,
        "Documented as a number of milliseconds; text may be ignored.",
    ),
    _field(
        "text-timestamp",
        "timestamp as milliseconds in quotes",
        f'{_EVENT},"timestamp":"{{{{now_ms}}}}"',
        400,
        "Documented as a number of milliseconds; text may be ignored.",
    ),
    _field(
        "future",
        "timestamp a year ahead",
        f'{_EVENT},"timestamp":{{{{now_ms +365d}}}}',
        202,
        "Accepted; whether Statsig keeps it is not documented.",
    ),
    _field("negative-timestamp", "timestamp before 1970", f'{_EVENT},"timestamp":-1', 202),
    _field("missing-user", "no user", '"event":"checkout_completed","timestamp":{{now_ms}}', 400),
    _field("empty-user", "a user without any id", '"user":{},"event":"checkout_completed"', 202,
           "Server SDKs require a userID or one of customIDs; such an event counts for nobody."),
    _field("user-as-text", "user is text", '"user":"user-1042","event":"checkout_completed"', 400),
    _field("user-id-outside", "userID beside user instead of in it",
           '"userID":"user-1042","event":"checkout_completed"', 400,
           "The user is missing: the id at the top level is not read."),
    _field("user-id-misspelled", "userId for userID",
           '"user":{"userId":"user-1042"},"event":"checkout_completed"', 202,
           "An unknown member; the user has no id."),
    _field("missing-event", "no event", f'{_USER},"timestamp":{{{{now_ms}}}}', 400),
    _field("event-name", "eventName for event: the name /v1/log_event uses",
           f'{_USER},"eventName":"checkout_completed"', 400, "The event has no name here."),
    _field("empty-event", "an event of no name", f'{_USER},"event":""', 400),
    _field("event-number", "a number for the name", f'{_USER},"event":42', 400),
    _field("time", "time for timestamp: the name /v1/log_event uses", f'{_EVENT},"time":{{{{now_ms}}}}', 202,
           "Accepted; the time of arrival counts."),
    _field("forbidden-characters", "a name with characters for which Statsig drops the event",
           f'{_USER},"event":"checkout [step=2] <b>100%</b>"', 202,
           "Accepted with a 2xx and dropped later: no [ ] { } < > # = ; & $ % | or backslash in names."),
    _field("forbidden-controls", "a name with NUL and line ends", f'{_USER},"event":"a\\u0000b\\nc\\rd"', 202,
           "Accepted with a 2xx and dropped later."),
    _field("reserved-name", "a name that begins with statsig::", f'{_USER},"event":"statsig::made_up"', 202,
           "The prefix is Statsig's own."),
    _field("private-attributes", "privateAttributes, which must never be logged",
           '"user":{"userID":"user-1042","privateAttributes":{"salary":"90000"}},"event":"checkout"', 202,
           "For evaluation only: they must not be sent, and are stripped before anything is forwarded."),
    _field("value-object", "value is an object", f'{_EVENT},"value":{{"amount":1}}', 400,
           "Documented as text or a number."),
    _field("value-boolean", "value is true", f'{_EVENT},"value":true', 400,
           "Documented as text or a number."),
    _field("metadata-array", "metadata is a list", f'{_EVENT},"metadata":["a","b"]', 400,
           "Documented as an object."),
    _field("metadata-types", "numbers, booleans, null and lists in metadata",
           f'{_EVENT},"metadata":{{"n":1,"b":true,"z":null,"l":[1,"2"],"o":{{"deep":1}}}}', 202,
           "Documented with text and numbers; the rest may become text."),
    _field("nulls", "null for everything",
           '"user":null,"event":"checkout_completed","value":null,"metadata":null,"timestamp":null', 400),
    _field("duplicate-keys", "the same member twice", f'{_EVENT},"event":"second","value":1,"value":2', 202,
           "JSON leaves it open; most parsers take the last."),
    _field("unknown-members", "members nobody knows", f'{_EVENT},"extra":{{"a":1}},"$schema":"x"', 202,
           "Accepted; unknown members are ignored."),
    _wrong("array", "a list of events", f'[{{{_EVENT}}},{{{_EVENT}}}]', 400,
           "One object a request; batches belong to /v1/log_event."),
    _wrong("log-event-batch", "the body of /v1/log_event", f'{{"events":[{{"eventName":"a",{_USER}}}]}}', 400,
           "One object a request; batches belong to /v1/log_event."),
    _wrong("outgoing-batch", "what Statsig posts to a webhook, posted back",
           '{"data":[{"eventName":"a","userID":"user-1042","timestamp":{{now_ms}},"value":""}]}', 400),
    _wrong("two-documents", "two events, one a line", f'{{{_EVENT}}}\n{{{_EVENT}}}\n', 400,
           "One JSON document a request: NDJSON is not accepted."),
    _wrong("empty-body", "nothing at all", "", 400),
    _wrong("truncated", "JSON that breaks off", f'{{{_EVENT},"metadata":{{"currency":"E', 400),
    _wrong("not-json", "a form instead of JSON", "event=checkout_completed&userID=user-1042", 400, _UNKNOWN,
           ("Content-Type", "application/x-www-form-urlencoded")),
    _wrong("single-quotes", "JavaScript instead of JSON", "{'event': 'checkout_completed', user: {}}", 400),
    _wrong("trailing-comma", "a comma too many", f'{{{_EVENT},}}', 400),
    _wrong("content-type", "good JSON under text/plain", f'{{{_EVENT}}}', 202,
           "Documented with application/json; browsers' sendBeacon sends text/plain.",
           ("Content-Type", "text/plain")),
    _wrong("client-key", "a client key instead of a server secret", f'{{{_EVENT}}}', 401,
           "401: this endpoint wants a server secret.",
           ("STATSIG-API-KEY", "client-" + "0" * 43)),
    _wrong("no-such-key", "a key of no known kind", f'{{{_EVENT}}}', 401, "401.",
           ("STATSIG-API-KEY", "not-a-key")),
)  # fmt: skip
