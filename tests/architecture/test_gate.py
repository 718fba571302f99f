"""No text reaches a widget past the gate: the check finds what it is to find, and nothing in the code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import statsig_tui.tui
from tests.architecture.gate import content_functions, violations

ROOT = Path(statsig_tui.tui.__file__).parent
ALLOWED = """
def words(text: str) -> Content: ...

class Screen:
    def __init__(self, given: Content) -> None:
        self._given = given

    def compose(self):
        box.border_title = "Answer"
        box.border_subtitle = content(record.target)
        yield Static("", markup=False)
        yield Static(self._given)
        yield Static(words(event.event_name))
        yield Button("Save")
        shown = Content.assemble((printable(event.note), "bold"), f"  {event.at:,}")
        self.query_one(Static).update(shown)
        self.notify(printable(error.message), markup=False)
        self.exit(message=Text(printable(error.message)))
"""
FORBIDDEN = [
    "yield Static(event.event_name)",
    "yield Static(f'{event.event_name}')",
    "yield Static(name, markup=False)",
    "yield Label(name)",
    "yield Static(printable(name))",
    "yield Static('[b]x[/b]')",
    "yield Button(destination.name)",
    "yield TabPane(name)",
    "self.add_option(name)",
    "self.add_option(Option(name))",
    "self.query_one(Static).update(name)",
    "self.query_one(Static).update('for ' + name)",
    "self.notify(printable(name))",
    "self.notify(name, markup=False)",
    "self.notify(printable(name), markup=False, title=name)",
    "self.exit(message=str(error))",
    "box.border_title = record.target",
    "self.tooltip = name if name else 'none'",
    "self.app.sub_title = name",
    "table.add_row(name)",
    "yield DataTable()",
    "yield Markdown(text)",
    "Text.from_markup(text)",
    "text = name; yield Static(text)",
    "both = Content('a') if name else name; yield Static(both)",
    "yield Static(Content(record.error))",
    "yield Static(Content.styled(f'✗ {record.error}', 'bold'))",
    "yield Static(Content.assemble(('✗ ', 'bold'), (record.fault, 'bold')))",
    "yield Static(Content.assemble(record.path if record.path else ''))",
    "box.border_title = Content(str(capture.path))",
]


@pytest.mark.parametrize("line", FORBIDDEN)
def test_a_way_past_the_gate_is_found(line: str) -> None:
    source = f"{ALLOWED}        {line}\n"
    assert [text.partition(":")[0] for text in violations(source)] == [str(source.count("\n"))]


def test_gated_text_is_let_through() -> None:
    assert violations(ALLOWED) == []


def test_no_text_reaches_a_widget_past_the_gate() -> None:
    files = sorted(ROOT.rglob("*.py"))
    assert len(files) > 40
    known = {module(file): content_functions(file.read_text()) for file in files}
    found = {module(file): violations(file.read_text(), known) for file in files}
    assert {name: places for name, places in found.items() if places} == {}


def module(file: Path) -> str:
    return ".".join(("statsig_tui.tui", *file.relative_to(ROOT).with_suffix("").parts))


def test_all_fields_of_one_line_take_their_keys_in_order() -> None:
    """Textual's own lets letters overtake backspace (widgets/at_once.py)."""
    made = []
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = node.bases if isinstance(node, ast.ClassDef) else [getattr(node, "func", None)]
            if any(isinstance(name, ast.Name) and name.id == "Input" for name in names):
                made.append(path.name)
    assert made == ["at_once.py"], "LineInput is the one to use"
