"""Finds where text could reach a widget past the gate of tui/text.py, by reading the code.

A `str` is markup to most widgets, and its control characters reach the terminal. So what is shown is a
literal or a Content; and what came from outside is gated before it goes into one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

WIDGETS = {"Static", "Label", "Button", "Option", "TabPane", "Collapsible", "Checkbox", "RadioButton", "Tab"}
"""What they are given first is shown."""
METHODS = {"update", "notify", "add_row", "add_column", "add_option", "exit", "copy_to_clipboard"}
SHOWN = {"border_title", "border_subtitle", "tooltip", "label", "title", "sub_title"}
"""Attributes that are shown."""
GATES = {"printable", "fit", "column", "content", "from_bytes", "lines"}
FOREIGN = {
    *("error", "reason", "path", "event_name", "user_id", "destination", "fault", "note", "clause", "url"),
    *("peer", "hint", "message", "source", "target", "headers", "body", "where"),
}
"""Attributes of records and settings whose text came from outside."""
FORBIDDEN = {
    "DataTable",
    "Markdown",
    "MarkdownViewer",
    "RichLog",
    "Log",
    "Tree",
    "Link",
    "from_markup",
    "Toast",
}
"""Cannot be given foreign text safely at all, or does what we have our own widgets for."""


@dataclass
class Scope:
    """What is known of the names in a module, class or function."""

    functions: set[str] = field(default_factory=set)
    """Functions and methods that are declared to return a Content: mypy sees to it that they do."""
    literals: set[str] = field(default_factory=set)
    contents: set[str] = field(default_factory=set)
    """Names and self.names that only ever hold Contents or literals."""


def violations(source: str, foreign_functions: dict[str, set[str]] | None = None) -> list[str]:
    """`line: what` for each place; `foreign_functions`: of each module, those that return a Content."""
    tree = ast.parse(source)
    scope = _module_scope(tree, foreign_functions or {})
    widgets = WIDGETS | {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(_name(base) in WIDGETS for base in node.bases)
    }
    found = set(_ungated(tree))
    found |= {(node.lineno, f"{_name(node)} is not used here") for node in _uses(tree, FORBIDDEN)}
    for owner, functions in _functions(tree):
        of_owner = _owner_scope(owner, functions, scope)
        for function in functions:
            found |= set(_sinks(function, _function_scope(function, of_owner), widgets))
    return [f"{line}: {what}" for line, what in sorted(found)]


def content_functions(source: str) -> set[str]:
    """Functions of a module that are declared to return a Content."""
    return {
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_content_type(node.returns)
    }


def _sinks(function: ast.AST, scope: Scope, widgets: set[str]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            name = _name(node.func)
            is_method = isinstance(node.func, ast.Attribute) and name in METHODS
            if name == "super" or not (is_method or name in widgets):
                continue
            shown = node.args[:1] if name != "exit" else []
            shown += [word.value for word in node.keywords if word.arg in ("message", "title", "tooltip")]
            for text in shown:
                if name == "notify" and _is_call_of(text, GATES) and _has_no_markup(node):
                    continue
                if name == "copy_to_clipboard" or isinstance(text, ast.Starred):
                    continue
                if not _is_safe(text, scope):
                    yield node.lineno, f"{name}({ast.unparse(text)})"
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                is_shown = isinstance(target, ast.Attribute) and target.attr in SHOWN
                if is_shown and not _is_safe(node.value, scope):
                    yield node.lineno, f"{ast.unparse(target)} = {ast.unparse(node.value)}"


def _ungated(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Foreign attributes within a Content that no gate stands before."""
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    gating = {one.name for one in functions if any(_is_call_of(node, GATES) for node in ast.walk(one))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _makes_content(node):
            texts = node.args[:1] if _name(node.func) in ("Content", "styled") else node.args
            for text in texts:
                for leaf in _outside_gates(text, GATES | gating):
                    yield leaf.lineno, f"{ast.unparse(leaf)} in a Content, not gated"


def _outside_gates(node: ast.AST, gates: set[str]) -> Iterator[ast.Attribute]:
    if _is_call_of(node, gates) or isinstance(node, ast.Compare):
        return
    if isinstance(node, ast.IfExp):
        yield from chain(_outside_gates(node.body, gates), _outside_gates(node.orelse, gates))
        return
    if isinstance(node, ast.FormattedValue):
        yield from _outside_gates(node.value, gates)  # and not a width
        return
    if isinstance(node, ast.Attribute) and node.attr in FOREIGN:
        yield node
    for inner in ast.iter_child_nodes(node):
        yield from _outside_gates(inner, gates)


def _is_safe(node: ast.AST, scope: Scope) -> bool:
    match node:
        case ast.Constant():
            return not (isinstance(node.value, str) and "[" in node.value)
        case ast.IfExp():
            return _is_safe(node.body, scope) and _is_safe(node.orelse, scope)
        case ast.Name():
            return node.id in scope.contents or node.id in scope.literals
        case ast.Attribute():
            return ast.unparse(node) in scope.contents
        case ast.Call():
            is_plain = _name(node.func) == "Text" and all(_is_call_of(arg, GATES) for arg in node.args)
            # An Option is looked at itself.
            return (
                is_plain
                or _makes_content(node)
                or _name(node.func) in scope.functions | {"content", "Option"}
            )
    return False


def _makes_content(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if _name(node.func) == "Content":
        return True
    receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
    is_made = _name(node.func) in ("styled", "assemble", "join")
    return is_made and (_name(receiver) == "Content" or _makes_content(receiver or node.func))


def _module_scope(tree: ast.Module, elsewhere: dict[str, set[str]]) -> Scope:
    scope = Scope()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            known = elsewhere.get(node.module or "", set())
            scope.functions |= {alias.asname or alias.name for alias in node.names if alias.name in known}
        elif isinstance(node, ast.FunctionDef) and _is_content_type(node.returns):
            scope.functions.add(node.name)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            scope.literals |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return scope


def _owner_scope(owner: ast.ClassDef | None, functions: list[ast.stmt], outer: Scope) -> Scope:
    scope = Scope(set(outer.functions), set(outer.literals), set(outer.contents))
    nodes = [node for part in ([owner] if owner is not None else functions) for node in ast.walk(part)]
    for node in nodes:
        if isinstance(node, ast.FunctionDef) and _is_content_type(node.returns):
            scope.functions.add(node.name)
        elif isinstance(node, ast.arg) and _is_content_type(node.annotation):
            scope.contents.add(node.arg)
        elif isinstance(node, ast.AnnAssign) and _is_content_type(node.annotation):
            scope.contents.add(ast.unparse(node.target))
    for node in nodes:
        if isinstance(node, ast.Assign) and _name(node.value) in scope.contents:
            scope.contents |= {ast.unparse(target) for target in node.targets}
    return scope


def _function_scope(function: ast.AST, outer: Scope) -> Scope:
    scope = Scope(outer.functions, outer.literals, set(outer.contents))
    assigned: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            assigned.setdefault(node.targets[0].id, []).append(node.value)
    for _ in range(2):  # a name may hold what another one holds
        for name, values in assigned.items():
            if all(_is_safe(value, scope) for value in values):
                scope.contents.add(name)
    return scope


def _functions(tree: ast.Module) -> Iterator[tuple[ast.ClassDef | None, list[ast.stmt]]]:
    yield None, [node for node in tree.body if not isinstance(node, ast.ClassDef)]
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node, node.body


def _uses(tree: ast.AST, names: set[str]) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in names:
            yield node.func


def _is_call_of(node: ast.AST, names: set[str]) -> bool:
    return isinstance(node, ast.Call) and _name(node.func) in names


def _has_no_markup(node: ast.Call) -> bool:
    return any(word.arg == "markup" and ast.unparse(word.value) == "False" for word in node.keywords)


def _is_content_type(annotation: ast.expr | None) -> bool:
    return annotation is not None and ast.unparse(annotation).removesuffix(" | None") == "Content"


def _name(node: ast.AST | None) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""
