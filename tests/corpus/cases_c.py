"""What a settings file may hold that cannot be meant, and what is said of it (reliability.md §2.5).

C12 and C16 to C21 need a directory, a keyring or a former file: they stand with saving and secrets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from statsig_tui.core.config import DEFAULT_RECEIVER_URL, Config, EmulatorConfig

DESTINATION = '[[destinations]]\nname = "api"\nurl = "http://localhost:3000/"\n'
TARGET = '[[targets]]\nname = "staging"\nurl = "https://staging.example"\n'


@dataclass(frozen=True)
class Content:
    """A file's content."""

    id: str
    content: str | bytes

    @property
    def data(self) -> bytes:
        """The file's bytes."""
        return self.content if isinstance(self.content, bytes) else self.content.encode()


@dataclass(frozen=True)
class Case(Content):
    """And a part of the complaint."""

    says: str


@dataclass(frozen=True)
class Good(Content):
    """And a part of what it means, and of the last warning, if there is one."""

    look: Callable[[Config], object]
    means: object
    warning: str = ""


@dataclass(frozen=True)
class Url:
    """A destination's URL, and a part of what is said of it."""

    id: str
    url: str
    says: str


@dataclass(frozen=True)
class Header:
    """A header that a user adds to a destination's requests."""

    id: str
    name: str
    value: str


BROKEN = [
    Case("C03 UTF 16", "[receiver]\n".encode("utf-16"), "config.toml: is not UTF-8"),
    Case("C03 no mark", "[receiver]\n".encode("utf-16-le"), "config.toml: is not UTF-8"),
    Case("C03 NUL", b"[receiver]\nport = 1\0\n", "config.toml: is not UTF-8"),
    Case("C03 Latin 1", b"[receiver]\n# caf\xe9\n", "config.toml line 2: is not UTF-8"),
    Case("C03 CR only", b"[receiver]\rport = 1\r", "line 1: has line ends of a carriage"),
    Case("C04 quote", '[emulator]\nhost = "local\n', "config.toml line 2: is not valid"),
    Case("C04 key twice", "[receiver]\nport = 1\nport = 2\n", "line 3: is not valid"),
    Case("C04 table twice", "[a]\n\n[a]\n", "line 3: is not valid TOML"),
    Case("C04 bad date", "a = 2026-13-45\n", "line 1: is not valid TOML"),
    Case("C04 half written", "[receiver]\nport = ", "config.toml line 2: is not valid"),
    Case("C05 lists", "a = " + "[" * 5000, "line 1: brackets are nested more than 50"),
    Case("C05 inline tables", "\na = " + "{a=" * 5000, "line 2: brackets are nested"),
    Case("C07 dots", ".".join("a" * 20_000) + "=1", "a key has more than 50 parts"),
    Case("C07 header", "[" + ".".join("a" * 60) + "]", "a key has more than 50 parts"),
    Case("C07 both", "a = " + "{b.c.d = " * 40 + "1" + "}" * 40, "beyond all bounds"),
    Case("C07 10 MB", "#" * 10_000_000, "config.toml: is larger than 256 KiB"),
    Case("C06 5000 digits", "[receiver]\nport = " + "9" * 5000, "beyond all bounds"),
    Case("C06 hex digits", "a = 0x" + "f" * 5000, "line 1: holds a nesting or a number"),
]
"""No usable text, no TOML, or too much of it."""

WRONG = [
    Case(
        "C10 the emulator itself",
        "[emulator]\nport = 3000\n" + DESTINATION,
        "line 5: destinations[api].url: is the emulator's own address",
    ),
    Case(
        "C10 metadata",
        DESTINATION.replace("localhost:3000", "169.254.169.254"),
        "line 3: destinations[api].url: is a link-local or metadata address",
    ),
    Case(
        "C12 an old secret without an end",
        DESTINATION + 'old_secrets = [{ secret = { env = "OLD" } }]',
        "destinations[api].old_secrets[0].until: is missing",
    ),
    Case(
        "C09 high", "[receiver]\n\nport = 70000", "line 3: receiver.port: must be at most 65535 (got 70000)"
    ),
    Case("C09 negative", "[receiver]\nport = -1", "line 2: receiver.port: must be at least 0 (got -1)"),
    Case(
        "C09 port as text",
        '[receiver]\nport = "8080"',
        'line 2: receiver.port: must be a whole number (got "8080")',
    ),
    Case("C09 float", "[receiver]\nport = 80.5", "line 2: receiver.port: must be a whole number (got 80.5)"),
    Case("C09 bool", "[receiver]\nport = true", "line 2: receiver.port: must be a whole number (got true)"),
    Case("C09 one", "[emulator]\nstrict = 1", "line 2: emulator.strict: must be true or false (got 1)"),
    Case("C09 text", '[emulator]\nstrict = "no"', "line 2: emulator.strict: must be true or false"),
    Case("C09 list for table", "emulator = []", "line 1: emulator: must be a table"),
    Case("C09 table for list", "[destinations]\nname = 'a'", "line 1: destinations: must be a list"),
    Case(
        "C09 item",
        "[emulator]\nallowed_hosts = ['a', 2]",
        "line 2: emulator.allowed_hosts[1]: must be text (got 2)",
    ),
    Case(
        "C09 choice",
        '[receiver]\nsignature = "x"',
        'line 2: receiver.signature: must be "report" or "enforce" (got "x")',
    ),
    Case("C09 missing", "[[destinations]]\nname = 'a'", "line 1: destinations[a].url: is missing"),
    Case("C09 host is URL", '[emulator]\nhost = "http://x"', "line 2: emulator.host: is not a valid"),
    Case(
        "C06 nan",
        DESTINATION + "timeout_seconds = nan",
        "line 4: destinations[api].timeout_seconds: must be a finite",
    ),
    Case(
        "C23 inf",
        DESTINATION + "timeout_seconds = inf",
        "line 4: destinations[api].timeout_seconds: must be a finite",
    ),
    Case(
        "C06 1e400",
        DESTINATION + "rate_limit = 1e400",
        "line 4: destinations[api].rate_limit: must be a finite",
    ),
    Case("C23 date", "[emulator]\nhost = 2026-01-01", "line 2: emulator.host: cannot be a date"),
    Case(
        "C23 zoned time", "[receiver]\nport = 2026-01-01T00:00:00Z", "line 2: receiver.port: cannot be a date"
    ),
    Case(
        "C09 dotted key",
        DESTINATION + "batch.max_events = 0",
        "line 4: destinations[api].batch.max_events: must be at least 1 (got 0)",
    ),
    Case(
        "C09 inline table",
        DESTINATION + "batch = { max_seconds = 1,  max_events = 0 }",
        "line 4: destinations[api].batch.max_events: must be at least 1 (got 0)",
    ),
    Case(
        "C09 sub table",
        DESTINATION + "[destinations.batch]\nmax_seconds = 1\nmax_events = 0",
        "line 6: destinations[api].batch.max_events: must be at least 1 (got 0)",
    ),
    Case(
        "C09 second of a list",
        DESTINATION + DESTINATION.replace("api", "b") + "\n" + 'envelope = "x"',
        'line 8: destinations[b].envelope: must be "data" or "array" (got "x")',
    ),
    Case(
        "C14 negative",
        DESTINATION + "retry.schedule = [1,\n\n-5]",
        "line 6: destinations[api].retry.schedule[1]: must be at least 0 (got -5)",
    ),
    Case(
        "C14 huge",
        DESTINATION + "retry.schedule = [1000000000]",
        "line 4: destinations[api].retry.schedule[0]: must be at most 604800 (got 1000000000)",
    ),
    Case(
        "C14 text",
        DESTINATION + 'retry.schedule = ["1s"]',
        'line 4: destinations[api].retry.schedule[0]: must be a number (got "1s")',
    ),
    Case(
        "C14 preset",
        DESTINATION + 'retry.schedule = "fast"',
        'line 4: destinations[api].retry.schedule: must be "quick", "standard-webhooks", "svix" or '
        '"none", or a list of seconds such as [1, 5, 30] (got "fast")',
    ),
    Case(
        "C13 name",
        DESTINATION + DESTINATION,
        "line 5: destinations[api].name: another destination has this name",
    ),
    Case("C13 target", TARGET + TARGET, "line 5: targets[staging].name: another target has this name"),
    Case("reserved-target", TARGET.replace("staging", "emulator", 1), "the built-in target"),
    Case(
        "condition-of-a-delivery",
        DESTINATION + "[destinations.filter]\nsample = 0.5\nwhere = 'user:u1 lag:>10s'",
        "config.toml line 6: destinations[api].filter.where: is wrong at character 9: lag says nothing of",
    ),
    Case(
        "condition-of-an-age",
        DESTINATION + "filter = { where = 'since:10m' }",
        "config.toml line 4: destinations[api].filter.where: is wrong at character 7: since: 10m is an age",
    ),
    Case("empty-name", DESTINATION.replace("api", ""), "line 2: destinations[0].name: must not be empty"),
    Case(
        "C10 ftp",
        DESTINATION.replace("http:", "ftp:"),
        "line 3: destinations[api].url: must start with http://",
    ),
    Case(
        "C11 Host",
        DESTINATION + 'headers = { Host = "x" }',
        "line 4: destinations[api].headers.Host: is set by",
    ),
    Case(
        "two-sources",
        DESTINATION + "secret.env = 'A'\nsecret.file = 'b'",
        "line 4: destinations[api].secret: must have exactly one source (2 given)",
    ),
    Case("no-source", DESTINATION + "secret = {}", "line 4: destinations[api].secret: must have exactly one"),
    Case("C12 empty", DESTINATION + "secret.inline = ' '", "destinations[api].secret: is empty"),
]
"""TOML, with a value that cannot be meant: line and field are named."""

ACCEPTED = [
    Good("C01 empty", "", lambda config: config.destinations[0].url, DEFAULT_RECEIVER_URL),
    Good("C01 comments", "# one\n", lambda config: config.targets[0].name, "statsig"),
    Good("C01 blank lines", "\n\n", lambda config: config.receiver.port, None),
    Good("C01 empty table", "[emulator]\n", lambda config: config.emulator, EmulatorConfig()),
    Good("C02 mark", b"\xef\xbb\xbf[receiver]\nport = 9000\n", lambda config: config.receiver.port, 9000),
    Good("C02 Windows", "[receiver]\r\nport = 9000\r\n", lambda config: config.receiver.port, 9000),
    Good("C09 port 0", "[receiver]\nport = 0", lambda config: config.receiver.port, 0),
    Good("C09 port 65535", "[receiver]\nport = 65535", lambda config: config.receiver.port, 65_535),
    Good(
        "C09 whole seconds",
        DESTINATION + "timeout_seconds = 20",
        lambda config: config.destinations[0].timeout_seconds,
        20.0,
    ),
    Good(
        "C14 no retries",
        DESTINATION + "retry.schedule = []",
        lambda config: config.destinations[0].retry.schedule,
        (),
    ),
    Good(
        "C08 unknown section",
        "[recever]\nport = 1\n",
        lambda config: config.receiver.port,
        None,
        'line 1: recever: is unknown, kept and ignored; did you mean "receiver"?',
    ),
    Good(
        "C08 unknown field",
        "[receiver]\nport = 1\nprot = 2\n",
        lambda config: config.receiver.port,
        1,
        'line 3: receiver.prot: is unknown, kept and ignored; did you mean "port"?',
    ),
    Good(
        "C08 nothing near",
        "[receiver]\nzzz = 3\n",
        lambda config: config.receiver.port,
        None,
        "line 2: receiver.zzz: is unknown, kept and ignored",
    ),
    Good(
        "C08 escape",
        '[emulator]\n"a\\u001b[31m" = 1',
        lambda config: config.emulator,
        EmulatorConfig(),
        "line 2: emulator.a\\u001b[31m: is unknown",
    ),
    Good(
        "C08 very many",
        "".join(f"key{number} = 1\n" for number in range(10_000)) + "[receiver]\nport = 1",
        lambda config: config.receiver.port,
        1,
        "and more of that kind",
    ),
    Good(
        "C13 one URL twice",
        DESTINATION + DESTINATION.replace("api", "b"),
        lambda config: len(config.destinations),
        2,
        'line 6: destinations[b].url: is also the URL of "api"',
    ),
    Good(
        "C13 a thousand",
        "".join(
            f'[[destinations]]\nname = "d{number}"\nurl = "http://localhost:3000/{number}"\n'
            for number in range(1000)
        ),
        lambda config: [item.name for item in config.destinations],
        [f"d{number}" for number in range(1000)],
    ),
]
"""What is used; where something is said, it is a warning."""

URLS = [
    Url("C10 empty", "", "is empty"),
    Url("C10 ftp", "ftp://example.com/", "must start with http"),
    Url("C10 no scheme", "//example.com", "must start with http"),
    Url("C10 host alone", "localhost:3000", "must start with http"),
    Url("C10 no host", "http://", "names no host"),
    Url("C10 path alone", "http:///path", "names no host"),
    Url("C10 port alone", "http://:80/", "names no host"),
    Url("C10 open bracket", "http://[::1", "cannot be read"),
    Url("C10 not IPv6", "http://[::zz]/", ""),
    Url("C10 zone", "http://[fe80::1%25eth0]/", "interface"),
    Url("C10 port 99999", "http://localhost:99999/", "a port that"),
    Url("C10 port 0", "http://localhost:0/", "a port that"),
    Url("C10 port empty", "http://localhost:/", "a port that"),
    Url("C10 port wide digit", "http://localhost:8０/", "a port that"),
    Url("C10 two ports", "http://localhost:80:80/", "a port that"),
    Url("C10 space", "http://local host/", "contains a space"),
    Url("C10 newline", "http://localhost/\n", "contains a line break"),
    Url("C10 escape", "http://localhost/\x1b[2J", "U+001B"),
    Url("C10 bidi", "http://localhost/\u202e", "U+202E"),
    Url("C10 surrogate", "http://localhost/\ud800", "U+D800"),
    Url("C10 xn", "http://xn--/", "broken international"),
    Url("C10 300 host", f"http://{'a' * 300}/", "300 characters"),
    Url("C10 64 label", f"http://{'a' * 64}.example/", "longer than 63"),
    Url("C10 empty label", "http://a..b/", "that is empty"),
    Url("C10 percent host", "http://exa%6dple/", "a character in its host"),
    Url("C10 70 kB", "http://localhost/" + "a" * 70_000, "too long"),
    Url("C10 userinfo", "http://user:pass@localhost/", "user name or password"),
    Url("C10 fragment", "http://localhost/#a", "fragment"),
    Url("C10 backslash", "http://localhost\\@evil/", "backslash"),
    Url("C10 127.1", "http://127.1/", "ambiguous"),
    Url("C10 decimal", "http://2130706433/", "ambiguous"),
    Url("C10 hex", "http://0x7f000001/", "ambiguous"),
    Url("C10 octal", "http://0177.0.0.1/", "ambiguous"),
    Url("C10 dot after address", "http://127.0.0.1./", "ambiguous"),
    Url("C10 circled digits", "http://①②⑦.①/", "ambiguous"),
]

HEADERS = [
    Header("C11 CRLF", "X-A", "a\r\nInjected: b"),
    Header("C11 LF", "X-A", "a\nb"),
    Header("C11 NUL", "X-A", "a\0b"),
    Header("C11 not Latin 1", "X-A", "€"),
    Header("C11 not ASCII", "X-A", "é"),
    Header("C11 leading space", "X-A", " a"),
    Header("C11 trailing tab", "X-A", "a\t"),
    Header("C11 long", "X-A", "a" * 9000),
    Header("C11 Host", "Host", "a"),
    Header("C11 Content Length", "content-LENGTH", "1"),
    Header("C11 Transfer Encoding", "Transfer-Encoding", "chunked"),
    Header("C11 X Statsig", "X-Statsig-Signature", "v0="),
    Header("C11 no name", "", "a"),
    Header("C11 space in name", "X A", "a"),
    Header("C11 colon in name", "X-A:", "a"),
    Header("C11 name not ASCII", "X-É", "a"),
]
