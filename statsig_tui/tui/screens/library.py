"""What a screen does with the library: open, send, save, duplicate, rename, delete and undo."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from textual import events, on, work
from textual.widgets import Input, TextArea

from statsig_tui.core import draft
from statsig_tui.core.kept import without_secrets
from statsig_tui.core.library import Template, free_name
from statsig_tui.core.records import SentRecord
from statsig_tui.errors import StatsigTuiError
from statsig_tui.tui.commands import key
from statsig_tui.tui.screens.drafting import DraftingScreen
from statsig_tui.tui.screens.questions import NameDialog
from statsig_tui.tui.shelf import Shelf
from statsig_tui.tui.widgets.library import Library
from statsig_tui.tui.widgets.library_rows import Entry

_UNDOS = 20


class LibraryScreen(DraftingScreen):
    """A screen with a library beside its draft; what opening and sending mean is its own affair."""

    def __init__(self) -> None:
        super().__init__()
        self.library = Library()
        """The tree; the subclass puts it into its place."""
        self._undo: list[tuple[str, Callable[[], object]]] = []
        """What brings back what was deleted or replaced, newest last: words, and how."""
        self._told: set[str] = set()
        self._loads = 0

    # What the screen makes of it

    def open_entry(self, entry: Entry) -> None:
        """Make an entry the draft."""
        raise NotImplementedError

    def send_entry(self, entry: Entry) -> None:
        """Send an entry without opening it."""
        raise NotImplementedError

    def draft_template(self) -> Template:
        """The draft as a template, under the name that suggests itself."""
        raise NotImplementedError

    def draft_saved(self, template: Template) -> None:
        """The draft is this template now."""
        raise NotImplementedError

    def draft_mended(self, template: Template) -> None:
        """Open what was broken, and is this template now."""
        raise NotImplementedError

    def leave_library(self) -> None:
        """Give the focus to the draft."""
        raise NotImplementedError

    def templates(self) -> Sequence[Template]:
        """The user's own templates."""
        return self.library.saved

    async def reveal(self, goal: object) -> None:
        """Open a template, or what was sent."""
        if isinstance(goal, Template | SentRecord):
            self.open_entry(goal)

    # Moving about

    def action_library(self) -> None:
        """Go to the library, or back from it."""
        if self.library.has_focus_within and self.has_class("-library"):
            self.close_library()
            return
        self.add_class("-library")
        self.call_after_refresh(self.library.focus_list)

    def action_library_search(self) -> None:
        """Search the library."""
        self.add_class("-library")
        self.call_after_refresh(self.library.focus_search)

    def close_library(self) -> None:
        """Where the library hides the draft, show the draft again."""
        self.remove_class("-library")
        self.leave_library()

    @on(Library.Left)
    def _left(self) -> None:
        self.close_library()

    @on(Library.Moved)
    def _moved(self) -> None:
        self.refresh_bindings()

    @on(Library.Chosen)
    def _chosen(self, event: Library.Chosen) -> None:
        self.open_entry(event.entry)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what can be done with what is under the cursor."""
        if action == "save":
            return self.host.shelf is not None
        if not action.startswith("library_"):
            return super().check_action(action, parameters)
        library = self.library
        entry = library.entry if self.focused is not None and library.is_tree(self.focused) else None
        match action:
            case "library_search":
                return not isinstance(self.focused, Input | TextArea)
            case "library_send" | "library_compare":
                return entry is not None
            case "library_duplicate":
                return isinstance(entry, Template) and not entry.fault and self.host.shelf is not None
            case "library_rename" | "library_delete":
                return library.is_saved(entry)
        return bool(self._undo) and self.focused is not None and library.is_tree(self.focused)

    # Own templates

    def painted(self) -> None:
        """Fill the library."""
        self.library.show()
        self._load()

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Show the templates as they are kept now, whoever changed them."""
        if self._was_shown:
            self._load()

    @work(group="shelf", exclusive=True)
    async def _load(self) -> None:
        await self._reload()

    async def _reload(self) -> None:
        shelf = self.host.shelf
        if shelf is None:
            return
        self._loads += 1
        mine = self._loads
        found = await asyncio.to_thread(shelf.load)
        if mine != self._loads:
            return  # what was read later is on its way, and this may be older than a change
        if self.library.is_attached:
            every = (*found.templates, *found.broken)
            self.library.show(saved=sorted(every, key=lambda each: each.name.casefold()))
        for words in (*(error.message for error in found.errors), *found.warnings):
            if words not in self._told:
                self._told.add(words)
                self.host.say(words)

    @work(group="library", exclusive=True)
    async def action_save(self) -> None:
        """Keep the draft as a template."""
        template = self.draft_template()
        if template.fault:
            await self._mend(template)
            return
        await self._keep(template, "Save as a template", "Save", replaces=True)

    @work(group="library", exclusive=True)
    async def action_library_duplicate(self) -> None:
        """Keep a copy of the template under the cursor."""
        entry = self.library.entry
        if isinstance(entry, Template):
            taken = {each.name for each in self.library.saved}
            copy = replace(entry, name=free_name(entry.name, taken))
            await self._keep(copy, "Duplicate", "Keep", replaces=False)

    async def _mend(self, template: Template) -> None:
        """Write the file of a broken template as the draft is, and open what it says now."""
        made: list[Template] = []

        def mend(shelf: Shelf) -> None:
            now, former = shelf.mend(template.name, draft.encode(template.text))
            made.append(now)
            self._may_undo(f"{now.name} as it was", lambda: shelf.restore(now.name, former, replace=True))

        if await self._change(mend):
            self.draft_mended(made[0])
            self.library.go(f"saved {template.name}")
            self.host.say(f"{template.name} is mended, and open.")

    async def as_kept(self, entry: Template) -> Template | None:
        """A template as its file is now; None: somebody deleted it meanwhile."""
        if not self.library.is_saved(entry):
            return entry
        await self._reload()
        return next((each for each in self.library.saved if each.name == entry.name), None)

    async def _keep(self, template: Template, title: str, yes: str, *, replaces: bool) -> None:
        taken = {each.name for each in self.library.saved}
        asked = NameDialog(title, yes, template.name, taken, replaces=replaces)
        name = await self.app.push_screen_wait(asked)
        if not isinstance(name, str):
            return
        kept = replace(template, name=name, group="", answer=None, shape=without_secrets(template.shape))

        def keep(shelf: Shelf) -> None:
            former = shelf.save(kept, replace=replaces)
            if former is not None:
                self._may_undo(f"{name} as it was", lambda: shelf.restore(name, former, replace=True))

        if await self._change(keep):
            if replaces:
                self.draft_saved(kept)
            self.library.go(f"saved {name}")
            secrets = "" if kept.shape == template.shape else ", without the headers that are secrets"
            self.host.say(f"Saved as {name}{secrets}.")

    @work(group="library", exclusive=True)
    async def action_library_rename(self) -> None:
        """Give the template under the cursor another name."""
        entry = self.library.entry
        if not isinstance(entry, Template) or not self.library.is_saved(entry):
            return
        taken = {each.name for each in self.library.saved} - {entry.name}
        asked = NameDialog("Rename", "Rename", entry.name, taken, replaces=False)
        name = await self.app.push_screen_wait(asked)
        if (
            isinstance(name, str)
            and name != entry.name
            and await self._change(lambda shelf: shelf.rename(entry.name, name))
        ):
            self.library.go(f"saved {name}")

    @work(group="library", exclusive=True)
    async def action_library_delete(self) -> None:
        """Delete the template under the cursor; it can be brought back."""
        entry = self.library.entry
        if not isinstance(entry, Template) or not self.library.is_saved(entry):
            return

        def delete(shelf: Shelf) -> None:
            data = shelf.delete(entry.name)
            self._may_undo(entry.name, lambda: shelf.restore(entry.name, data))

        if await self._change(delete):
            self.host.say(f"Deleted {entry.name}: {key('compose.undo')} brings it back.")

    @work(group="library", exclusive=True)
    async def action_library_undo(self) -> None:
        """Bring back what was deleted or replaced last."""
        if not self._undo:
            return
        words, back = self._undo[-1]
        if await self._change(lambda shelf: back()):
            self._undo.pop()
            self.refresh_bindings()
            self.host.say(f"{words} is back.")

    def action_library_send(self) -> None:
        """Send what is under the cursor as it is."""
        entry = self.library.entry
        if entry is not None:
            self.send_entry(entry)

    async def _change(self, change: Callable[[Shelf], object]) -> bool:
        shelf = self.host.shelf
        if shelf is None:
            return False
        try:
            await asyncio.to_thread(change, shelf)
        except StatsigTuiError as error:
            self.host.tell(error)
            return False
        finally:
            await self._reload()
        self.refresh_bindings()
        return True

    def _may_undo(self, words: str, back: Callable[[], object]) -> None:
        self._undo = [*self._undo[-_UNDOS:], (words, back)]
