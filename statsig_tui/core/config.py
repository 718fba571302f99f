"""What a user can set: one frozen tree. Knows no file format; settings.py reads and writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal
from urllib.parse import urlsplit

from annotated_types import Ge, Le, Len

from statsig_tui.core.redact import tells_secret

DEFAULT_HOST = "127.0.0.1"
DEFAULT_EMULATOR_PORT = 7828
DEFAULT_RECEIVER_PORT = 7829
EMULATOR = "emulator"
"""Name of the built-in target; it always follows the emulator's real address."""
RECEIVER = "receiver"
"""Name of the built-in destination; it follows the receiver's real address while its URL is the default."""
DEFAULT_RECEIVER_URL = f"http://{DEFAULT_HOST}:{DEFAULT_RECEIVER_PORT}/"
EMULATOR_KEY = "secret-emulatorTakesAnyWellFormedKey0000000000a1b2"
"""What the built-in target sends while the emulator asks for no key in particular."""
STATSIG_URL = "https://api.statsig.com"

_STATSIG_HOSTS = ("statsig.com", "statsigapi.net")

Port = Annotated[int, Ge(0), Le(65535)]
LONGEST_NAME = 100
Name = Annotated[str, Len(1, LONGEST_NAME)]


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret by reference: exactly one of `env`, `keyring`, `file`, `inline` is set.

    `value` is what the reference led to when the settings were read; None where it led nowhere.
    """

    env: str | None = None
    keyring: str | None = None
    file: str | None = None
    inline: str | None = field(default=None, repr=False)
    value: str | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, text: str) -> Secret:
        """A secret that stands in the settings itself."""
        return cls(inline=text, value=text)

    @property
    def source(self) -> str:
        """Where it comes from, in words fit for a screen: never the value."""
        if self.env is not None:
            return f"env {self.env}"
        if self.keyring is not None:
            return f"keyring {self.keyring}"
        return f"file {self.file}" if self.file is not None else "inline"


@dataclass(frozen=True, slots=True)
class EmulatorConfig:
    """The endpoint that stands in for Statsig."""

    host: str = DEFAULT_HOST
    port: Port | None = None
    """None: the default port, or a free one where that is taken. 0: any free one."""
    keys: tuple[Secret, ...] = ()
    """Empty: any well-formed key."""
    known_experiments: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    """Accepted in the Host header beside the loopback names."""
    cors_origins: tuple[str, ...] = ()
    """Accepted as browser origins beside loopback ones."""
    strict: bool = True
    """Refuse with 400 what Statsig would likely drop in silence."""


@dataclass(frozen=True, slots=True)
class ReceiverConfig:
    """The endpoint that destinations point at."""

    host: str = DEFAULT_HOST
    port: Port | None = None
    """None: the default port, or a free one where that is taken. 0: any free one."""
    signature: Literal["report", "enforce"] = "report"
    tolerance_seconds: Annotated[int, Ge(0), Le(86_400)] = 300
    """Greatest difference of the timestamp header from now; 0: any."""
    secrets: tuple[Secret, ...] = ()
    allow_browsers: bool = False
    respond: str | None = None
    """A response program (programs.py); None: what the receiver says by itself."""
    public_url: str | None = None
    """Of a tunnel that leads to the receiver, for whoever cannot reach this machine."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How much history is kept; undelivered events are kept regardless."""

    captures: Annotated[int, Ge(1), Le(100_000_000)] = 100_000
    megabytes: Annotated[int, Ge(16), Le(1_000_000)] = 1024


@dataclass(frozen=True, slots=True)
class Target:
    """Where Compose and `send` post incoming events."""

    name: Name
    url: str
    """Base URL, without the endpoint's path."""
    key: Secret | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filter:
    """What the console's Event Filtering dialog sets (statsig-wire.md §4)."""

    exposures: bool = True
    config_changes: bool = True
    include_new_events: bool = True
    """The verdict on custom events that `events` does not name."""
    events: Mapping[str, bool] = field(default_factory=dict)
    exposure_kinds: Mapping[str, bool] = field(default_factory=dict)
    """Of EXPOSURE_KINDS: the ones that are on or off; what is not named is on."""
    change_types: Mapping[str, bool] = field(default_factory=dict)
    """Types of config changes, such as `Gate`, in any case of letters; what is not named is on."""
    change_actions: Mapping[str, bool] = field(default_factory=dict)
    """Actions of config changes, such as `updated`; what is not named is on."""
    patterns: Mapping[str, bool] = field(default_factory=dict)
    """Globs of custom events' names, asked in order, for names that `events` does not name."""
    tiers: Mapping[str, bool] = field(default_factory=dict)
    """Environment tiers, `none` for events without one; what is not named is on."""
    where: str = ""
    """A condition in the language of core/query.py, such as `metadata.plan=pro user.country=KR,JP`."""
    sample: Annotated[float, Ge(0), Le(1)] = 1.0
    """The share of users, by a hash that is always the same, whose events go out."""


EXPOSURE_KINDS = ("gate", "experiment", "config", "layer", "holdout")
"""In the console's order; `config` is its *dynamic config*."""
NO_TIER = "none"


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """When a batch closes. Emulated; Statsig does not publish this."""

    max_events: Annotated[int, Ge(1), Le(10_000)] = 100
    max_seconds: Annotated[float, Ge(0), Le(3600)] = 1.0
    """Counted from the first event of the batch."""
    max_bytes: Annotated[int, Ge(1), Le(1_000_000_000)] | None = None
    """Of the body; an event that is larger by itself goes alone. None: any."""


ScheduleName = Literal["quick", "standard-webhooks", "svix", "none"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a failed delivery is tried again. Emulated; Statsig does not publish this."""

    schedule: ScheduleName | tuple[Annotated[float, Ge(0), Le(604_800)], ...] = "quick"
    """A preset's name, or the seconds between attempts."""
    jitter: Annotated[float, Ge(0), Le(1)] = 0.0
    """The share by which a delay of an own schedule is shorter or longer by chance; presets have theirs."""
    isolate: bool = True
    """Whether a batch that is refused to the end (400, 422) is halved until what is refused stands alone."""


@dataclass(frozen=True, slots=True)
class CircuitPolicy:
    """When a destination is paused, and how it comes back. Emulated; Statsig does not publish this."""

    failures: Annotated[int, Ge(0), Le(100_000)] = 20
    """Deliveries that fail in a row before it is paused; 0: it never is."""
    probe_seconds: Annotated[float, Ge(0.1), Le(86_400)] = 60.0
    """Between the single attempts that are made meanwhile."""


@dataclass(frozen=True, slots=True)
class OldSecret:
    """A signing secret that was replaced."""

    secret: Secret
    until: Annotated[int, Ge(0), Le(4_102_444_800_000)]
    """Epoch ms from which the receiver takes it no more."""


@dataclass(frozen=True, slots=True)
class ClientCert:
    """What we show to an endpoint that asks who we are: files in PEM, by their whole paths."""

    cert: str
    """The certificate, with those between it and its authority behind it."""
    key: str | None = None
    """Its private key, without a password; None: it stands in the same file."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A webhook URL and how it is served."""

    name: Name
    url: str
    enabled: bool = True
    secret: Secret | None = None
    old_secrets: tuple[OldSecret, ...] = ()
    """What the receiver accepts beside `secret`; nothing is signed with them."""
    envelope: Literal["data", "array"] = "data"
    timestamps: Literal["number", "string"] = "number"
    timeout_seconds: Annotated[float, Ge(0.1), Le(300)] = 15.0
    """From the first byte sent to the answer read."""
    rate_limit: Annotated[float, Ge(0.01), Le(100_000)] | None = None
    """Requests a second at the most; None: no limit."""
    concurrency: Annotated[int, Ge(1), Le(16)] = 1
    """Deliveries under way at once. Only 1 keeps their order. Emulated; Statsig does not publish this."""
    verify_tls: bool = True
    verify_on_save: bool = False
    """Whether the app sends a url_verification when it saves a URL, as Statsig does (statsig-wire.md §3)."""
    client_cert: ClientCert | None = None
    allow_link_local: bool = False
    """Whether the URL may lead to a link-local or metadata address."""
    headers: Mapping[str, str] = field(default_factory=dict)
    filter: Filter = field(default_factory=Filter)
    batch: BatchPolicy = field(default_factory=BatchPolicy)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    circuit: CircuitPolicy = field(default_factory=CircuitPolicy)


@dataclass(frozen=True, slots=True)
class Interface:
    """How the screens look and which keys they take."""

    theme: Literal["dark", "light", "high-contrast", "ansi"] = "dark"
    motion: Literal["full", "reduced"] = "full"
    """Reduced: what moves is there at once."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Command id -> keys, comma-joined."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set."""

    emulator: EmulatorConfig = field(default_factory=EmulatorConfig)
    receiver: ReceiverConfig = field(default_factory=ReceiverConfig)
    retention: Retention = field(default_factory=Retention)
    targets: tuple[Target, ...] = (Target("statsig", STATSIG_URL, Secret(env="STATSIG_SERVER_SECRET")),)
    destinations: tuple[Destination, ...] = (Destination(RECEIVER, DEFAULT_RECEIVER_URL),)
    interface: Interface = field(default_factory=Interface)

    def secret_values(self) -> tuple[str, ...]:
        """Every secret that is known, for masking."""
        references = [
            *(destination.secret for destination in self.destinations),
            *(old.secret for destination in self.destinations for old in destination.old_secrets),
            *(target.key for target in self.targets),
            *self.receiver.secrets,
            *self.emulator.keys,
        ]
        values = [item.value for item in references if item is not None and item.value]
        own = [item.headers for item in self.destinations] + [item.headers for item in self.targets]
        for name, value in (pair for headers in own for pair in headers.items()):
            if tells_secret(name):
                # With its scheme and without: `Bearer …`.
                values += [value, value.rpartition(" ")[2]]
        return tuple(values)

    def signing_secrets(self, at: int | None = None) -> tuple[str, ...]:
        """Every secret that may have signed what the receiver gets, each once.

        With a time (epoch ms), those that were replaced and are still accepted then as well.
        """
        references = [*(destination.secret for destination in self.destinations), *self.receiver.secrets]
        if at is not None:
            olds = (old for destination in self.destinations for old in destination.old_secrets)
            references += [old.secret for old in olds if at < old.until]
        return tuple(dict.fromkeys(item.value for item in references if item is not None and item.value))

    def destination(self, name: str) -> Destination | None:
        """The destination of that name."""
        return next((item for item in self.destinations if item.name == name), None)


def is_statsig(url: str) -> bool:
    """Whether a URL leads to Statsig itself."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return any(host == known or host.endswith(f".{known}") for known in _STATSIG_HOSTS)
