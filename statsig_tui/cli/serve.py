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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from statsig_tui.cli.lines import as_json, as_text, json_line
from statsig_tui.cli.log import log_to
from statsig_tui.cli.options import Options, in_words, tell
from statsig_tui.cli.process import hard_stop, keep_loaded, raise_descriptor_limit
from statsig_tui.core.config import Config
from statsig_tui.core.records import CaptureRecord, Record, SentRecord
from statsig_tui.engine.engine import Engine, running
from statsig_tui.engine.listeners import Listener
from statsig_tui.engine.lock import locked
from statsig_tui.errors import StoreBroken, TimedOut

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Output:
    """What is printed."""

    json: bool
    bodies: bool
    quiet: bool
    ready_file: Path | None


def run_serve(options: Options, output: Output, speed: float) -> int:
    """Run emulator, forwarder and receiver until a signal; the exit code."""
    places = options.places()
    places.prepare()
    config = options.over(options.load().config)
    log_to(places.log, options.secrets)
    if speed != 1 and not output.quiet:
        sys.stderr.write(f"Waiting goes {speed:g} times as fast; signatures and stored times stay true.\n")
    return _run(config, places.data, places.database, ("emulator", "receiver"), output, speed=speed)


def run_listen(
    options: Options, port: int | None, output: Output, wait: int | None, timeout: float | None
) -> int:
    """Run the receiver until a signal, `wait` captures, or `timeout` seconds; the exit code."""
    places = options.places()
    if options.data is not None:
        places.prepare()
    config = options.over(options.load().config)
    if port is not None:
        config = replace(config, receiver=replace(config.receiver, port=port))
    if options.data is None:
        with tempfile.TemporaryDirectory(prefix="statsig-tui-") as place:
            data = Path(place)
            log_to(data / "listen.log", options.secrets)
            return _run(config, data, data / "listen.db", ("receiver",), output, wait, timeout)
    log_to(places.log, options.secrets)
    return _run(config, places.data, places.database, ("receiver",), output, wait, timeout)


def _run(
    config: Config,
    data: Path,
    database: Path,
    listeners: Sequence[Listener],
    output: Output,
    wait: int | None = None,
    timeout: float | None = None,
    speed: float = 1.0,
) -> int:
    raise_descriptor_limit()
    with locked(data / "lock") as publish:
        return asyncio.run(_serve(config, database, listeners, output, publish, wait, timeout, speed))


async def _serve(
    config: Config,
    database: Path,
    listeners: Sequence[Listener],
    output: Output,
    publish: Callable[[str | None, str | None], None],
    wait: int | None,
    seconds: float | None,
    speed: float,
) -> int:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    ended_by: list[int] = []
    left = wait

    def count(records: Sequence[Record]) -> None:
        nonlocal left
        if left is not None:
            left -= sum(isinstance(record, CaptureRecord) for record in records)
            if left <= 0:
                loop.call_soon_threadsafe(stop.set)

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
    printer = _Printer(output, on_broken_pipe)
    try:
        observers = [printer.put] if printer.prints else []
        if wait is not None:
            observers.append(count)
        async with running(
            config, database, listeners=listeners, observers=observers, on_listening=publish, speed=speed
        ) as engine:
            keep_loaded()
            with printer.printing(engine), contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await stop.wait()
    finally:
        printer.flush()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
    if ended_by:
        return 128 + ended_by[0]
    if left is not None and left > 0:
        raise TimedOut(
            f"{wait} captures were waited for, {wait - left if wait else 0} came within {seconds:g} s.",
            "See that the sender's URL is the receiver's, or give it longer with --timeout.",
        )
    return 0


class _Printer:
    """Prints what commits wrote, in a thread of its own: a slow reader of stdout delays no commit."""

    def __init__(self, output: Output, on_broken_pipe: Callable[[], None]) -> None:
        self._output = output
        self._on_broken_pipe = on_broken_pipe
        self._queue: queue.SimpleQueue[Sequence[tuple[Record, bytes | None]] | StoreBroken | None] = (
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
        self._queue.put([(record, self._body(record)) for record in records])

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
