"""A pasted text is recognised for what it is, and what is converted loses nothing that is not named."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from statsig_tui.core import draft
from statsig_tui.core.incoming import problems
from statsig_tui.core.paste import Pasted, recognise
from statsig_tui.core.request import Request, Shape
from statsig_tui.core.snippets import snippet

URL = "http://127.0.0.1:7828/v1/webhooks/event_webhook"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")
headers = st.lists(
    st.tuples(
        st.sampled_from(["X-A", "x-b", "Content-Type", "Accept"]),
        st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=12)
        .map(lambda text: text.strip().strip("\xa0")),
    ),
    max_size=3,
    unique_by=lambda header: header[0].lower(),
)  # fmt: skip
bodies = st.binary(max_size=60) | st.text(max_size=40).map(str.encode)


@settings(max_examples=200, deadline=None)
@given(
    method=st.sampled_from(["POST", "PUT", "GET", "HEAD", "PROPFIND"]),
    query=st.text("abc./?&=%'\"[]{} $`!\\", max_size=12),
    given_headers=headers,
    body=bodies,
)
@example(method="POST", query="", given_headers=[], body=b"'\"\\ $X `id` !! \n\r\t \\n")
@example(method="POST", query="", given_headers=[("X-A", "")], body=b"\xff\x00|curl")
@example(method="POST", query="'", given_headers=[("X-A", "it's \\x41 caf\xe9")], body=b"x" * 120_000)
def test_a_printed_curl_comes_back_as_the_same_request(
    method: str, query: str, given_headers: list[tuple[str, str]], body: bytes
) -> None:
    # Where curl sends no body it has none to give back.
    body = body if method in ("POST", "PUT") else b""
    asked = Request(method, URL + query, tuple(given_headers), body)
    pasted = recognise(snippet("curl", asked))
    assert pasted is not None
    assert pasted.request == asked


def request_of(command: str) -> Request:
    pasted = recognise(command)
    assert pasted is not None
    assert pasted.request is not None
    return pasted.request


@pytest.mark.parametrize(
    ("command", "method", "given_headers", "body"),
    [
        ("curl {url}", "GET", (), b""),
        ("$ curl -sSL '{url}' --compressed -k -o /dev/null -w '%{http_code}'", "GET", (), b""),
        ("curl -XPUT -HContent-Type:application/json -d'{\"a\":1}' {url}", "PUT", (JSON,), b'{"a":1}'),
        ("/usr/bin/curl --url {url} -d a=1 -d 'b=2 &'", "POST", (FORM,), b"a=1&b=2 &"),
        ("curl {url} \\\n  --json '{\"a\":' \\\r\n --json '1}' # rest", "POST",
         (JSON, ("Accept", "application/json")), b'{"a":1}'),
        ('curl "{url}" -H "X-Q: a \\"b\\" \\$c" --data-raw "l1\\nl2\\\\"', "POST",
         (("X-Q", 'a "b" $c'), FORM), b"l1\\nl2\\"),
        ("curl {url} -H $'X-E: caf\\xe9\\'s' --data-binary $'\\x00\\377\\u2603\\n'", "POST",
         (("X-E", "caf\xe9's"), FORM), b"\x00\xff\xe2\x98\x83\n"),
        ("curl {url} --data-urlencode 'a=b c&d' --data-urlencode 'x y'", "POST", (FORM,),
         b"a=b%20c%26d&x%20y"),
        ("curl -G {url} -d q=1", "GET", (), b""),
        ("curl -u me:pw {url} -A agent -b 'c=1'", "GET",
         (("Authorization", "Basic bWU6cHc="), ("User-Agent", "agent"), ("Cookie", "c=1")), b""),
        ("curl {url} -H 'X-None:' -H 'X-Empty;' -d x", "POST", (("X-Empty", ""), FORM), b"x"),
        ("echo -n hello | curl {url} --data-binary @- && echo done", "POST", (FORM,), b"hello"),
        ("curl -I {url} -X HEAD", "HEAD", (), b""),
    ],
)  # fmt: skip
def test_a_curl_command_is_read_as_curl_reads_it(
    command: str, method: str, given_headers: tuple[tuple[str, str], ...], body: bytes
) -> None:
    request = request_of(command.replace("{url}", URL))
    assert (request.method, request.headers, request.body) == (method, given_headers, body)
    assert request.url == (f"{URL}?q=1" if "-G" in command else URL)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("curl {url} -d @body.json", "the file body.json was not read"),
        ("curl {url} --data-binary @-", "what is piped in was not read"),
        ("cat x | curl {url} --json @-", "what is piped in was not read"),
        ("curl {url} -T up.bin", "the file up.bin was not read"),
        ("curl {url} -H @heads", "the file heads was not read"),
        ("curl -k {url}", "certificates are verified"),
        ("curl -L {url}", "redirects are never followed"),
        ("curl {url} -H 'STATSIG-API-KEY: secret-canary'", "the key is the target's"),
        ("curl -u canary:canary {url}", "Authorization is not taken"),
    ],
)
def test_what_is_not_taken_of_a_command_is_named(command: str, says: str) -> None:
    pasted = recognise(command.replace("{url}", URL))
    assert pasted is not None
    [event] = pasted.events
    assert any(says in words for words in event.differences)
    assert "canary" not in event.shape.headers
    assert event.differences[-1] == f"it goes to the target, not to {URL}"


def test_a_command_shapes_the_request_like_it_was() -> None:
    pasted = recognise("curl -X PUT 'https://h/x?y=1' -H 'X-A: b' -d '{}'")
    assert pasted is not None
    [event] = pasted.events
    assert event.text == "{}"
    assert event.shape == Shape("PUT", "/x?y=1", f"X-A: b\n{FORM[0]}: {FORM[1]}\nSTATSIG-API-KEY:")
    plain = recognise(
        f"curl {URL} --json '{{}}' -H 'Accept: */*' -H 'STATSIG-API-KEY: $STATSIG_SERVER_SECRET'"
    )
    assert plain is not None
    assert plain.events[0].shape == Shape(headers="Accept: */*")


@pytest.mark.parametrize(
    "text",
    ["", "hello", "curl", "curl -s", "curl 'open", "curling is a sport", "[]", "{}", "[1]", '{"data":{}}',
     '{"event', '{"data":{"event":"url_verification","verification_code":"x"}}',
     '{"eventName":1}', "echo curl"],
)  # fmt: skip
def test_other_texts_stay_what_they_are(text: str) -> None:
    assert recognise(text) is None


@settings(max_examples=300, deadline=None)
@given(text=st.text("curl -dH$'\"\\|@{}[]:,;a1\n ", max_size=40))
def test_no_text_at_all_makes_it_fail(text: str) -> None:
    for whole in (text, f"curl {text}", f"curl $'{text}"):
        assert recognise(whole) is None or isinstance(recognise(whole), Pasted)


def test_an_incoming_event_is_as_it_is() -> None:
    pasted = recognise(draft.SAMPLE)
    assert pasted is not None
    assert pasted.is_as_it_is
    assert pasted.events[0].text == draft.SAMPLE


def test_an_outgoing_event_becomes_an_incoming_one() -> None:
    pasted = recognise(
        '{"eventName":"buy","user":{"userID":"u","n":1.0},"userID":"u","value":"1e3","timestamp":"1767225600001",'
        '"metadata":{"a": "b"},"timeUUID":"x","statsigMetadata":{},"unitID":"userID","own":[1.10]}'
    )
    assert pasted is not None
    assert pasted.title == "an outgoing event"
    [event] = pasted.events
    assert event.text == (
        '{\n  "user": {"userID":"u","n":1.0},\n  "event": "buy",\n  "value": "1e3",\n'
        '  "metadata": {"a": "b"},\n  "timestamp": 1767225600001,\n  "own": [1.10]\n}'
    )
    assert event.differences == (
        "eventName is called event here",
        "userID at the top is left out: it is a copy",
        "timestamp was text, and is a number now",
        "left out, made anew on the way: statsigMetadata, timeUUID, unitID",
        "kept, but not known here: own",
    )


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("batch-bare-array.json", "an outgoing event, with"),
        ("batch-data-envelope.json", "an outgoing event, with"),
        ("batch-config-changes.json", "an outgoing event"),
        ("log-event-batch.json", "what an SDK sends"),
    ],
)
def test_every_event_of_a_batch_can_be_sent(data: Callable[[str], bytes], name: str, title: str) -> None:
    raw = data(name)
    pasted = recognise(raw.decode())
    assert pasted is not None
    assert pasted.title.startswith(title)
    whole = json.loads(raw)
    items = whole if isinstance(whole, list) else whole.get("data") or whole["events"]
    assert [event.name for event in pasted.events] == [item["eventName"] for item in items]
    for event, item in zip(pasted.events, items, strict=True):
        body = json.loads(event.text)
        assert problems(body) == []
        assert body["event"] == item["eventName"]
        assert body.get("metadata", {}) == (item.get("metadata") or {})
