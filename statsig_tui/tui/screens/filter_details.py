"""The filter's detailed options: the console's kinds and types, and what lies beyond the console.

What is chosen here becomes part of the draft in Event Filtering; only that one's Save uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, ItemGrid, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static, TextArea

from statsig_tui.core.config import EXPOSURE_KINDS, NO_TIER, Filter
from statsig_tui.core.destination import Invalid, validate_filter
from statsig_tui.tui import theme
from statsig_tui.tui.screens.questions import Question
from statsig_tui.tui.text import content, sentences
from statsig_tui.tui.widgets.at_once import LineInput
from statsig_tui.tui.widgets.condition_input import ConditionInput
from statsig_tui.tui.widgets.fields import Field, Tick
from statsig_tui.tui.widgets.json_editor import ExactArea

TYPES = ("Gate", "Experiment", "DynamicConfig", "Segment", "Layer", "Holdout", "Autotune", "Metric")
ACTIONS = ("created", "updated", "deleted", "archived")
TIERS = ("production", "staging", "development", NO_TIER)
EVERYTHING, CHANGES, EXPOSURES = "Everything", "Config changes only", "Exposures only"
PRESETS = {
    EVERYTHING: Filter(),
    CHANGES: Filter(exposures=False, config_changes=True, include_new_events=False),
    EXPOSURES: Filter(exposures=True, config_changes=False, include_new_events=False),
}
_WORDS = {"config": "dynamic config", NO_TIER: "none named"}


_AROUND = 7
"""Lines of the dialog around what scrolls: border, padding, two lines of buttons."""


class FilterDetails(Question[Filter]):
    """Dismissed with the changed filter, or with None."""

    DEFAULT_CSS = """
    FilterDetails {
        VerticalScroll {
            height: auto;
            scrollbar-size-vertical: 1;
        }
        .part {
            height: 1;
            margin: 1 0 0 0;
            text-style: bold;
        }
        #presets-title, .part.-first {
            margin: 0;
        }
        ItemGrid {
            height: auto;
            grid-gutter: 0 1;
        }
        #patterns {
            height: 4;
            padding: 0;
            background: $background;
        }
        #where {
            width: 1fr;
            background: $background;
        }
        #sample {
            width: 12;
            background: $background;
        }
        .buttons {
            height: 1;
            Button, Static {
                width: auto;
                margin: 0 1 0 0;
            }
        }
        .buttons.-presets {
            margin: 1 0 0 0;
            Button {
                min-width: 8;
            }
        }
    }
    """

    def __init__(self, draft: Filter) -> None:
        super().__init__()
        self._draft = draft
        self._condition = ConditionInput(draft.where, id="where")
        self._boxes: dict[Tick, tuple[str, str]] = {}
        """Each box's table of the filter, and its name there."""

    def compose(self) -> ComposeResult:
        """The console's details, then what it does not have."""
        draft = self._draft
        with Vertical(classes="dialog", id="filter-details") as box:
            box.border_title = "Detailed options"
            box.border_subtitle = "ctrl+s use · esc cancel"
            with VerticalScroll(can_focus=False):
                yield from self._part("Exposures", "exposure_kinds", EXPOSURE_KINDS, first=True)
                yield from self._part("Configuration Changes: types", "change_types", TYPES)
                yield from self._part("Configuration Changes: actions", "change_actions", ACTIONS)
                yield from self._part("Environment tiers · not in the console", "tiers", TIERS)
                yield Static("Custom Events: name patterns · not in the console", classes="part")
                hint = "checkout_*\n-debug_*\none a line; - excludes; the first match decides"
                patterns = ExactArea(patterns_text(draft.patterns), id="patterns", placeholder=hint)
                yield Field("Patterns", patterns, name="patterns")
                yield Field("Condition", self._condition, name="where")
                sample = LineInput(f"{draft.sample * 100:.10g}", compact=True, id="sample")
                yield Field("Sample", sample, "% of users, ever the same", name="sample")
            with Horizontal(classes="buttons -presets"):
                yield Static(Content.styled("Presets:", theme.QUIET))
                for name in PRESETS:
                    yield Button(Content(name), compact=True, classes="preset", name=name)
            yield self._buttons("Use")

    def on_resize(self, event: events.Resize) -> None:
        """What does not fit scrolls; the buttons stay."""
        rows = event.size.height * 9 // 10 - _AROUND
        self.query_one(VerticalScroll).styles.max_height = max(3, rows)

    def on_mount(self) -> None:
        """Begin with the first box."""
        next(iter(self._boxes)).focus()
        self._judge()

    def see(self, seen: Mapping[str, Sequence[str]]) -> None:
        """Take the values that the condition is completed with."""
        self._condition.see(seen)
        if self.is_mounted:
            self._judge()

    def edited(self) -> Filter:
        """The filter as the fields say, none of which is wrong."""
        tables: dict[str, dict[str, bool]] = {}
        for box, (table, name) in self._boxes.items():
            named = tables.setdefault(table, dict(getattr(self._draft, table)))
            written = next((key for key in named if key.casefold() == name.casefold()), name)
            # What is not named is on: only what is off, or was written before, is written.
            if not box.value or written in named:
                named[written] = bool(box.value)
        return replace(
            self._draft,
            exposure_kinds=tables["exposure_kinds"],
            change_types=tables["change_types"],
            change_actions=tables["change_actions"],
            tiers=tables["tiers"],
            patterns=self._patterns(),
            where=self._where(),
            sample=self._sample(),
        )

    def action_accept(self) -> None:
        """Make it the draft, unless something is wrong: that is said at its field."""
        wrong = self._judge(is_final=True)
        if wrong is None:
            self.dismiss(self.edited())
            return
        wrong.field.focus()
        self._show_what_is_said()

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _typed(self) -> None:
        self._judge()

    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def _moved(self) -> None:
        self._judge()
        self._show_what_is_said()

    def _show_what_is_said(self) -> None:
        # It stands below the field, where the focus alone does not scroll to.
        for field in self.query(Field):
            if field.has_focus_within:
                self.call_after_refresh(field.scroll_visible, animate=False)

    def _judge(self, *, is_final: bool = False) -> Field | None:
        """Say at each field what is wrong with it, and use nothing until it is right; the first of them."""
        first = None
        for field in self.query(Field):
            complaint, line = self._complaint(field), field.field
            if complaint and first is None:
                first = field
            if (
                isinstance(line, ConditionInput)
                and line.has_focus
                and (not complaint or (line.is_being_typed and not is_final))
            ):
                field.offer(line.offered(line.size.width))
            else:
                field.complain(complaint)
        self.query_one("#yes", Button).disabled = first is not None
        return first

    def _complaint(self, field: Field) -> str:
        try:
            match field.name:
                case "patterns":
                    validate_filter(Filter(patterns=self._patterns()))
                case "where":
                    validate_filter(Filter(where=self._where()))
                case "sample":
                    self._sample()
        except Invalid as error:
            return sentences(error.message, error.hint)
        return ""

    @on(Button.Pressed, ".preset")
    def _preset(self, event: Button.Pressed) -> None:
        self.dismiss(PRESETS[event.button.name or EVERYTHING])

    def _patterns(self) -> dict[str, bool]:
        return patterns_of(self.query_one("#patterns", TextArea).text)

    def _where(self) -> str:
        return self._condition.value.strip()

    def _sample(self) -> float:
        return _share(self.query_one("#sample", Input).value)

    def _part(self, title: str, table: str, names: Iterable[str], *, first: bool = False) -> Iterator[Widget]:
        yield Static(Content(title), classes="part -first" if first else "part", markup=False)
        named: Mapping[str, bool] = getattr(self._draft, table)
        lower = {key.casefold(): on for key, on in named.items()}
        known = {name.casefold() for name in names}
        boxes = []
        for name in (*names, *(key for key in named if key.casefold() not in known)):
            box = Tick(content(_WORDS.get(name, name)))
            box.set_reactive(Tick.value, lower.get(name.casefold(), True))
            self._boxes[box] = (table, name)
            boxes.append(box)
        yield ItemGrid(*boxes, min_column_width=22)


def patterns_text(patterns: Mapping[str, bool]) -> str:
    """One a line; what is excluded behind a minus."""
    return "\n".join(pattern if on else f"-{pattern}" for pattern, on in patterns.items())


def patterns_of(text: str) -> dict[str, bool]:
    """The patterns of lines as patterns_text() writes them."""
    lines = [line.strip() for line in text.splitlines()]
    return {line.removeprefix("-"): not line.startswith("-") for line in lines if line}


def _share(text: str) -> float:
    number = text.strip().removesuffix("%").strip().replace(",", ".")
    try:
        share = float(number) / 100
    except ValueError:
        raise Invalid("filter.sample", "is not a number", "write a percentage such as 25") from None
    if not 0 <= share <= 1:
        raise Invalid("filter.sample", "is not from 0 to 100", "write a percentage such as 25")
    return share
