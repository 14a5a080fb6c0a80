"""Typed settings: the records that rooms receive, made from a composed config and made plain again."""

from __future__ import annotations

import copy
import dataclasses
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from rib.io.errors import RibError
from rib.io.settings.values import find_misfit

Recipe = dict[str, Any]
"""A plain dict with `_target_`, or a dict of such dicts."""


@dataclass(kw_only=True)
class Settings:
    """Base of the records of settings.

    A field's type is checked while a config is composed and its range (`rib.io.settings.ranges`) before
    anything runs. Values can also be read by their name and unpacked, as from a dict.
    """

    @classmethod
    def of(cls, given: Mapping[str, Any] | Settings, place: str = "") -> Self:
        """The record with the values of a plain dict, or of a record that has at least the same fields.

        Args:
            given: Values by name; those that this record does not know are left out.
            place: Where the record stands among the settings, with a dot at its end, for messages.

        Raises:
            RibError: A value is lacking, of another type or outside its range.
        """
        if isinstance(given, cls):
            return given
        values: dict[str, Any] = {}
        for name, hint in annotations_of_settings(cls).items():
            if name in given:
                values[name] = _taken(given, name, hint, place)
            elif name in _needed(cls):
                raise RibError(f"{place}{name} was not given", f"type {place}{name}=...")
        return cls(**values)

    def plain(self) -> dict[str, Any]:
        """All values as a plain dict that shares nothing with the record."""
        return {name: _plain(self[name]) for name in self}

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            raise KeyError(name)
        return getattr(self, name)

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def keys(self) -> list[str]:
        """The names, in order."""
        return [field.name for field in dataclasses.fields(self)]


def annotations_of_settings(record: type[Settings]) -> dict[str, Any]:
    """The annotation of each field of a record, with its range."""
    return typing.get_type_hints(record, include_extras=True)


def _needed(record: type[Settings]) -> set[str]:
    return {field.name for field in dataclasses.fields(record) if field.default is dataclasses.MISSING}


def _taken(given: Mapping[str, Any] | Settings, name: str, hint: Any, place: str) -> Any:
    """The value of a field, checked; a dict becomes the record that is wanted in its place."""
    value = given[name]
    record = next((h for h in (hint, *typing.get_args(hint)) if is_record(h)), None)
    if record is not None and isinstance(value, Mapping):
        return record.of(value, f"{place}{name}.")
    if (found := find_misfit(value, hint, {other: given[other] for other in given})) is not None:
        raise found.error(f"{place}{name}")
    return tuple(value) if isinstance(value, list) and _is_tuple(hint) else value


def _is_tuple(hint: Any) -> bool:
    return any(tuple in (h, typing.get_origin(h)) for h in (hint, *typing.get_args(hint)))


def is_record(hint: Any) -> typing.TypeGuard[type[Settings]]:
    """Whether an annotation is a record of settings."""
    return isinstance(hint, type) and issubclass(hint, Settings)


def _plain(value: Any) -> Any:
    if isinstance(value, Settings):
        return value.plain()
    return list(value) if isinstance(value, tuple) else copy.deepcopy(value)
