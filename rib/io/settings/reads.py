"""Marks of settings that are read only where another asks for it, behind the type in `Annotated`.

They refuse no value. What is typed and not read is refused by `rib.config.unused`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class _Mark:
    def refuses(self, value: Any, others: Mapping[str, Any]) -> tuple[str, str] | None:
        """Take every value; see `rib.io.settings.ranges.Constraint`."""
        return None


@dataclass(frozen=True, init=False)
class ReadWith(_Mark):
    """Read only where a setting beside it has one of some values.

    Attributes:
        other: That setting.
        values: The values; none are any but null, false, 0 and lists of nothing but these.
        example: One of them, as it is typed.
    """

    other: str
    values: tuple[Any, ...]
    example: str

    def __init__(self, other: str, *values: Any, example: str = "") -> None:
        object.__setattr__(self, "other", other)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "example", example or str(values[0] if values else "true").lower())

    def is_read(self, others: Mapping[str, Any]) -> bool:
        """Whether it is, beside these settings."""
        value = others.get(self.other)
        return value in self.values if self.values else _says_something(value)


@dataclass(frozen=True)
class TargetAlone(_Mark):
    """A recipe of which only the class is read.

    Attributes:
        why: Where the rest comes from.
    """

    why: str


@dataclass(frozen=True)
class PassedOn(_Mark):
    """A setting of a root that nothing reads but the options whose files refer to it, `${poses}`."""


def _says_something(value: Any) -> bool:
    return any(map(_says_something, value)) if isinstance(value, list | tuple) else bool(value)
