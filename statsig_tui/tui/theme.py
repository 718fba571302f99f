"""Colours by meaning: four themes, and the words, symbols and styles of outcomes. No colour elsewhere."""

from __future__ import annotations

from textual.theme import Theme

from statsig_tui.core.lint import Severity
from statsig_tui.core.records import DeliveryState
from statsig_tui.core.signing import SignatureState

GOOD, BAD, WARN, QUIET, ACCENT, STRONG = (
    "$text-success", "$text-error", "$text-warning", "$foreground-muted", "$text-primary", "bold",
)  # fmt: skip


def _quiet(muted: str, chosen: str, selected: str, frame: str, foreground: str, key: str) -> dict[str, str]:
    """What Textual derives by blending, as colours that are read on every surface, the chosen line too."""
    return {
        "border-blurred": frame,
        "foreground-muted": muted,
        "text-muted": muted,
        "text-disabled": muted,
        "primary-muted": chosen,
        "block-cursor-background": chosen,
        "block-cursor-foreground": foreground,
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": f"{foreground} 8%",
        "input-selection-background": selected,
        "screen-selection-background": selected,
        "footer-key-foreground": key,
    }


THEMES = (
    Theme(
        "dark", primary="#7aa2f7", secondary="#7dcfff", accent="#bb9af7", foreground="#c8d0e0",
        background="#16181f", surface="#1b1e27", panel="#232734", success="#8fc97a", warning="#e0af68",
        error="#f7768e", dark=True,
        variables=_quiet("#99a2b4", "#28344f", "#2a3757", "#2a2f3f", "#c8d0e0", "#7aa2f7"),
    ),
    Theme(
        "light", primary="#2f5fc4", secondary="#11708a", accent="#7a3fb8", foreground="#23262e",
        background="#fafafa", surface="#f1f2f5", panel="#e4e7ee", success="#2d7d2f", warning="#8a5a00",
        error="#b3203a", dark=False,
        variables=_quiet("#555a64", "#d3ddf3", "#c6d4f2", "#d4d8e2", "#23262e", "#2a55b0"),
    ),
    Theme(
        "high-contrast", primary="#ffff00", secondary="#00ffff", accent="#ff80ff", foreground="#ffffff",
        background="#000000", surface="#000000", panel="#1c1c1c", success="#00ff66", warning="#ffcc00",
        error="#ff6666", dark=True,
        variables=_quiet("#d6d6d6", "#404000", "#444400", "#8c8c8c", "#ffffff", "#ffff00"),
    ),
    # The terminal's own sixteen; of its two blues the bright one is read on black and on white.
    Theme(
        "ansi", ansi=True, primary="ansi_bright_blue", secondary="ansi_cyan", accent="ansi_magenta",
        foreground="ansi_default", background="ansi_default", surface="ansi_default", panel="ansi_default",
        success="ansi_green", warning="ansi_yellow", error="ansi_red", boost="ansi_default", dark=True,
        variables={
            "ansi-background": "ansi_black",
            "ansi-foreground": "ansi_white",
            "foreground-muted": "ansi_default",
            "text-muted": "ansi_default",
            "primary-muted": "ansi_default",
            "border-blurred": "ansi_default",
            "block-cursor-foreground": "ansi_default",
            "block-cursor-background": "ansi_default",
            "block-cursor-text-style": "bold underline",
            "input-cursor-background": "ansi_default",
            "input-cursor-foreground": "ansi_default",
            "input-cursor-text-style": "reverse",
            "input-selection-background": "ansi_bright_blue",
            "input-selection-foreground": "ansi_black",
            "screen-selection-background": "ansi_bright_blue",
            "screen-selection-foreground": "ansi_black",
            "footer-key-foreground": "ansi_bright_blue",
        },
    ),
)  # fmt: skip
ANSI = "ansi"
"""The theme without a colour of its own."""
NAMES = tuple(theme.name for theme in THEMES)

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
