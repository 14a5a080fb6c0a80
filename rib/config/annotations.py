"""Annotations of settings, wherever they stand: in a record, or with a recipe's constructor."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from rib.io.recipe import constructor_annotations
from rib.io.settings.ranges import FractionRange, Range
from rib.io.settings.records import annotations_of_settings, is_record

Mark = TypeVar("Mark")


def hints_inside(inner: Mapping[str, Any], hint: Any) -> Mapping[str, Any]:
    """The annotations of the settings in a recipe, or in a record that `hint` asks for, by name."""
    if isinstance(inner.get("_target_"), str):
        return constructor_annotations(inner["_target_"])
    record = next((h for h in (hint, *typing.get_args(hint)) if is_record(h)), None)
    return {} if record is None else annotations_of_settings(record)


def marks_of(hint: Any, kind: type[Mark]) -> list[Mark]:
    """The marks of a kind that stand with an annotation itself, not with its items."""
    if typing.get_origin(hint) is not Annotated:
        return []
    inner, *marks = typing.get_args(hint)
    return [mark for mark in marks if isinstance(mark, kind)] + marks_of(inner, kind)


def ranges_in(hint: Any) -> list[Range]:
    """The ranges of numbers in an annotation: of a value, of any of its kinds, of the items of a list."""
    found = []
    if typing.get_origin(hint) is Annotated:
        hint, *marks = typing.get_args(hint)
        ranges = [mark.range if isinstance(mark, FractionRange) else mark for mark in marks]
        found = [mark for mark in ranges if isinstance(mark, Range)]
    if not found:
        found = [each for inner in typing.get_args(hint) for each in ranges_in(inner)]
    return list(dict.fromkeys(found))
