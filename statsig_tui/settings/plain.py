"""A document in which every value has its type, as a configuration: pydantic takes a tenth of a second.

It takes what it is sure of and never more than pydantic takes; what is wrong with the rest, pydantic says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from statsig_tui.core.destination import out_of_bounds


class Unfit(Exception):
    """Something is not of its type, or beyond its bounds, or missing."""


def built(kind: Any, value: Any) -> Any:
    """The value of a TOML document as a kind of config.py's; raises Unfit."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        value = built(arguments[0], value)
        if any(out_of_bounds(bound, value) for bound in kind.__metadata__):
            raise Unfit
        return value
    if origin in (Union, UnionType):
        return _first(arguments, value)
    if origin is Literal:
        return _of(str, value, value in arguments)
    if origin is tuple:
        return tuple(built(arguments[0], each) for each in _of(list, value))
    if origin is Mapping:
        return {name: built(arguments[1], each) for name, each in _of(dict, value).items()}
    if is_dataclass(kind):
        return _record(kind, _of(dict, value))
    if kind is float and type(value) is int:
        return float(value)
    return _of(kind, value)


def _record(kind: Any, table: dict[str, Any]) -> Any:
    kinds = _kinds(kind)
    if not kinds.keys() >= table.keys():
        raise Unfit
    try:
        return kind(**{name: built(kinds[name], each) for name, each in table.items()})
    except TypeError:
        raise Unfit from None  # a member is missing that has no default


def _first(kinds: tuple[Any, ...], value: Any) -> Any:
    for kind in kinds:
        try:
            return built(kind, value)
        except Unfit:
            continue
    raise Unfit


def _of(kind: type, value: Any, fits: bool = True) -> Any:
    # Not isinstance(): true is no number here.
    if type(value) is not kind or not fits:
        raise Unfit
    return value


@cache
def _kinds(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)
