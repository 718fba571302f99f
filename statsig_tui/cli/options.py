"""What every command takes, and how every command fails: in words, with a hint, and a true exit code."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from statsig_tui.cli.secrets import Secrets
from statsig_tui.core.printable import lines, printable
from statsig_tui.errors import StatsigTuiError

if TYPE_CHECKING:
    from statsig_tui.core.config import Config
    from statsig_tui.settings import Loaded, Places

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Options:
    """The common options."""

    config: Path | None = None
    data: Path | None = None
    quiet: bool = False
    emulator_port: int | None = None
    receiver_port: int | None = None
    secrets: Secrets = field(default_factory=Secrets, compare=False)
    """What every text that leaves is masked by."""

    def places(self) -> Places:
        """Where settings and data are."""
        from statsig_tui.settings import Places

        return Places.find(self.config, self.data, os.environ)

    def load(self) -> Loaded:
        """The settings as they are stored; warnings go to stderr."""
        from statsig_tui import settings

        places = self.places()
        loaded = settings.load(places.config, os.environ, places.secret)
        self.secrets.learn(loaded.config)
        if not self.quiet:
            for warning in loaded.warnings:
                click.echo(f"warning: {printable(warning)}", err=True)
        return loaded

    def over(self, config: Config) -> Config:
        """The settings with what the command line says for this run."""
        emulator, receiver = config.emulator, config.receiver
        if self.emulator_port is not None:
            emulator = replace(emulator, port=self.emulator_port)
        if self.receiver_port is not None:
            receiver = replace(receiver, port=self.receiver_port)
        return replace(config, emulator=emulator, receiver=receiver)

    def without(self, config: Config, stored: Config) -> Config:
        """The opposite of over(): what of the settings in force belongs into the file."""
        emulator, receiver = config.emulator, config.receiver
        if self.emulator_port is not None and emulator.port == self.emulator_port:
            emulator = replace(emulator, port=stored.emulator.port)
        if self.receiver_port is not None and receiver.port == self.receiver_port:
            receiver = replace(receiver, port=stored.receiver.port)
        return replace(config, emulator=emulator, receiver=receiver)


def common_options(command: Command) -> Command:
    """--config, --data and --quiet, handed on as one Options."""

    @click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="The settings file.")
    @click.option(
        "--data", type=click.Path(file_okay=False, path_type=Path), help="Directory of history and captures."
    )
    @click.option("--quiet", is_flag=True, help="No diagnostics but errors.")
    @functools.wraps(command)
    def wrapped(*args: Any, config: Path | None, data: Path | None, quiet: bool, **rest: Any) -> Any:
        ports = {name: rest.pop(name) for name in ("emulator_port", "receiver_port") if name in rest}
        return command(*args, options=Options(config, data, quiet, **ports), **rest)

    return wrapped  # type: ignore[return-value]  # click's decorators keep the callable's kind


@dataclass(frozen=True, slots=True)
class WhichSecret:
    """Where a signing secret comes from. Never the secret itself: everybody can read a command line."""

    destination: str | None = None
    env: str | None = None
    file: Path | None = None


def secret_options(command: Command) -> Command:
    """--destination, --secret-env and --secret-file, handed on as one WhichSecret."""

    @click.option("--destination", metavar="NAME", help="With the signing secret of this destination.")
    @click.option("--secret-env", metavar="NAME", help="With the secret in this environment variable.")
    @click.option(
        "--secret-file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="With the secret in this file.",
    )
    @functools.wraps(command)
    def wrapped(
        *args: Any, destination: str | None, secret_env: str | None, secret_file: Path | None, **rest: Any
    ) -> Any:
        return command(*args, which=WhichSecret(destination, secret_env, secret_file), **rest)

    return wrapped  # type: ignore[return-value]  # click's decorators keep the callable's kind


def port_options(command: Command) -> Command:
    """--emulator-port and --receiver-port."""
    port = click.IntRange(0, 65535)
    command = click.option("--receiver-port", type=port, help="0: any free one.")(command)
    return click.option("--emulator-port", type=port, help="0: any free one.")(command)


def failing_in_words(command: Command) -> Command:
    """Turn an expected failure into a message and its exit code."""

    @functools.wraps(command)
    def wrapped(*args: Any, **rest: Any) -> Any:
        try:
            code = command(*args, **rest)
        except StatsigTuiError as error:
            tell(error, rest["options"].secrets, as_json=bool(rest.get("as_json")))
            code = error.exit_code
        context = click.get_current_context(silent=True)
        if code and context is not None:
            context.exit(code)
        return code

    return wrapped  # type: ignore[return-value]  # click's decorators keep the callable's kind


def tell(error: StatsigTuiError, redact: Callable[[str], str], *, as_json: bool) -> None:
    """Say what went wrong: as a line on stdout with --json, as text on stderr without."""
    click.echo(in_words(error, redact, as_json=as_json), err=not as_json)


def in_words(error: StatsigTuiError, redact: Callable[[str], str], *, as_json: bool) -> str:
    """Message and hint of an error, without secrets: a JSON line, or text."""
    message, hint = redact(error.message), redact(error.hint)
    if as_json:
        from statsig_tui.cli.lines import json_line

        at = time.time_ns() // 1_000_000
        return json_line({"type": "error", "at": at, "message": message, "hint": hint})
    return "\n".join(lines(f"error: {message}" + (f"\n{hint}" if hint else "")))
