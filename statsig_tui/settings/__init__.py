"""The settings file: TOML <-> Config, places on disk, secrets by reference.

Every complaint names file, line and field, and never a secret. Knows no engine and no screen.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from statsig_tui.core.config import Config, Secret
from statsig_tui.core.redact import Redactor, mask_secret
from statsig_tui.errors import SettingsError, Unavailable
from statsig_tui.settings import files
from statsig_tui.settings.document import (
    DEFAULT_SECRETS,
    LARGEST,
    Report,
    parse,
    to_config,
)
from statsig_tui.settings.lines import Route
from statsig_tui.settings.references import Resolver, doubt_certificates, map_secrets
from statsig_tui.settings.writing import merged, to_document, to_text, unwritable

NAME = "statsig-tui"
HEADER = "# Written by statsig-tui. Comments are lost when the app saves."


class SettingsChanged(SettingsError):
    """The file is not the one that was loaded: somebody else wrote, made or removed it."""

    def __init__(self, message: str, hint: str, digest: str | None) -> None:
        super().__init__(message, hint)
        self.digest = digest
        """Of what is there now, for `save` by whoever was told and wants to replace it."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the settings file and the data directory are."""

    config: Path
    data: Path
    chosen_templates: Path | None = None

    @classmethod
    def find(cls, config: Path | None, data: Path | None, environ: Mapping[str, str]) -> Places:
        """Options beat the environment, which beats the platform's custom; never the working directory."""
        chosen = config or environ.get("STATSIG_TUI_CONFIG") or _custom("config") / "config.toml"
        store = data or environ.get("STATSIG_TUI_DATA") or _custom("data")
        own = environ.get("STATSIG_TUI_TEMPLATES")
        given = [place for place in (chosen, store, own) if place]
        try:
            return cls(*(Path(place).expanduser().absolute() for place in given))
        except RuntimeError as error:
            raise SettingsError(str(error), "write the path in full") from None

    @property
    def database(self) -> Path:
        """History and captures."""
        return self.data / f"{NAME}.db"

    @property
    def log(self) -> Path:
        """The log file."""
        return self.data / f"{NAME}.log"

    @property
    def lock(self) -> Path:
        """Who owns the data directory."""
        return self.data / "lock"

    @property
    def templates(self) -> Path:
        """The user's own templates: beside the settings, so that one repository can hold both."""
        return self.chosen_templates or self.config.parent / "templates"

    @property
    def secret(self) -> Path:
        """The signing secret of the built-in destination, as long as the settings name none."""
        return self.data / "signing-secret"

    def prepare(self) -> None:
        """Make the data directory and its signing secret, for its owner alone.

        Raises Unavailable where the directory cannot be used.
        """
        try:
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(self.data, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, "it cannot be written by this user")
            if not self.secret.exists():
                # Kept, because what an earlier run signed is to be verified by later ones.
                files.write(self.secret, generate_secret().encode())
        except OSError as error:
            raise Unavailable(
                f"the data directory {self.data} cannot be used: {files.reason(error)}",
                "choose another with --data or STATSIG_TUI_DATA",
            ) from None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a settings file says."""

    config: Config
    warnings: tuple[str, ...]
    existed: bool
    digest: str | None
    """Of the file's bytes, for `save`; None where there was no file."""
    comments: bool = False
    """The file holds comments of the user's, which a save would lose."""


def generate_secret() -> str:
    """A new signing secret of the shape of Statsig's."""
    import secrets

    return "webhook-" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(43))


def load(path: Path, environ: Mapping[str, str], own_secret: Path | None = None) -> Loaded:
    """Read the settings, or the defaults where there is no file; SettingsError at the first error.

    `own_secret` is the file with the built-in destination's signing secret; without it one is made up.
    """
    loaded, report = _examine(path, environ, own_secret)
    if loaded is None:
        first, more = report.errors[0], len(report.errors) - 1
        hint = f'{first.hint}; "{NAME} config check" names {more} more' if more else first.hint
        raise SettingsError(first.message, hint)
    return loaded


def check(path: Path, environ: Mapping[str, str]) -> list[str]:
    """All that is wrong or doubtful about the settings, errors first."""
    _, report = _examine(path, environ)
    return [f"{error.message} ({error.hint})" for error in report.errors] + report.warnings


def save(path: Path, config: Config, *, expected_digest: str | None) -> str:
    """Write the settings in place of the file of that digest, and return the new digest.

    Unknown fields of the file are kept, secrets stay references. Raises SettingsChanged where the file is
    another one by now, SettingsError where it is not saved; the old file stands then, byte for byte.
    """
    try:
        real = files.replaceable(path)
        old = _read(real)
        if old is None:
            document = to_document(config)
        else:
            # Broken comes before changed: overwriting is no way out of it.
            former = _sound(old[0], path.name)
            document = merged(former, to_document(config, over=former))
        if _digest(old) != expected_digest:
            raise SettingsChanged(
                f"not saved: {path.name} was changed by somebody else since it was read.",
                "Save once more to write over that, or start again to use it.",
                _digest(old),
            )
        data = _encoded(document, path.name)
        files.write(real, data)
    except OSError as error:
        raise SettingsError(
            f"not saved: {files.reason(error)}", f"mend {path}, or choose another file with --config"
        ) from None
    except SettingsChanged:
        raise
    except SettingsError as error:
        raise SettingsError(f"not saved: {error.message}", error.hint) from None
    return hashlib.sha256(data).hexdigest()


def show(config: Config) -> str:
    """All settings in force as TOML, secrets masked."""
    values: list[str | None] = []

    def masked(_: object, secret: Secret) -> Secret:
        values.extend((secret.value, secret.inline))
        return secret if secret.inline is None else replace(secret, inline=mask_secret(secret.inline))

    document = to_document(map_secrets(config, masked), full=True)
    for entry in (*document["targets"], *document["destinations"]):
        # A header may well be a credential that no reference stands for.
        entry["headers"] = {name: mask_secret(value) for name, value in entry["headers"].items()}
    return Redactor(values)(to_text(document))


def _custom(kind: str) -> Path:
    # Imported where a place is not given: start-up is measured.
    from platformdirs import user_config_path, user_data_path

    return user_config_path(NAME) if kind == "config" else user_data_path(NAME)


def _examine(
    path: Path, environ: Mapping[str, str], own_secret: Path | None = None
) -> tuple[Loaded | None, Report]:
    report = Report(path.name)
    default = partial(_default, own_secret)
    try:
        found = _read(path)
        if found is None:
            config: Config | None = default()
        else:
            report = parse(found[0], path.name)
            config = to_config(report, default)
    except OSError as error:
        report.error((), f"cannot be read: {files.reason(error)}", "mend it, or choose another with --config")
        return None, report
    except SettingsError as error:
        report.errors.append(error)
        return None, report
    if config is None:
        return None, report
    if found is None and path.is_symlink():
        report.warn((), "is a link to nothing; the defaults are used and cannot be saved there")
    state = None if found is None else found[1]
    trusted = state is None or not state.st_mode & stat.S_IWOTH
    config = map_secrets(config, Resolver(environ, path.parent, report.warn, trusted=trusted))
    doubt_certificates(config, report.warn)
    if state is not None:
        _judge_access(path, state, config, report)
    comments = any(comment != HEADER for comment in report.lines.comments)
    return Loaded(config, tuple(report.warnings), found is not None, _digest(found), comments), report


def _default(own_secret: Path | None = None) -> Config:
    config = Config()
    is_kept = own_secret is not None and own_secret.is_file()
    secret = Secret(file=str(own_secret)) if is_kept else Secret.of(generate_secret())
    return replace(
        config,
        receiver=replace(config.receiver, secrets=DEFAULT_SECRETS),
        destinations=tuple(replace(item, secret=secret) for item in config.destinations),
    )


def _judge_access(path: Path, state: os.stat_result, config: Config, report: Report) -> None:
    inline = False

    def look(route: Route, secret: Secret) -> Secret:
        nonlocal inline
        # The built-in destination's own secret is in no file yet.
        inline = inline or (secret.inline is not None and route[0] in report.document)
        return secret

    map_secrets(config, look)
    mend = f"run: chmod 600 {path}"
    if state.st_mode & stat.S_IWOTH:
        report.warn((), f"can be written by anybody; {mend}")
    elif inline and state.st_mode & 0o077:
        report.warn((), f"holds secrets and can be read by others; {mend}")
    if state.st_uid not in {os.geteuid(), 0}:
        report.warn((), "belongs to another user")
    around = path.resolve().parent.stat().st_mode
    if around & stat.S_IWOTH and not around & stat.S_ISVTX:
        report.warn((), f"is in a directory where anybody can replace it; run: chmod o-w {path.parent}")


def _read(path: Path) -> tuple[bytes, os.stat_result] | None:
    try:
        return files.read(path, LARGEST)
    except FileNotFoundError:
        return None


def _digest(found: tuple[bytes, os.stat_result] | None) -> str | None:
    return None if found is None else hashlib.sha256(found[0]).hexdigest()


def _sound(data: bytes, file: str) -> dict[str, object]:
    """The document of a file that could be loaded; SettingsError for a broken one."""
    try:
        report = parse(data, file)
        if to_config(report, _default) is None:
            raise report.errors[0]
    except SettingsError as error:
        raise SettingsError(error.message, f"a broken file is never overwritten: {error.hint}") from None
    return report.document


def _encoded(document: dict[str, object], file: str) -> bytes:
    """The document as the file's bytes, which `load` is sure to take."""
    if (route := unwritable(document)) is not None:
        where = ".".join(str(step) for step in route).encode("ascii", "backslashreplace").decode()
        raise SettingsError(f"{where} holds half of a character (a lone surrogate)", "remove it there")
    data = f"{HEADER}\n{to_text(document)}".encode()
    report = parse(data, file)
    # What could not be loaded again would lock the user out at the next start.
    report.lines.places.clear()
    if to_config(report, _default) is None:
        raise report.errors[0]
    return data
