"""Advice on the key an event is sent with: the endpoint takes server secrets only (§1). Pure."""

from __future__ import annotations

from statsig_tui.core.lint.advice import Advice, Severity

HEADER = "STATSIG-API-KEY"
_LENGTH = 50
_RULE = "key"
_OTHERS = {
    "client-": "a client key: this endpoint takes a server secret key (secret-…)",
    "console-": "a console key: this endpoint takes a server secret key (secret-…)",
    "webhook-": "the signing secret of a webhook: this endpoint takes a server secret key (secret-…)",
}


def advise_key(key: str | None) -> tuple[Advice, ...]:
    """What there is to say about a key; None: there is none. It is not repeated in the words."""
    if not key:
        return (_advice(Severity.ERROR, "missing: Statsig answers 401 without a server secret key"),)
    for prefix, words in _OTHERS.items():
        if key.startswith(prefix):
            return (_advice(Severity.ERROR, words),)
    if not key.startswith("secret-"):
        return (_advice(Severity.ERROR, "no Statsig key: a server secret key begins with secret-"),)
    if len(key) != _LENGTH:
        words = f"{len(key)} characters long: every key seen so far has {_LENGTH}"
        return (_advice(Severity.WARNING, words),)
    return ()


def _advice(severity: Severity, message: str) -> Advice:
    return Advice(severity, _RULE, HEADER, message)
