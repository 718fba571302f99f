"""The endpoint self-test against real endpoints: one that verifies as we advise, and ones that do not."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from types import ModuleType

import pytest

from statsig_tui.core import selftest, verifiers
from statsig_tui.core.selftest import Result, Trial
from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, SignatureState, verify

SECRET = "webhook-" + "s" * 43
Check = Callable[[object, bytes], bool]


def compiled(source: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("STATSIG_WEBHOOK_SECRET", SECRET)
    module = ModuleType("verifier")
    exec(compile(source, "verifier.py", "exec"), module.__dict__)
    return module


@contextmanager
def served(check: Check, *, echo: bool = True) -> Iterator[int]:
    """An endpoint that answers 200 where `check` holds and 401 elsewhere, and repeats codes; its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            data = json.loads(body)["data"]
            answer = b"{}"
            if isinstance(data, dict):
                status = 200
                if echo:
                    answer = json.dumps({"verification_code": data["verification_code"]}).encode()
            else:
                status = 200 if check(self.headers, body) else 401
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def tried(port: int, secret: str | None = SECRET) -> dict[str, Result]:
    """Every trial's result at an endpoint."""
    found = {}
    now = time.time_ns() // 1_000_000
    for trial in selftest.trials(secret, now=now, code="c0de", other_secret="webhook-other"):
        connection = HTTPConnection("127.0.0.1", port)
        connection.request("POST", "/", trial.body, dict(trial.headers))
        answer = connection.getresponse()
        found[trial.name] = selftest.judge(trial, answer.status, answer.read(), None)
        connection.close()
    return found


def test_an_endpoint_with_our_verifier_passes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    check = compiled(verifiers.PYTHON, monkeypatch).is_from_statsig
    with served(check) as port:
        results = tried(port)
    assert [name for name, result in results.items() if not result.passed] == []
    assert selftest.score(list(results.values())) == "8 of 8 passed"


def respelled(check: Check) -> Check:
    return lambda headers, body: check(
        headers, json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False).encode()
    )


@pytest.mark.parametrize(
    ("weaken", "failed", "said"),
    [
        (
            lambda check: lambda headers, body: True,
            {"flipped byte", "wrong secret", "no signature", "no timestamp", "re-serialised", "stale"},
            "anybody can post events to it",
        ),
        (respelled, {"good request", "re-serialised"}, "a body that it parsed and wrote again"),
        (
            lambda check: (
                lambda headers, body: check(headers, body) or headers["X-Statsig-Signature"] is None
            ),
            {"no signature"},
            "it takes unsigned requests",
        ),
        (lambda check: lambda headers, body: False, {"good request"}, "it refuses what Statsig sends"),
    ],
)
def test_each_weakness_is_found_and_named(
    weaken: Callable[[Check], Check], failed: set[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = weaken(compiled(verifiers.PYTHON, monkeypatch).is_from_statsig)
    with served(check) as port:
        results = tried(port)
    assert {name for name, result in results.items() if not result.passed} == failed
    assert any(said in result.said for result in results.values())


def test_an_endpoint_that_checks_nothing_is_told_so_and_no_finer_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It neither signs by its own clock nor checks a body that it wrote again."""
    with served(lambda headers, body: True) as port:
        lax = {item.trial.name: item.said for item in selftest.together(list(tried(port).values()))}
    assert "anybody can post events" in lax["flipped byte"]
    for name in ("wrong secret", "no signature", "no timestamp", "re-serialised", "stale"):
        assert lax[name] == "200: it does not look at the signature"
    check = compiled(verifiers.PYTHON, monkeypatch).is_from_statsig
    with served(respelled(check)) as port:
        results = list(tried(port).values())
    assert selftest.together(results) == results


def test_a_stale_request_is_told_from_a_fresh_one(monkeypatch: pytest.MonkeyPatch) -> None:
    check = compiled(verifiers.PYTHON, monkeypatch).is_from_statsig
    with served(lambda headers, body: check(headers, body, 10**9)) as port:
        results = tried(port)
    assert [name for name, result in results.items() if not result.passed] == ["stale"]


def test_an_endpoint_that_does_not_repeat_the_code_is_told_what_that_means() -> None:
    with served(lambda headers, body: True, echo=False) as port:
        results = tried(port, None)
    assert list(results) == ["url verification", "good request"]
    assert not results["url verification"].passed
    assert "Statsig would not register this webhook" in results["url verification"].said
    assert results["good request"].passed


NOW = 1_700_000_000_000


def trial(name: str) -> Trial:
    """The one of that name."""
    made = selftest.trials(SECRET, now=NOW, code="c", other_secret="o")
    return next(item for item in made if item.name == name)


@pytest.mark.parametrize(
    ("name", "state", "says"),
    [
        ("url verification", SignatureState.MISSING, ""),
        ("good request", SignatureState.VALID, ""),
        ("flipped byte", SignatureState.INVALID, "matches none"),
        ("wrong secret", SignatureState.INVALID, "matches none"),
        ("no signature", SignatureState.MISSING, "X-Statsig-Signature missing"),
        ("no timestamp", SignatureState.MISSING, "X-Statsig-Request-Timestamp missing"),
        ("re-serialised", SignatureState.INVALID, "matches none"),
        ("stale", SignatureState.STALE, "3600.0 s old"),
    ],
)
def test_a_trial_is_wrong_in_the_one_thing_it_is_about(name: str, state: SignatureState, says: str) -> None:
    it = trial(name)
    headers = {name: value.encode() for name, value in it.headers}
    found = (headers.get(SIGNATURE_HEADER), headers.get(TIMESTAMP_HEADER))
    verdict = verify([SECRET], *found, it.body, NOW, 300)
    assert verdict.state is state
    assert says in verdict.reason


TAKEN = "it does not check the signature: anybody can post events to it"
OTHERWISE = "it was refused, but not with a 4xx"


@pytest.mark.parametrize(
    ("name", "status", "passed", "says"),
    [
        *(("good request", status, True, "as it should") for status in (200, 299)),
        *(("good request", status, False, "refuses what Statsig sends") for status in (199, 300, 404, 500)),
        *(("flipped byte", status, True, "as it should") for status in (400, 499)),
        *(("flipped byte", status, False, TAKEN) for status in (200, 299)),
        *(("flipped byte", status, False, OTHERWISE) for status in (199, 300, 399, 500)),
    ],
)
def test_a_status_says_whether_it_was_taken_or_refused(
    name: str, status: int, passed: bool, says: str
) -> None:
    result = selftest.judge(trial(name), status, b"", None)
    assert (result.passed, result.status) == (passed, status)
    assert result.said.startswith(str(status))
    assert says in result.said


@pytest.mark.parametrize(
    ("status", "body", "passed", "says"),
    [
        (200, b'{"verification_code":"c"}', True, "200 with the code"),
        (201, b'{"verification_code":"c"}', False, "201: Statsig would not register"),
        (200, b'{"verification_code":"d"}', False, "200, but not {"),
        (200, b'["c"]', False, "200, but not {"),
        (200, b"c", False, "200, but not {"),
    ],
)
def test_a_verification_is_answered_with_200_and_the_code(
    status: int, body: bytes, passed: bool, says: str
) -> None:
    result = selftest.judge(trial("url verification"), status, body, None)
    assert result.passed is passed
    assert result.said.startswith(says)


@pytest.mark.parametrize("name", ["url verification", "good request", "flipped byte"])
@pytest.mark.parametrize(("error", "says"), [("nobody listens", "nobody listens"), (None, "no answer")])
def test_no_answer_passes_nothing(name: str, error: str | None, says: str) -> None:
    result = selftest.judge(trial(name), None, b"", error)
    assert (result.passed, result.status, result.said) == (False, None, says)


@pytest.mark.parametrize("language", ["Python", *(["Node"] if shutil.which("node") else [])])
def test_a_verifier_to_copy_agrees_with_the_signatures_we_make(language: str, tmp_path: Path) -> None:
    now = time.time_ns() // 1_000_000
    trials = selftest.trials(SECRET, now=now, code="c", other_secret="o")[1:]
    cases = [
        {"headers": {name.lower(): value for name, value in trial.headers}, "body": trial.body.decode()}
        for trial in trials
    ]
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    if language == "Python":
        (tmp_path / "verifier.py").write_text(
            verifiers.PYTHON
            + "\nimport json\n"
            + "from email.message import Message\n"
            + "def heads(given):\n    found = Message()\n"
            + "    for pair in given.items():\n        found[pair[0]] = pair[1]\n    return found\n"
            + "cases = json.load(open('cases.json'))\n"
            + "print([is_from_statsig(heads(c['headers']), c['body'].encode()) for c in cases])\n"
        )
        command = [sys.executable, "verifier.py"]
    else:
        (tmp_path / "verifier.js").write_text(
            verifiers.NODE
            + "\nconst cases = JSON.parse(require('fs').readFileSync('cases.json'));\n"
            + "console.log(JSON.stringify(cases.map(c => isFromStatsig(c.headers, Buffer.from(c.body)))));\n"
        )
        command = ["node", "verifier.js"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"STATSIG_WEBHOOK_SECRET": SECRET},
        capture_output=True,
        check=True,
        text=True,
    )
    assert json.loads(done.stdout.lower()) == [trial.takes for trial in trials]
