"""A received event as an incoming one: as Compose's draft, or kept as a template."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from statsig_tui.core import draft, jsontext, paste
from statsig_tui.core.generalised import generalised, plain
from statsig_tui.core.library import Template, free_name, name_for
from statsig_tui.core.paste import Pasted
from statsig_tui.core.records import CaptureDetail
from statsig_tui.engine import captures
from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui.screens.going import open_in_compose
from statsig_tui.tui.screens.mode import ModeScreen
from statsig_tui.tui.screens.paste import PasteDialog
from statsig_tui.tui.screens.questions import NameDialog


async def edit_copy(screen: ModeScreen, capture: int, child: int | None) -> None:
    """Open an event of a capture in Compose, after having said what is different."""
    chosen = await _chosen(screen, capture, child, lambda pasted, at: plain(pasted), "opens it in Compose")
    if chosen is not None:
        open_in_compose(screen.host, chosen)


async def save_copy(screen: ModeScreen, capture: int, child: int | None) -> None:
    """Keep an event of a capture under a name of its own, its times and ids as variables."""
    shelf = screen.host.shelf
    chosen = await _chosen(screen, capture, child, generalised, "names it")
    if chosen is None or shelf is None:
        return
    try:
        found = await asyncio.to_thread(shelf.load)
        taken = {each.name for each in (*found.templates, *found.broken)}
        free = free_name(chosen.name, taken)
        asked = NameDialog("Save as a template", "Save", free, taken, replaces=False)
        name = await screen.app.push_screen_wait(asked)
        if isinstance(name, str):
            await asyncio.to_thread(shelf.save, replace(chosen, name=name))
            screen.host.say(f"Saved as {name}: see the library of 1 Compose.")
    except StatsigTuiError as error:
        screen.host.tell(error)


def part_of(detail: CaptureDetail, child: int | None) -> bytes:
    """The body of a capture without its Content-Encoding, or of its events the one with this number."""
    if child is None:
        return captures.plain(detail.headers, detail.body)
    objects = events_of(detail)
    return objects[child] if child < len(objects) else b""


def events_of(detail: CaptureDetail) -> list[bytes]:
    """The events of a capture, as they are spelled; as many as are listed."""
    raw, envelope = captures.plain(detail.headers, detail.body), detail.record.envelope
    if envelope is None:
        return []
    data = raw if envelope == "array" else jsontext.members(raw).get("data", b"[]")
    if envelope == "verification":
        return [data]
    return [item for item in jsontext.items(data) if item.startswith(b"{")]


async def _chosen(
    screen: ModeScreen, capture: int, child: int | None, change: Callable[[Pasted, int], Pasted], yes: str
) -> Template | None:
    detail = await screen.bridge.ask(lambda archive: archive.capture(capture))
    if detail is None:
        screen.host.say("It was forgotten: see [retention] in the settings.")
        return None

    def recognise() -> Pasted | None:
        pasted = paste.recognise(draft.decode(part_of(detail, child)))
        return change(pasted, detail.record.at) if pasted is not None else None

    pasted = await asyncio.to_thread(recognise)
    if pasted is None:
        screen.host.say("There is no event in this capture.")
        return None
    event = await screen.app.push_screen_wait(PasteDialog(pasted, yes, "cancels"))
    if event is None:
        return None
    return Template(name_for(event.name), event.text, variables=event.variables)
