"""The Compose screen: an incoming event, where it goes, how it was answered, and what happened next.

The draft is one text; form and JSON are two views on it. All that was sent is drawn from the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget

from statsig_tui.core import draft, template
from statsig_tui.core.config import EMULATOR, Target
from statsig_tui.core.library import Template, name_for
from statsig_tui.core.lint import advise_key
from statsig_tui.core.records import SentDetail, SentRecord
from statsig_tui.core.request import Shape
from statsig_tui.core.template import Sources, Unresolved
from statsig_tui.errors import NotFound, StatsigTuiError, UsageError
from statsig_tui.tui import theme
from statsig_tui.tui.commands import bindings, short_key
from statsig_tui.tui.screens.compare import CompareScreen, Side
from statsig_tui.tui.screens.confirm import ConfirmDialog
from statsig_tui.tui.screens.leaving import Leaving
from statsig_tui.tui.screens.outgoing import Outgoing, Renderer, sent_again
from statsig_tui.tui.screens.questions import PromptDialog
from statsig_tui.tui.screens.repeating import RepeatingScreen
from statsig_tui.tui.text import content
from statsig_tui.tui.times import clock
from statsig_tui.tui.widgets.draft_pane import DraftPane
from statsig_tui.tui.widgets.library import Library
from statsig_tui.tui.widgets.library_rows import Entry, is_meant
from statsig_tui.tui.widgets.outcome_pane import OutcomePane
from statsig_tui.tui.widgets.target_bar import SendKey, TargetBar
from statsig_tui.tui.widgets.targets import describe, restored

DEMO = "DEMO_checkout_completed"
SENT = 200
"""Sent events that are listed."""
_REST_SECONDS = 0.1
"""Typing rests so long before all that was sent is searched."""

_BLANK = Template("event", "")
"""What a draft comes from that comes from no template."""


class ComposeScreen(RepeatingScreen):
    """Craft an incoming event, send it, watch it arrive."""

    MODE = "compose"
    AUTO_FOCUS = "#send"
    BINDINGS: ClassVar[list[BindingType]] = bindings("compose")

    def __init__(self) -> None:
        super().__init__()
        self._target_name = EMULATOR
        self._leaving = Leaving(lambda dialog: self.app.push_screen_wait(dialog))
        self._sending = False
        self._said_so = False
        """Whether it was said that one is still under way."""
        self._send_when_started = False
        self._newest = 0
        self._origin = _BLANK
        """The template that the draft was opened from: its headers and defaults go with the draft."""
        self._renderer = Renderer()
        self._can_fix = False

    def body(self) -> Iterable[Widget]:
        """Target; library, draft, outcome."""
        with Vertical(classes="mode-body"):
            yield TargetBar(self._send_key())
            with Horizontal(id="compose"):
                yield self.library
                yield DraftPane(draft.SAMPLE, self._sources)
                yield OutcomePane(self.host.pull_soon)

    def on_mount(self) -> None:
        """Show the sample."""
        self._show_target()
        self._outcome.invite(self._send_key())

    def config_changed(self) -> None:
        """Targets may be others; what was to be sent once the engine runs goes now."""
        super().config_changed()
        self._show_target()
        if self._send_when_started:
            self._send_when_started = False
            self.action_send()

    def on_screen_suspend(self) -> None:
        """Wait for nothing while hidden."""
        self._outcome.rest()

    @property
    def _outcome(self) -> OutcomePane:
        return self.query_one(OutcomePane)

    # The target

    def _targets(self) -> tuple[Target, ...]:
        engine = self.bridge.engine
        return engine.targets() if engine is not None else ()

    def _target(self) -> Target | None:
        targets = self._targets()
        return next(
            (item for item in targets if item.name == self._target_name), targets[0] if targets else None
        )

    def _show_target(self) -> None:
        target, engine = self._target(), self.bridge.engine
        goal = describe(target, engine) if target is not None and engine is not None else None
        self.query_one(TargetBar).show(goal)
        self._prepare()
        if target is not None:
            self._draft.advise_also(advise_key(target.key.value if target.key is not None else None))

    def action_next_target(self) -> None:
        """Switch to the next target of the settings."""
        names = [target.name for target in self._targets()]
        if not names:
            return
        at = names.index(self._target_name) if self._target_name in names else -1
        self._target_name = names[(at + 1) % len(names)]
        self._show_target()

    # Sending

    @on(SendKey.Pressed)
    def action_send(self) -> None:
        """Send the draft as it is; one at a time."""
        if self.bridge.engine is None:
            self._send_when_started = True
            self._outcome.say("Starting… it is sent as soon as the listeners are up.")
            return
        self._begin(self._draft_to_send)

    def send_entry(self, entry: Entry) -> None:
        """Send a template or what was sent, and leave the draft alone."""
        if self.bridge.engine is not None:
            self._begin(lambda: self._entry_to_send(entry))

    def _begin(self, load: Callable[[], Awaitable[Outgoing | None]]) -> None:
        if self._sending:
            if not self._said_so:
                self.host.say("Still sending: one at a time.")
            self._said_so = True
            return
        self._sending, self._said_so = True, False
        # Behind the keys that were pressed before this one and are not typed yet.
        (self.focused or self).call_later(self._send, load)

    @work(group="send")
    async def _send(self, load: Callable[[], Awaitable[Outgoing | None]]) -> None:
        try:
            target = self._target()
            if target is None or not await self.is_allowed(target):
                return
            outgoing = await load()
            if outgoing is not None:
                await self._send_to(target, outgoing)
        except StatsigTuiError as error:
            self.host.tell(error)
        finally:
            self._sending = False

    async def is_allowed(self, target: Target) -> bool:
        """Ask before the first event leaves this machine for a target. Raises Unavailable."""
        engine = self.bridge.engine
        assert engine is not None
        if target.name == EMULATOR:
            engine.emulator()
        if await self._leaving.is_allowed(target, describe(target, engine)):
            return True
        self.host.say("Not sent.")
        return False

    # What is sent

    async def _draft_to_send(self) -> Outgoing | None:
        text, shape = self._draft.take(), self._draft.shape
        outgoing = await self._rendered(text, self._origin)
        # A template's shape became the draft's own when it was opened.
        return outgoing and replace(outgoing, text=text, shape=shape)

    async def _entry_to_send(self, entry: Entry) -> Outgoing | None:
        if isinstance(entry, Template):
            found = await self.as_kept(entry)
            if found is None:
                raise NotFound(f"There is no template {entry.name} any more.", "Open another one.")
            if found.fault:
                raise UsageError(f"{found.fault}.", "Open it, mend it, and save it.")
            return await self._rendered(found.text, found)
        detail = await self._sent_detail(entry)
        return sent_again(detail, self._shape_of(detail)) if detail is not None else None

    def _shape_of(self, detail: SentDetail) -> Shape:
        engine = self.bridge.engine
        assert engine is not None
        found = restored(detail, engine)
        if found.missing:
            self.host.say(f"Secrets are not kept: without {', '.join(found.missing)} as it was sent.")
        return found.shape

    async def _rendered(self, text: str, origin: Template) -> Outgoing | None:
        try:
            outgoing = await self._renderer.render(text, origin, self._ask)
        except Unresolved as error:
            self._say_unresolved(error)
            return None
        if outgoing is None:
            self.host.say("Not sent.")
        return outgoing

    async def _ask(self, labels: Sequence[str], answers: Mapping[str, str]) -> Mapping[str, str] | None:
        return await self.app.push_screen_wait(PromptDialog(labels, answers))

    def _say_unresolved(self, error: Unresolved) -> None:
        lines = [content(str(problem)) for problem in error.problems[:5]]
        words = Content("\n").join([Content.styled("Not sent", f"bold {theme.WARN}"), *lines])
        self._outcome.refuse(words)
        self.host.say(f"Not sent: {error}.")

    def _sources(self) -> Sources:
        return self._renderer.sources(self._origin)

    def resolved(self, text: str) -> str:
        """The draft with its variables as they would be now, prompts as they were answered last."""
        sources = self._sources()
        return draft.resolved(template.render(text, sources), sources.now)

    async def _send_to(self, target: Target, outgoing: Outgoing) -> None:
        self._outcome.begin()
        try:
            record = await self.bridge.do(
                lambda engine: engine.send(
                    target, outgoing.body, event_name=outgoing.name, shape=outgoing.shape
                )
            )
        except StatsigTuiError:
            self._outcome.say("")
            raise
        if self._is_there():
            if outgoing.text is not None:
                self._draft.mark_sent(outgoing.text, outgoing.shape)
            self._follow(record)

    async def bodies(self, text: str) -> Iterator[bytes] | None:
        """What a series of the draft is made of."""
        try:
            found = await self._renderer.render_many(text, self._origin, self._ask)
        except Unresolved as error:
            self._say_unresolved(error)
            return None
        if found is None:
            self.host.say("Not sent.")
        return found

    # What was sent

    async def pull(self) -> None:
        """Bring list, answer and trace up to date."""
        newest = await self.bridge.ask(lambda archive: archive.sent(1))
        if newest and newest[0].id != self._newest:
            self._newest = newest[0].id
            records, total = await self.bridge.ask(lambda of: (of.sent(SENT), of.sent_count()))
            if not self._is_there():
                return
            self.library.show(sent=records, sent_total=total)
            if self._outcome.followed is None and newest[0].event_name == DEMO:
                self._follow(newest[0])
        engine = self.bridge.engine
        if engine is not None and self._is_there():
            await self._outcome.look(self.bridge.ask, engine.redact, self.host.config)

    @on(Library.Searched)
    @work(group="history", exclusive=True)
    async def _search_history(self, event: Library.Searched) -> None:
        def wanted(record: SentRecord) -> bool:
            return is_meant(record, event.words)

        # The next key ends this wait: what was typed on the way there is not looked for.
        await asyncio.sleep(_REST_SECONDS)
        found = await self.bridge.ask(lambda archive: archive.sent_like(wanted, SENT))
        if self._is_there():
            self.library.show_found(event.search, found)

    def _follow(self, record: SentRecord) -> None:
        """Show what becomes of this one."""
        self._outcome.follow(record)
        self.host.pull_soon()

    def _is_there(self) -> bool:
        """Whether the screen still has its widgets: the app may have ended while the store was asked."""
        return bool(self.query(OutcomePane))

    # The library

    def open_entry(self, entry: Entry) -> None:
        """Make a template or what was sent the draft."""
        self._open_entry(entry)

    @work(group="open", exclusive=True)
    async def _open_entry(self, entry: Entry) -> None:
        if isinstance(entry, Template):
            found = await self.as_kept(entry)
            if await self._may_leave():
                self._open(found or entry)
                self.close_library()
                if found is None:
                    self.host.say(f"{entry.name} was deleted: this is how it was. Saving keeps it again.")
                elif found.fault:
                    self.host.tell(
                        UsageError(f"{found.fault}.", "The file's text is open: mend it, and save it.")
                    )
            return
        detail = await self._sent_detail(entry)
        if detail is not None and await self._may_leave():
            # What was sent holds no variables, whatever it looks like.
            text = template.literal(draft.decode(detail.body))
            self._open(replace(_BLANK, text=text, shape=self._shape_of(detail)))
            self.close_library()
            self._follow(detail.record)

    def _open(self, origin: Template) -> None:
        self._origin = origin
        self._draft.open(origin.text, origin.shape)
        named = "" if origin.name == _BLANK.name else f" · {origin.name}"
        self._draft.border_title = content(f"Event{named}")

    def draft_template(self) -> Template:
        """The draft with what belongs to it; a name of its own, else that of its event."""
        text = self._draft.take()
        name = self._origin.name
        if name == _BLANK.name:
            name = name_for(draft.event_name(template.stand_in(text)))
        return replace(self._origin, name=name, text=text, shape=self._draft.shape)

    def draft_saved(self, kept: Template) -> None:
        """Go on with the template that was saved."""
        self._origin = kept
        self._draft.mark_sent(kept.text, self._draft.shape)
        self._draft.border_title = content(f"Event · {kept.name}")

    def draft_mended(self, template: Template) -> None:
        """Go on with what the file says."""
        self._open(template)

    def readable(self) -> bytes | None:
        """The answer where that has the keys, else the request or the text of the draft."""
        if self._outcome.is_read:
            return self._outcome.answer
        preview = self._draft.preview
        found = preview.copied() if preview is not None else None
        return draft.encode(found[0] if found is not None else self._draft.take())

    def leave_library(self) -> None:
        """Go to the draft."""
        self._draft.focus_view()

    async def _sent_detail(self, record: SentRecord) -> SentDetail | None:
        detail = await self.bridge.ask(lambda archive: archive.sent_detail(record.id))
        if detail is None:
            self.host.say("It was forgotten: see [retention] in the settings.")
        return detail

    @work(group="compare", exclusive=True)
    async def action_library_compare(self) -> None:
        """Show what is different between the entry under the cursor and the draft."""
        entry = self.library.entry
        if isinstance(entry, Template):
            left = Side(entry.name, self._as_sent(entry.text, entry))
        else:
            detail = await self._sent_detail(entry) if entry is not None else None
            if detail is None:
                return
            left = Side(f"{clock(detail.record.at)} {detail.record.event_name}", detail.body)
        right = Side("the draft", self._as_sent(self._draft.take(), self._origin))
        await self.app.push_screen(CompareScreen(left, right))

    def _as_sent(self, text: str, origin: Template) -> bytes:
        """The bytes of a text as they would go out now, or as they are where a variable has no value."""
        sources = self._renderer.sources(origin)
        try:
            return draft.encode(draft.resolved(template.render(text, sources), sources.now))
        except Unresolved:
            return draft.encode(text)

    # Another draft, another view

    @work(group="open", exclusive=True)
    async def action_new(self) -> None:
        """Begin again with the sample event."""
        if await self._may_leave():
            self._open(replace(_BLANK, text=draft.SAMPLE))
            await self._draft.show_event()

    async def _may_leave(self) -> bool:
        if not self._draft.has_changes:
            return True
        words = Content("The event was changed and not sent.\nctrl+z in the JSON editor brings it back.")
        return await self.app.push_screen_wait(ConfirmDialog("Leave this event?", words, "Leave it"))

    def action_fix(self) -> None:
        """Apply the fix of the advice under the cursor, or the first there is."""
        (self.focused or self).call_later(self._draft.fix)

    @on(DraftPane.FixesChanged)
    def _offer_fix(self) -> None:
        self._can_fix = self._draft.can_fix
        self.refresh_bindings()

    async def action_find(self) -> None:
        """Find in the text."""
        await self._draft.find()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a fix only where there is one."""
        if action == "fix":
            return self._can_fix
        return super().check_action(action, parameters)

    def _send_key(self) -> str:
        return short_key("compose.send")
