"""Typed settings: the records that rooms receive, made from a composed config and made plain again."""

from __future__ import annotations

import copy
import dataclasses
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from rib.io.errors import RibError

Recipe = dict[str, Any]
"""A plain dict with `_target_`, or a dict of such dicts."""


@dataclass(kw_only=True)
class Settings:
    """Base of the records of settings.

    A field's type is checked while a config is composed and its range (`rib.io.ranges`) before anything runs.
    Values can also be read by their name, `settings["rate"]`, and unpacked, `{**settings}`, as from a dict.
    """

    @classmethod
    def of(cls, given: Mapping[str, Any] | Settings) -> Self:
        """The record with the values of a plain dict, or of a record that has at least the same fields.

        Args:
            given: Values by name; those that this record does not know are left out.

        Raises:
            RibError: One is lacking.
        """
        if isinstance(given, cls):
            return given
        hints = typing.get_type_hints(cls)
        values = {f.name: given[f.name] for f in dataclasses.fields(cls) if f.name in given}
        for field in dataclasses.fields(cls):
            if field.name not in values and field.default is dataclasses.MISSING:
                raise RibError(f"{field.name} was not given", f"type {field.name}=...")
        return cls(**{name: _inner(value, hints[name]) for name, value in values.items()})

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


def _inner(value: Any, hint: Any) -> Any:
    record = next((h for h in (hint, *typing.get_args(hint)) if _is_record(h)), None)
    return record.of(value) if record is not None and isinstance(value, Mapping) else value


def _is_record(hint: Any) -> typing.TypeGuard[type[Settings]]:
    return isinstance(hint, type) and issubclass(hint, Settings)


def _plain(value: Any) -> Any:
    return value.plain() if isinstance(value, Settings) else copy.deepcopy(value)
