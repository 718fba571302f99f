"""`serve` and `listen`: the engine on the main thread, its commits as lines, signals as a clean stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import signal
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from statsig_tui.cli.lines import as_json, as_text, json_line
from statsig_tui.cli.listening import Expected, Feed, Forwarding, Take, is_at
from statsig_tui.cli.log import log_to
from statsig_tui.cli.mounts import cautions
from statsig_tui.cli.options import Options, in_words, tell
from statsig_tui.cli.process import hard_stop, keep_loaded, raise_descriptor_limit
from statsig_tui.core.config import Config, Secret
from statsig_tui.core.destination import Invalid, validate_url
from statsig_tui.core.printable import printable
from statsig_tui.core.programs import checked
from statsig_tui.core.query import Query
from statsig_tui.core.records import CaptureRecord, Record, SentRecord
from statsig_tui.engine.engine import Engine, running
from statsig_tui.engine.listeners import Listener
from statsig_tui.engine.lock import locked
from statsig_tui.engine.store import Observer
from statsig_tui.errors import StoreBroken, UsageError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Output:
    """What is printed."""

    json: bool
    bodies: bool
    quiet: bool
    ready_file: Path | None


def run_serve(options: Options, output: Output, asked: Listening) -> int:
    """Run emulator, forwarder and receiver until a signal; the exit code."""
    places = options.places()
    places.prepare()
    config = _over(options.over(options.load().config), asked)
    log_to(places.log, options.secrets)
    if asked.speed != 1 and not output.quiet:
        sys.stderr.write(
            f"Waiting goes {asked.speed:g} times as fast; signatures and stored times stay true.\n"
        )
    return _run(config, places.data, places.database, ("emulator", "receiver"), output, asked)


@dataclass(frozen=True, slots=True)
class Listening:
    """What `listen` is asked beside what is printed."""

    port: int | None = None
    wait: int | None = None
    """End after so many captures that fit."""
    timeout: float | None = None
    """Seconds."""
    expect: Query | None = None
    path: str | None = None
    """Captures at other paths are answered and kept, but neither shown nor counted."""
    enforce: bool = False
    secret_env: str | None = None
    forward_to: str | None = None
    speed: float = 1.0
    """How many times as fast waiting goes."""
    respond: str | None = None
    """A response program."""


def run_listen(options: Options, output: Output, asked: Listening) -> int:
    """Run the receiver until a signal, `wait` captures, or `timeout` seconds; the exit code."""
    places = options.places()
    if options.data is not None:
        places.prepare()
    config = _over(options.over(options.load().config), asked)
    options.secrets.learn(config)
    if asked.forward_to is not None:
        _check_url(asked.forward_to)
    if options.data is None:
        with tempfile.TemporaryDirectory(prefix="statsig-tui-") as place:
            data = Path(place)
            log_to(data / "listen.log", options.secrets)
            return _run(config, data, data / "listen.db", ("receiver",), output, asked)
    log_to(places.log, options.secrets)
    return _run(config, places.data, places.database, ("receiver",), output, asked)


def _over(config: Config, asked: Listening) -> Config:
    receiver = config.receiver
    if asked.port is not None:
        receiver = replace(receiver, port=asked.port)
    if asked.secret_env is not None:
        value = os.environ.get(asked.secret_env, "").strip()
        if not value:
            raise UsageError(f"{asked.secret_env} is not set.", "Set it, or name another variable.")
        given = Secret(env=asked.secret_env, value=value)
        receiver = replace(receiver, secrets=(given, *receiver.secrets))
    if asked.enforce:
        receiver = replace(receiver, signature="enforce")
    if asked.respond is not None:
        checked(asked.respond)
        receiver = replace(receiver, respond=asked.respond)
    config = replace(config, receiver=receiver)
    if asked.enforce and not config.signing_secrets():
        raise UsageError(
            "--enforce has no signing secret to judge by: everything would be taken.",
            "Name one with --secret-env, or put it into the settings.",
        )
    return config


def _check_url(url: str) -> None:
    try:
        validate_url(url)
    except Invalid as error:
        raise UsageError(f"--forward-to {error.message}.", error.hint) from None


def _run(
    config: Config,
    data: Path,
    database: Path,
    listeners: Sequence[Listener],
    output: Output,
    asked: Listening,
) -> int:
    for caution in () if output.quiet else cautions(data):
        sys.stderr.write(f"warning: {printable(caution)}\n")
    raise_descriptor_limit()
    with locked(data / "lock") as publish:
        return asyncio.run(_serve(config, database, listeners, output, publish, asked))


async def _serve(
    config: Config,
    database: Path,
    listeners: Sequence[Listener],
    output: Output,
    publish: Callable[[str | None, str | None], None],
    asked: Listening,
) -> int:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    ended_by: list[int] = []

    def on_signal(number: int) -> None:
        if ended_by:
            os._exit(128 + number)
        ended_by.append(number)
        hard_stop(128 + number)
        stop.set()

    def on_broken_pipe() -> None:
        ended_by.append(signal.SIGPIPE)
        loop.call_soon_threadsafe(stop.set)

    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    shows = is_at(asked.path) if asked.path is not None else (lambda record: True)
    printer = _Printer(output, shows, on_broken_pipe)
    works = _Works(asked, shows, printer, stop)
    try:
        observers = [*([printer.put] if printer.prints else []), *works.observers]
        async with running(
            config,
            database,
            listeners=listeners,
            observers=observers,
            on_listening=publish,
            speed=asked.speed,
        ) as engine:
            keep_loaded()
            works.check(engine)
            with printer.printing(engine):
                async with works.going(engine):
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(asked.timeout):
                            await stop.wait()
    finally:
        printer.flush()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
    if ended_by:
        return 128 + ended_by[0]
    if works.expected is not None:
        works.expected.settle(asked.timeout)
    return 0


class _Works:
    """What is done with each capture beside printing it."""

    def __init__(
        self, asked: Listening, shows: Callable[[Record], bool], printer: _Printer, stop: asyncio.Event
    ) -> None:
        self.expected: Expected | None = None
        self._forwarding: Forwarding | None = None
        takers: list[Take] = []
        if asked.wait is not None or asked.expect is not None:
            self.expected = Expected(asked.wait or 1, asked.expect, stop.set)
            takers.append(self.expected.take)
        if asked.forward_to is not None:
            self._forwarding = Forwarding(asked.forward_to, as_json=printer.prints_json, say=printer.say)
            takers.append(self._forwarding.take)
        self._feed = Feed(shows, takers)
        self.observers: list[Observer] = [self._feed.put] if takers else []
        """Who is to be told of commits."""

    def check(self, engine: Engine) -> None:
        """Raise UsageError where it cannot be meant."""
        if self._forwarding is not None:
            self._forwarding.check(engine.addresses.receiver)

    @contextlib.asynccontextmanager
    async def going(self, engine: Engine) -> AsyncIterator[None]:
        """Work until the end."""
        try:
            async with self._feed.worked_off(engine):
                yield
        finally:
            if self._forwarding is not None:
                await self._forwarding.close()


class _Printer:
    """Prints what commits wrote, in a thread of its own: a slow reader of stdout delays no commit."""

    def __init__(
        self, output: Output, shows: Callable[[Record], bool], on_broken_pipe: Callable[[], None]
    ) -> None:
        self._output = output
        self._shows = shows
        self._on_broken_pipe = on_broken_pipe
        self._queue: queue.SimpleQueue[Sequence[tuple[Record, bytes | None]] | StoreBroken | str | None] = (
            queue.SimpleQueue()
        )
        self._engine: Engine | None = None
        self.prints = output.json or not output.quiet
        """Whether anything but the ready line is printed."""
        self._thread: threading.Thread | None = None

    def put(self, records: Sequence[Record]) -> None:
        if not records and self._engine is not None and self._engine.refusal is not None:
            self._queue.put(self._engine.refusal)
        # Bodies are read here, by the writer: when the last lines are printed the store is closed.
        self._queue.put([(record, self._body(record)) for record in records if self._shows(record)])

    @property
    def prints_json(self) -> bool:
        """Whether lines are JSON."""
        return self._output.json

    def say(self, line: str) -> None:
        """Print a line of somebody else's among the others."""
        if self.prints:
            self._queue.put(line)

    @contextlib.contextmanager
    def printing(self, engine: Engine) -> Iterator[None]:
        """Print the ready line, then everything, until the engine stops."""
        self._engine = engine
        addresses = engine.addresses
        ready = json_line(
            {
                "type": "ready",
                "at": time.time_ns() // 1_000_000,
                "emulator": addresses.emulator,
                "receiver": addresses.receiver,
                "pid": os.getpid(),
            }
        )
        if self._write(ready + "\n"):
            self._thread = threading.Thread(
                target=self._print, args=(engine.redact,), name="printer", daemon=True
            )
            self._thread.start()
        if self._output.ready_file is not None:
            write_whole(self._output.ready_file, ready + "\n")
        yield

    def flush(self) -> None:
        """Print what is left; the engine has stopped, so nothing more will come."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()

    def _print(self, redact: Callable[[str], str]) -> None:
        while (records := self._queue.get()) is not None:
            if isinstance(records, str):
                if not self._write(redact(records) + "\n"):
                    return
                continue
            if isinstance(records, StoreBroken):
                if not self._output.json:
                    tell(records, redact, as_json=False)
                elif not self._write(in_words(records, redact, as_json=True) + "\n"):
                    return
                continue
            lines = [line for record, body in records if (line := self._line(record, body)) is not None]
            if not self._write("".join(f"{line}\n" for line in lines)):
                return

    def _write(self, text: str) -> bool:
        """Whether somebody still reads."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:
            # Say nothing else, and let nothing be flushed at the exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self._on_broken_pipe()
            return False
        return True

    def _line(self, record: Record, body: bytes | None) -> str | None:
        engine = self._engine
        redact = engine.redact if engine is not None else str
        if not self._output.json:
            # What the app sent is said by the event that it became.
            is_said = self._output.quiet or isinstance(record, SentRecord)
            return None if is_said else redact(as_text(record))
        if body is None:
            body = self._body(record)
        # The body is printed as it came: it was asked for.
        return as_json(record, body) if body is not None else redact(as_json(record))

    def _body(self, record: Record) -> bytes | None:
        if not (self._output.json and self._output.bodies and isinstance(record, CaptureRecord)):
            return None
        detail = self._engine.archive.capture(record.id) if self._engine is not None else None
        return detail.body if detail is not None else None


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees all of it or nothing."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text)
    partial.replace(path)
