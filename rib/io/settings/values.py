"""Hold plain values, as configs hold them, against annotations and the ranges that stand in them."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from rib.io.errors import RibError
from rib.io.settings.ranges import LARGEST_INT, FractionRange, OneOf, Range

LARGEST_WHOLE = 2**63 - 1
"""A whole number that has a range of its own stays below this all the same."""
MISSING = "???"
"""What OmegaConf writes where a value is still to be given."""


@dataclass(frozen=True)
class Misfit:
    """A reason for which a value does not suit its annotation.

    Attributes:
        given: The part of it that does not.
        expected: What would: "a number from 0 to 1".
        example: Something to type that would, or "".
        inside: Where within the value that part lies: "[1]" or ".name"; "" where it is the value itself.
    """

    given: Any
    expected: str
    example: str = ""
    inside: str = ""

    def error(self, name: str) -> RibError:
        """The one line for a user who set `name` to the value."""
        told = f"{name}{self.inside}={text_of(self.given)}: expected {self.expected}"
        return RibError(told, f"type {name}={self.example}" if self.example and not self.inside else "")


def find_misfit(value: Any, hint: Any, others: Mapping[str, Any] | None = None) -> Misfit | None:
    """Hold a plain value against an annotation, and give the reason it does not suit; None where it does.

    Args:
        value: A number, word, list or dict of these, or None. An object of another kind suits everything.
        hint: The annotation, with its marks. One that is no plain type is suited by a dict: a recipe of it.
        others: The other settings beside it, by name.
    """
    if not _is_plain(value) or value == MISSING:
        return None
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _marked(value, inner[0], inner[1:], others or {})
    if origin in (typing.Union, types.UnionType):
        return _any_of(value, inner, others or {})
    if origin is typing.Literal:
        taken = any(value == word and type(value) is type(word) for word in inner)
        return None if taken else _refused(value, OneOf(*map(str, inner)).refuses("", {}))
    if hint is int and _suits(value, int) and abs(value) > LARGEST_INT:
        return Misfit(value, f"a whole number up to {LARGEST_INT}", str(LARGEST_INT))
    if hint in WORDS:
        return None if _suits(value, hint) else Misfit(value, WORDS[hint])
    if origin is tuple and inner[-1:] != (...,):
        return _tuple(value, inner)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(value, inner[-1])
    if isinstance(origin, type) and issubclass(origin, Collection):
        return _list(value, inner[0])
    return _of_class(value, hint)


WORDS = {
    float: "a number",
    int: "a whole number",
    str: "a word",
    bool: "true or false",
    None: "null",
    type(None): "null",
}
"""Plain types in words."""


def _suits(value: Any, kind: Any) -> bool:
    """Whether a value is of a plain type; numbers are finite and of a size that can be computed with."""
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    if kind is float:
        return isinstance(value, int | float) and -1e300 < value < 1e300
    if kind is int:
        return isinstance(value, int) and abs(value) <= LARGEST_WHOLE
    return isinstance(value, str) if kind is str else value is None


def _marked(value: Any, hint: Any, marks: Sequence[Any], others: Mapping[str, Any]) -> Misfit | None:
    ranges = [mark for mark in marks if isinstance(mark, Range | FractionRange)]
    if hint in (int, float):
        endless = (
            isinstance(value, float)
            and math.isinf(value)
            and any(isinstance(r, Range) and r.infinite for r in ranges)
        )
        found = None if endless or _suits(value, hint) else Misfit(value, WORDS[hint])
    else:
        found = find_misfit(value, hint, others)
    if found is not None:
        return replace(found, expected=ranges[0].words(hint is int)) if ranges and not found.inside else found
    held = float(value) if hint is float else value
    return _refused(value, next((told for mark in marks if (told := mark.refuses(held, others))), None))


def _refused(value: Any, told: tuple[str, str] | None) -> Misfit | None:
    return None if told is None else Misfit(value, *told)


def _any_of(value: Any, hints: Sequence[Any], others: Mapping[str, Any]) -> Misfit | None:
    told: list[Misfit] = []
    for hint in sorted(hints, key=lambda hint: hint is type(None)):
        found = find_misfit(value, hint, others)
        if found is None:
            return None
        told.append(found)
    nearest = next((m for m in told if m.inside), told[0])
    if nearest.inside:
        return nearest
    example = next((m.example for m in told if m.example), "")
    return replace(nearest, expected=" or ".join(dict.fromkeys(m.expected for m in told)), example=example)


def _tuple(value: Any, hints: Sequence[Any]) -> Misfit | None:
    if not isinstance(value, list | tuple) or len(value) != len(hints):
        return Misfit(value, f"a list of {len(hints)} items")
    return _first_inside(
        (f"[{i}]", item, hint) for i, (item, hint) in enumerate(zip(value, hints, strict=True))
    )


def _list(value: Any, hint: Any) -> Misfit | None:
    if not isinstance(value, list | tuple):
        return Misfit(value, "a list")
    return _first_inside((f"[{i}]", item, hint) for i, item in enumerate(value))


def _mapping(value: Any, hint: Any) -> Misfit | None:
    if not isinstance(value, Mapping):
        return Misfit(value, "settings of its own, each by its name")
    return _first_inside((f".{name}", item, hint) for name, item in value.items())


def _first_inside(parts: typing.Iterable[tuple[str, Any, Any]]) -> Misfit | None:
    for place, item, hint in parts:
        if (found := find_misfit(item, hint)) is not None:
            return replace(found, inside=f"{place}{found.inside}")
    return None


def _of_class(value: Any, hint: Any) -> Misfit | None:
    """Somebody's class: a dict is a recipe of it."""
    if not isinstance(hint, type) or isinstance(value, Mapping):
        return None
    if hint in (Any, object, type) or issubclass(hint, Collection) or getattr(hint, "_is_protocol", False):
        return None
    return Misfit(value, f"a {hint.__name__}, by its own settings")


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str | list | tuple | Mapping)


def text_of(value: Any) -> str:
    """A value as it is typed, shortened."""
    if isinstance(value, int) and abs(value) > 10**30:
        return "a number of more than 30 digits"
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
