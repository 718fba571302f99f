"""Every command once: its key, title, help and action; footer, palette, help and keymap come from here."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from textual.binding import Binding, BindingType

Scope = Literal["app", "compose", "destinations", "live"]


@dataclass(frozen=True, slots=True)
class Command:
    """Something a user can do."""

    id: str
    keys: str
    title: str
    """For the footer and the palette."""
    help: str
    action: str
    scope: Scope
    shown: bool = True
    """Whether the footer names it."""
    everywhere: bool = False
    """Whether the key acts while a field is being typed in, too."""


COMMANDS = (
    Command("app.compose", "f6,1", "Compose", "Craft an incoming event and send it", "mode('compose')", "app", False),
    Command(
        "app.destinations", "f7,2", "Destinations", "Webhook destinations, filters and deliveries",
        "mode('destinations')", "app", False,
    ),
    Command("app.live", "f8,3", "Live", "What the receiver gets, as it arrives", "mode('live')", "app", False),
    Command("app.dock", "ctrl+l", "Docked Live", "Show Live's list beside Compose and Destinations, from 150 columns on, and no longer; it stays over a restart", "dock", "app", False, True),
    Command("app.dock_enter", "4", "Docked list", "Give the keys to the docked list, and back; enter opens a capture in Live", "dock_enter", "app"),
    Command("app.palette", "ctrl+p", "Palette", "Find a command by its name", "command_palette", "app"),
    Command("app.jump", "ctrl+o", "Jump", "To a screen, a destination, a template, what was sent, or an id such as c57, d7, e12, t…", "jump", "app", True, True),
    Command("app.help", "f1,question_mark", "Help", "Keys and words", "help", "app"),
    Command("app.requests", "", "Requests and refusals", "What the emulator did not plainly accept, SDK polls, and what never arrived whole", "requests", "app", False),
    Command("app.privacy", "f2", "Privacy", "Mask ids, e-mail addresses and keys on the screen, and show them again; what is stored, sent, copied and exported stays as it is", "privacy", "app", False, True),
    Command("app.theme", "", "Theme", "Dark, light, high contrast or the terminal's own colours", "next_theme", "app", False),
    Command("app.reload", "", "Reload settings", "Use what the settings file says now, where it was edited beside the app", "reload", "app", False),
    Command("app.ports", "", "Use a free port", "Let a listener whose port is taken listen on any free one", "free_port", "app", False),
    Command("app.copy_or_quit", "ctrl+c", "Copy, or quit", "Copy the selection; without one, twice: quit", "copy_or_quit", "app", False, True),
    Command("app.quit", "q", "Quit", "Stop the listeners and leave", "quit", "app", False),
    Command("compose.send", "ctrl+j,f5", "Send", "Send the event to the target", "send", "compose", True, True),
    Command("compose.series", "f10", "Series", "Send the event so many times or until stopped, at a rate; again: back to the series under way", "series", "compose", True, True),
    Command("compose.undo", "u", "Undo", "Bring back the template that was deleted or replaced", "library_undo", "compose"),
    Command("compose.new", "ctrl+n", "New", "Start again from the sample event", "new", "compose", True, True),
    Command("compose.target", "ctrl+t", "Target", "Switch the target", "next_target", "compose", True, True),
    Command("compose.view", "ctrl+g", "View", "Form and JSON, two views on one text", "next_view", "compose", True, True),
    Command("compose.find", "ctrl+f", "Find", "Find in the JSON text; enter and ↑ go on and back, esc leaves", "find", "compose", False, True),
    Command("compose.fix", "f9", "Fix", "Apply the fix of the chosen advice, or the first one", "fix", "compose", True, True),
    Command("compose.save", "ctrl+s", "Save", "Keep the event as a template of your own", "save", "compose", True, True),
    Command("compose.request", "ctrl+r", "Preview", "The request as it goes out, and as curl, HTTPie, Python; again: its method, path and headers", "next_request_view", "compose", True, True),
    Command("compose.editor", "f4", "Editor", "Open $VISUAL or $EDITOR on the field under the cursor, or on the whole text", "edit_elsewhere", "compose", False, True),
    Command("compose.page", "f3", "Pager", "Read the answer, the request that is shown, or the text, in $PAGER or less", "page", "compose", False, True),
    Command("compose.paste_as", "", "Paste as…", "Recognise the text as curl, an outgoing event, a batch or an SDK body, and convert it", "paste_as", "compose", False),
    Command("compose.load", "", "Body from a file", "Make the bytes of a file the body, whatever they are", "load_body", "compose", False),
    Command("compose.copy", "y", "Copy", "Copy the request or the snippet that is shown", "copy_request", "compose"),
    Command("compose.library", "f12", "Library", "Templates, saved ones and what was sent; again: back", "library", "compose", True, True),
    Command("compose.search", "slash", "Search", "Search the library", "library_search", "compose"),
    Command("compose.resend", "r", "Send as it is", "Send what is under the cursor without opening it", "library_send", "compose"),
    Command("compose.compare", "equals_sign", "Compare", "What is different between what is under the cursor and the draft", "library_compare", "compose"),
    Command("compose.duplicate", "d", "Duplicate", "Keep a copy of the template under the cursor", "library_duplicate", "compose"),
    Command("compose.rename", "e", "Rename", "Rename the saved template under the cursor", "library_rename", "compose"),
    Command("compose.delete", "delete", "Delete", "Delete the saved template; u brings it back", "library_delete", "compose"),
    Command("destinations.save", "ctrl+s", "Save", "Use what was edited; queued events are kept", "save", "destinations", True, True),
    Command("destinations.back", "escape", "Back", "Cancel the edits; without any, back to the list", "back", "destinations"),
    Command("destinations.new", "ctrl+n", "New", "Add a destination", "new", "destinations", True, True),
    Command("destinations.duplicate", "d", "Duplicate", "Add a copy of the destination, turned off", "duplicate", "destinations", False),
    Command("destinations.edit", "e", "Edit", "Change name, URL and delivery", "edit", "destinations"),
    Command("destinations.toggle", "space", "On / off", "Enable or disable the destination, or resume it after a 410 or a pause", "toggle_enabled", "destinations"),
    Command("destinations.filter", "f", "Filter", "Event Filtering of the destination", "filter", "destinations"),
    Command("destinations.details", "o", "Details", "Detailed options of the filter: kinds, types, patterns, tiers, sample", "filter_details", "destinations"),
    Command("destinations.search", "slash", "Search", "Search the custom events", "search", "destinations"),
    Command("destinations.test", "t", "Test event", "Send Test Event: one event to this destination, through its filter or past it", "send_test", "destinations"),
    Command("destinations.change", "C", "Config change…", "Send a config change as if it was made in Statsig's console, through every filter", "send_change", "destinations", False),
    Command("destinations.self_test", "", "Self-test of the endpoint", "One good request and several bad ones to the destination's URL, and how it took each", "sign('self-test')", "destinations", False),
    Command("destinations.verify_url", "", "Send url_verification", "Ask the destination's URL as Statsig does when it is saved, and judge the answer", "sign('verify-url')", "destinations", False),
    Command("destinations.generate", "", "Generate New Key", "A new signing secret for the destination, used once it is saved", "sign('generate-secret')", "destinations", False),
    Command("destinations.reveal", "", "Reveal the signing secret", "Show it in clear for some seconds", "sign('reveal-secret')", "destinations", False),
    Command("destinations.copy_secret", "", "Copy the signing secret", "Copy it in clear", "sign('copy-secret')", "destinations", False),
    *(
        Command(f"destinations.verifier_{name.lower()}", "", f"Copy a verifier for {name}", "Code that checks the signature of a request", f"sign('verifier-{name}')", "destinations", False)
        for name in ("Python", "Node", "Go", "Ruby")
    ),
    Command("destinations.matrix", "v", "Verdicts", "What every destination's filter said to the events seen last, by name", "matrix", "destinations", False),
    Command("destinations.retry", "r", "Retry now", "Make the delivery under the cursor due at once", "retry", "destinations"),
    Command("destinations.cancel", "c", "Cancel", "Give up the delivery under the cursor", "cancel_delivery", "destinations"),
    Command("destinations.mark", "m", "Mark", "Mark the delivery under the cursor for redelivering, or mark it no longer", "mark", "destinations"),
    Command("destinations.marked", "M", "Only marked", "Show only the destination's marked deliveries, of whatever minute, and again all", "only_marked", "destinations", False),
    Command("destinations.redeliver", "R", "Redeliver…", "Make due again the marked deliveries, or what has failed in a minute, since then, in the last hour or day, or ever", "redeliver", "destinations"),
    Command("destinations.compare", "equals_sign", "Compare", "Keep the attempt under the cursor (a delivery's last one) for comparing; on another one: what is different", "compare", "destinations"),
    Command("destinations.hurry", "n", "Next attempt now", "Make everything that waits for its next attempt at the destination due at once, and close its open batch", "hurry", "destinations"),
    Command("destinations.speed", "s", "Time ×1 ×60 ×3600", "Let waiting go faster: batches, retries, Retry-After, rate limits; signatures and stored times stay true", "next_speed", "destinations", False),
    Command("destinations.delete", "delete", "Delete", "Delete the destination; u brings it back", "delete", "destinations"),
    Command("destinations.undo", "u", "Undo", "Bring back the deleted destination", "undo", "destinations"),
    Command("destinations.page", "f3", "Pager", "Read the attempt's body or answer that has the keys, in $PAGER or less", "page", "destinations", False, True),
    Command("destinations.tab", "right_square_bracket", "Next tab", "The next tab of the destination", "tab('next')", "destinations"),
    Command("destinations.tab_back", "left_square_bracket", "Previous tab", "The previous tab of the destination", "tab('previous')", "destinations", False),
    Command("live.replay", "r", "Replay", "Send the capture again as was chosen last; at first as received, to where it came from", "replay", "live"),
    Command("live.replay_with", "R", "Replay with…", "Choose what (the event, the capture, marked or shown ones), as received, re-signed or as events, whereto and how often", "replay_with", "live"),
    Command("live.probe", "t", "Probe", "Send a marked event through every hop to one destination, and see where it gets to", "probe", "live"),
    Command("live.tunnel", "T", "Tunnel", "Enter a tunnel's public URL, so that Statsig reaches the receiver, and try it end to end", "tunnel", "live", False),
    Command("live.copy", "y", "Copy", "Copy body, event, headers, request, curl, base string, or the value under the cursor", "copy", "live"),
    Command("live.export", "x", "Export", "Write captures to a file: NDJSON, HAR, curl, raw requests or CSV", "export", "live"),
    Command("live.filter", "f", "Filter", "Show only what fits: words, key:value, field=value; tab completes", "filter", "live"),
    Command("live.filter_off", "F", "Filter on / off", "Show everything, and again only what fits; the filter's text stays", "toggle_filter", "live", False),
    Command("live.search", "slash", "Search", "Go to the newest capture that fits, without hiding the others: names, ids, bodies", "search", "live"),
    Command("live.next", "n", "Next hit", "The next older hit of the search", "hit('older')", "live"),
    Command("live.previous", "N", "Previous hit", "The next newer hit of the search", "hit('newer')", "live", False),
    Command("live.mark", "m", "Mark", "Mark the capture under the cursor, or mark it no longer", "mark", "live"),
    Command("live.marked", "M", "Only marked", "Show only marked captures, and again all", "only_marked", "live", False),
    Command("live.clear", "z", "Clear", "Begin with an empty list: what is there is hidden, not deleted; marked captures stay", "clear", "live", False),
    Command("live.undo", "u", "Undo", "Show again what was cleared", "undo", "live"),
    Command("live.edit", "e", "Edit a copy", "Open the event under the cursor in Compose, as an incoming event", "edit_copy", "live"),
    Command("live.save", "ctrl+s", "Save as a template", "Keep the event under the cursor as a template, its times and ids as variables", "save_copy", "live", False),
    Command("live.compare", "equals_sign", "Compare", "Keep the capture or event under the cursor for comparing; on another one: what is different", "compare", "live"),
    Command("live.counts", "c", "Counts", "How many events of each class and name are kept; enter on one: show only these, again: all", "counts", "live"),
    Command("live.ages", "a", "Ages", "Ages in place of times of day, and back", "ages", "live", False),
    Command("live.respond", "P", "Answers", "What the receiver answers: a response program, from the next request on", "respond", "live"),
    Command("live.page", "f3", "Pager", "Read the body, event or answer under the cursor, in $PAGER or less", "page", "live", False, True),
    Command("live.tab", "right_square_bracket", "Next tab", "The next tab of the detail", "tab('next')", "live"),
    Command("live.tab_back", "left_square_bracket", "Previous tab", "The previous tab of the detail", "tab('previous')", "live", False),
    Command("live.back", "escape", "Back", "Back to the list; from there, stop the replay or put its outcome away", "back", "live", False),
)  # fmt: skip
"""In the order of the footer."""


_BY_ID = {command.id: command for command in COMMANDS}
_SPELLED = {
    "equals_sign": "=",
    "question_mark": "?",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "escape": "esc",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "slash": "/",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}
_KEYS: ContextVar[Mapping[str, str]] = ContextVar("keys", default=MappingProxyType({}))


def use_keys(keys: Mapping[str, str]) -> None:
    """Have texts name these keys, by the commands' ids; in this app, whatever others run beside it."""
    _KEYS.set(keys)


def spelled(key: str) -> str:
    """A key as texts name it: `esc`, `/`, `ctrl+n`."""
    return _SPELLED.get(key, key)


def keys_of(command: str, default: str = "") -> str:
    """The keys a command or a list's action has now, comma-joined; the default of a command is its own."""
    return _KEYS.get().get(command, _BY_ID[command].keys if command in _BY_ID else default)


def key(command: str) -> str:
    """How a text tells to use a command: its first key, or the way through the palette where it has none."""
    first = keys_of(command).split(",")[0].strip()
    return spelled(first) if first else palette(command)


def palette(command: str) -> str:
    """The way to a command through the palette: `ctrl+p, Use a free port`."""
    opens = keys_of("app.palette").split(",")[0].strip()
    return f"{spelled(opens) if opens else 'the palette'}, {_BY_ID[command].title}"


def short_key(command: str) -> str:
    """A command's first key where there is little room: `^s`."""
    return key(command).replace("ctrl+", "^")


def clashes(keys: Mapping[str, str]) -> list[str]:
    """What to say of commands that share a key, which are to have these keys by their ids."""
    found: dict[str, None] = {}
    for scope in get_args(Scope):
        taken: dict[str, str] = {}
        for command in COMMANDS:
            wanted = keys.get(command.id, command.keys) if command.scope in ("app", scope) else ""
            for key in filter(None, (each.strip() for each in wanted.split(","))):
                first = taken.setdefault(key, command.id)
                if first != command.id:
                    found[f"{first} and {command.id} are both on {key}: see [interface.keys]."] = None
    return list(found)


def bindings(scope: Scope) -> list[BindingType]:
    """The key bindings of a scope; their ids are the commands', for the settings' [interface.keys]."""
    return [
        Binding(
            command.keys,
            command.action,
            command.title,
            show=command.shown,
            priority=command.everywhere,
            id=command.id,
            tooltip=command.help,
        )
        for command in COMMANDS
        if command.scope == scope and command.keys
    ]
