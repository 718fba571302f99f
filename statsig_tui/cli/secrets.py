"""The secrets this process has come to know: whatever it prints or logs is masked by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statsig_tui.core.redact import Redactor

if TYPE_CHECKING:
    from statsig_tui.core.config import Config


class Secrets:
    """Masks what was learned so far; what was once a secret remains one."""

    def __init__(self) -> None:
        self._values: frozenset[str] = frozenset()
        self._redact = Redactor()

    def learn(self, config: Config) -> None:
        """Mask the secrets of these settings, too, from now on."""
        self._values = self._values.union(config.secret_values())
        self._redact = Redactor(self._values)

    def __call__(self, text: str) -> str:
        """The text with every secret masked."""
        return self._redact(text)
