"""Following secrets to where they are: environment, keyring, file. What leads nowhere counts as absent.

And looking whether the files of client certificates are there.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from statsig_tui.core.config import Config, Secret
from statsig_tui.core.destination import KEY_PREFIXES, SIGNING_PREFIXES, doubt_secret, is_control
from statsig_tui.settings import files
from statsig_tui.settings.lines import Route

KEYRING_SECONDS = 3.0
"""How long a keyring is waited for; a locked one waits for its owner."""
KEYRING_SERVICE = "statsig-tui"

_LARGEST = 64 * 1024


def map_secrets(config: Config, change: Callable[[Route, Secret], Secret]) -> Config:
    """The configuration with every secret changed."""
    emulator, receiver = config.emulator, config.receiver
    keys = tuple(change(("emulator", "keys", index), key) for index, key in enumerate(emulator.keys))
    signing = tuple(
        change(("receiver", "secrets", index), secret) for index, secret in enumerate(receiver.secrets)
    )
    return replace(
        config,
        emulator=replace(emulator, keys=keys),
        receiver=replace(receiver, secrets=signing),
        targets=tuple(
            replace(target, key=target.key and change(("targets", index, "key"), target.key))
            for index, target in enumerate(config.targets)
        ),
        destinations=tuple(
            replace(
                item,
                secret=item.secret and change(("destinations", index, "secret"), item.secret),
                old_secrets=tuple(
                    replace(
                        old,
                        secret=change(("destinations", index, "old_secrets", which, "secret"), old.secret),
                    )
                    for which, old in enumerate(item.old_secrets)
                ),
            )
            for index, item in enumerate(config.destinations)
        ),
    )


def doubt_certificates(config: Config, warn: Callable[[Route, str], None]) -> None:
    """Say which files of client certificates cannot be read; what is in them is seen when they are shown."""
    for index, item in enumerate(config.destinations):
        chosen = item.client_cert
        named = (("cert", chosen.cert), ("key", chosen.key)) if chosen is not None else ()
        for field, name in named:
            try:
                if name is not None:
                    files.read(Path(name).expanduser(), 0)
            except OSError as error:
                why = f"{name} cannot be read: {files.reason(error)}; deliveries fail until it can"
                warn(("destinations", index, "client_cert", field), why)
            except (RuntimeError, ValueError):
                warn(("destinations", index, "client_cert", field), f"{name} is no path")


def strip_secret(text: str) -> str:
    """Without what copying adds: spaces, line breaks and a pair of quotes around the whole."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    return text


class Resolver:
    """Gives each secret its value; says what is odd through `warn`, never with the value."""

    def __init__(
        self, environ: Mapping[str, str], base: Path, warn: Callable[[Route, str], None], *, trusted: bool
    ) -> None:
        self._environ = environ
        self._base = base
        """Relative files start here."""
        self._warn = warn
        self._trusted = trusted
        """Whether the settings file cannot be written by everybody."""
        self._keyring_failed = False

    def __call__(self, route: Route, secret: Secret) -> Secret:
        """The secret with its value, or with None."""
        found = self._find(route, secret)
        value = strip_secret(found or "")
        if not value:
            return replace(secret, value=None)
        if value != found:
            self._warn(
                route, f"{secret.source} has spaces, line breaks or quotes around it; they are ignored"
            )
        is_key = route[0] in {"emulator", "targets"}
        if any(is_control(char) for char in value) or (is_key and not value.isascii()):
            self._warn(route, f"{secret.source} has characters that no secret has; it is not used")
            return replace(secret, value=None)
        if doubt := doubt_secret(value, KEY_PREFIXES if is_key else SIGNING_PREFIXES):
            self._warn(route, f"{secret.source} {doubt}")
        return replace(secret, value=value)

    def _find(self, route: Route, secret: Secret) -> str | None:
        if secret.env is not None:
            return self._environ.get(secret.env)
        if secret.file is not None:
            return self._file(route, secret.file)
        if secret.keyring is not None:
            return self._keyring(route, secret.keyring)
        # One that has its value already was made just now and stands in no file.
        if not self._trusted and secret.value is None:
            self._warn(route, "is not used: anybody can write the file it stands in")
            return None
        return secret.inline

    def _file(self, route: Route, name: str) -> str | None:
        try:
            data, state = files.read(self._base / Path(name).expanduser(), _LARGEST)
            if state.st_mode & stat.S_IWOTH:
                self._warn(route, f"{name} is not used: anybody can write it; chmod 600 it")
            elif len(data) > _LARGEST:
                self._warn(route, f"{name} is not used: it is too large for a secret")
            else:
                return data.decode("utf-8-sig")
        except OSError as error:
            self._warn(route, f"{name} cannot be read: {files.reason(error)}")
        except UnicodeDecodeError:
            self._warn(route, f"{name} is not used: it is not UTF-8 text")
        except (RuntimeError, ValueError):
            self._warn(route, f"{name} is no path")
        return None

    def _keyring(self, route: Route, name: str) -> str | None:
        if self._keyring_failed:
            return None
        answers: SimpleQueue[str | Exception | None] = SimpleQueue()
        Thread(target=_ask_keyring, args=(name, answers), name="keyring", daemon=True).start()
        try:
            answer = answers.get(timeout=KEYRING_SECONDS)
        except Empty:
            answer = TimeoutError()
        if isinstance(answer, Exception):
            # Asking again would only wait again.
            self._keyring_failed = True
            why = "did not answer" if isinstance(answer, TimeoutError) else type(answer).__name__
            self._warn(route, f"the keyring is not to be had ({why}); its secrets count as absent")
            return None
        if answer is None:
            self._warn(
                route,
                f'the keyring has no entry "{name}"; make it with: keyring set {KEYRING_SERVICE} {name}',
            )
        return answer


def _ask_keyring(name: str, answers: SimpleQueue[str | Exception | None]) -> None:
    try:
        import keyring

        answers.put(keyring.get_password(KEYRING_SERVICE, name))
    except Exception as error:  # noqa: BLE001 - a backend raises whatever its desktop raises
        answers.put(error)
