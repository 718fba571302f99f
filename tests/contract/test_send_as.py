"""`send --as`: what other programs send with it is what `send` itself sends, to the byte (product.md §5)."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from statsig_tui.cli import cli
from statsig_tui.core.records import CaptureDetail
from tests.contract.test_snippets import KEY, Listening, listening, run

__all__ = ["listening"]
EVENT = b'{"user":{"userID":"u"},"event":"it\'s $HOME `id` \\n caf\xc3\xa9","n":1.50}\n'
OWN = {"host", "user-agent", "accept", "accept-encoding", "connection", "content-length", "transfer-encoding"}
TARGET = (
    '[[targets]]\nname = "mine"\nurl = "{url}"\nkey = {{ env = "MY_KEY" }}\nheaders = {{ X-Team = "a b" }}\n'
)
CASES: dict[str, tuple[Sequence[str], bytes]] = {
    "an event": (["-"], EVENT),
    "a template": (["content-type"], b""),
    "bytes that are no text": (["-", "--exact"], b"\x00\xff\xfe\r\n"),
    "nothing": (["empty-body"], b""),
    "text that turns around": (["-"], '{"event":"\u202e \x85"}'.encode()),
    "300 KB": (["-", "--exact"], b"x" * 300_000),
    "headers": (
        ["-", "--header", "X-Two: 1", "--header", "X-Two: 2", "--header", "X-None;",
         "--header", "Content-Type:", "--header", "X-Team: other"],
        EVENT,
    ),
    "a method and a path": (["-", "--method", "put", "--path", "/a%20b?c=1&d"], EVENT),
    "no body at all": (["-", "--exact", "--method", "DELETE"], b""),
    "chunks": (["-", "--header", "Transfer-Encoding: chunked"], EVENT),
    "a curl command": (
        ["-"], b"curl -X PUT https://elsewhere/x?y=1 -H 'X-A: b' --json '{\"event\":\"{{seq}}\"}'",
    ),
}  # fmt: skip
ODD: dict[str, tuple[Sequence[str], bytes]] = {
    "an odd path": (["-", "--path", "/../a/./b?c=[1]&d={x,y}&e=%zz|\\^\"'"], EVENT),
    "Latin-1": (["-", "--header", "X-A: caf\xe9 \\x"], EVENT),
    "no user agent": (["-", "--header", "User-Agent:"], EVENT),
    "HEAD": (["-", "--exact", "--method", "HEAD"], b""),
}


CANNOT = {("httpie", "an odd path"), ("httpie", "Latin-1")}


@dataclass(frozen=True)
class Asking:
    """`send` to a target that is the receiver."""

    listening: Listening
    settings: Path

    def send(self, case: str, *more: str) -> Result:
        return self.send_from(*(CASES | ODD)[case], *more)

    def send_from(self, arguments: Sequence[str], stdin: bytes, *more: str) -> Result:
        places = ["--config", str(self.settings), "--data", str(self.settings.parent), "--quiet"]
        # What the receiver makes of it does not matter here.
        common = [*places, "--target", "mine", "--expect", "status=2xx", "--expect", "status=4xx"]
        return CliRunner().invoke(cli, ["send", *common, *arguments, *more], input=stdin)

    def arrived(self, cases: Sequence[str]) -> dict[str, CaptureDetail]:
        """What came since the last time, by the case that sent it."""
        return dict(zip(cases, self.listening.got(), strict=True))


@pytest.fixture
def asking(listening: Listening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asking:
    settings = tmp_path / "settings.toml"
    settings.write_text(TARGET.format(url=listening.url))
    settings.chmod(0o600)
    monkeypatch.setenv("MY_KEY", KEY)
    listening.got()
    return Asking(listening, settings)


@pytest.fixture
def sent(asking: Asking) -> dict[str, CaptureDetail]:
    """What `send` itself sends, by case."""
    for case in CASES | ODD:
        assert asking.send(case).exit_code == 0
    return asking.arrived([*CASES, *ODD])


def asked(detail: CaptureDetail) -> list[tuple[str, str]]:
    """The headers but for those that every program has its own of, in any order: HTTPie has its own."""
    return sorted((name.lower(), value) for name, value in detail.headers if name.lower() not in OWN)


def test_what_is_printed_sends_what_send_sends(asking: Asking, sent: dict[str, CaptureDetail]) -> None:
    for kind, program in (
        ("curl", ["bash", "-s"]),
        ("httpie", ["bash", "-s"]),
        ("python", [sys.executable, "-"]),
    ):
        cases = [case for case in sent if (kind, case) not in CANNOT]
        printed = [asking.send(case, "--as", kind) for case in cases]
        assert [result.exit_code for result in printed] == [0] * len(cases)
        script = "\n".join(result.stdout for result in printed)
        assert KEY not in script
        run(program, script)
        for case, got in asking.arrived(cases).items():
            assert got.body == sent[case].body, (kind, case)
            assert (got.record.method, got.record.path) == (sent[case].record.method, sent[case].record.path)
            assert asked(got) == asked(sent[case]), (kind, case)
            if case == "no user agent":
                assert "user-agent" not in dict(got.headers)


def test_raw_is_what_send_sends_to_the_byte(asking: Asking, sent: dict[str, CaptureDetail]) -> None:
    url = urlsplit(asking.listening.url)
    for case in sent:
        printed = asking.send(case, "--as", "raw").stdout_bytes
        assert KEY.encode() not in printed
        with socket.create_connection((str(url.hostname), url.port or 0)) as connection:
            connection.sendall(printed.replace(b"$STATSIG_SERVER_SECRET", KEY.encode()))
            assert connection.recv(8).startswith(b"HTTP/1.1")
    for case, got in asking.arrived([*sent]).items():
        assert (got.headers, got.body) == (sent[case].headers, sent[case].body), case
        assert (got.record.method, got.record.path) == (sent[case].record.method, sent[case].record.path)


def test_what_cannot_be_printed_is_said_with_the_way_out(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind, case in sorted(CANNOT):
        result = asking.send(case, "--as", kind)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "take curl" in result.stderr
    for more, says in (
        (["--header", "Content-Length: 3", "--as", "python"], "sends no Content-Length but the body's"),
        (["--path", "/v1/rgstr?k=client-abcdefghij", "--as", "curl"], "The URL holds a key"),
        (["--as", "curl", "--json"], "Leave out --json"),
        (["--header", "no colon"], "write name: value"),
        (["--header", "A: b\nC: d"], "it is not one line"),
        (["--method", "A B"], "A B is no method"),
    ):
        result = asking.send("an event", *more)
        assert result.exit_code == 2, more
        assert says in result.output
    assert asking.listening.got() == []
    # Nothing is sent: the key itself is not needed.
    monkeypatch.delenv("MY_KEY")
    printed = asking.send("an event", "--as", "curl")
    assert (printed.exit_code, "$STATSIG_SERVER_SECRET" in printed.stdout) == (0, True)
    assert asking.send("an event").exit_code == 2


def test_the_files_of_a_curl_command_are_read_from_here(
    asking: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "event.json").write_bytes(EVENT)
    for option, body in (
        ("--json @event.json", EVENT),
        ("-d @event.json", EVENT.replace(b"\n", b"")),
        ("-T event.json", EVENT),
    ):
        assert asking.send_from(["-"], f"curl https://elsewhere/ {option}".encode()).exit_code == 0
        [got] = asking.listening.got()
        assert (got.body, got.record.path) == (body, "/")
    for command, says in (
        ("curl https://elsewhere/ --json @none.json", "none.json cannot be read"),
        ("curl https://elsewhere/ --json @none.json", f"looked for from {tmp_path}"),
        ("cat event.json | curl https://elsewhere/ --json @-", "a file with --json @FILE"),
        ("curl https://elsewhere/ -F event=@event.json", "give the JSON with --json"),
    ):
        result = asking.send_from(["-"], command.encode())
        assert result.exit_code == 2
        assert says in result.stderr
    assert asking.listening.got() == []
