"""Colours by meaning: four themes, and the words, symbols and styles of outcomes. No colour elsewhere."""

from __future__ import annotations

from textual.theme import Theme

from statsig_tui.core.lint import Severity
from statsig_tui.core.records import DeliveryState
from statsig_tui.core.signing import SignatureState

GOOD, BAD, WARN, QUIET, ACCENT, STRONG = (
    "$text-success", "$text-error", "$text-warning", "$foreground-muted", "$text-primary", "bold",
)  # fmt: skip

THEMES = (
    Theme(
        "dark", primary="#7aa2f7", secondary="#7dcfff", accent="#bb9af7", foreground="#c8d0e0",
        background="#16181f", surface="#1b1e27", panel="#232734", success="#8fc97a", warning="#e0af68",
        error="#f7768e", dark=True, variables={"footer-key-foreground": "#7aa2f7"},
    ),
    Theme(
        "light", primary="#2f5fc4", secondary="#11708a", accent="#7a3fb8", foreground="#23262e",
        background="#fafafa", surface="#f1f2f5", panel="#e4e7ee", success="#2d7d2f", warning="#8a5a00",
        error="#b3203a", dark=False, variables={"footer-key-foreground": "#2f5fc4"},
    ),
    Theme(
        "high-contrast", primary="#ffff00", secondary="#00ffff", accent="#ff80ff", foreground="#ffffff",
        background="#000000", surface="#000000", panel="#1c1c1c", success="#00ff66", warning="#ffcc00",
        error="#ff6666", dark=True, variables={"footer-key-foreground": "#ffff00"},
    ),
)  # fmt: skip
ANSI = "ansi-dark"
"""Textual's theme of the terminal's own sixteen colours."""
NAMES = ("dark", "light", "high-contrast", "ansi")

_SIGNATURES = {
    SignatureState.VALID: ("✓", GOOD),
    SignatureState.INVALID: ("✗", BAD),
    SignatureState.MISSING: ("–", WARN),
    SignatureState.STALE: ("~", WARN),
    SignatureState.UNCHECKED: ("?", QUIET),
}
_STATES = {
    DeliveryState.WAITING: ("○", QUIET),
    DeliveryState.SENDING: ("→", ACCENT),
    DeliveryState.DELIVERED: ("✓", GOOD),
    DeliveryState.RETRYING: ("↻", WARN),
    DeliveryState.FAILED: ("✗", BAD),
    DeliveryState.CANCELLED: ("–", QUIET),
}
_SEVERITIES = {
    Severity.ERROR: ("✗", BAD),
    Severity.WARNING: ("⚠", WARN),
    Severity.HINT: ("·", QUIET),
}


def severity(severity: Severity) -> tuple[str, str]:
    """Symbol and style of an advice's severity; the word is the severity's own."""
    return _SEVERITIES[severity]


def signature(state: SignatureState) -> tuple[str, str]:
    """Symbol and style of a signature's verdict; the word is the state's own."""
    return _SIGNATURES[state]


def delivery(state: DeliveryState) -> tuple[str, str]:
    """Symbol and style of a delivery's state; the word is the state's own."""
    return _STATES[state]


def status(code: int | None) -> tuple[str, str]:
    """Symbol and style of an HTTP status; None: no answer."""
    if code is None:
        return "✗", BAD
    if 200 <= code <= 299:
        return "✓", GOOD
    return ("✗", BAD) if code >= 500 else ("✗", WARN)
