"""Ranges of settings, written once, in the annotation of a record's field or a constructor's argument.

`Annotated[float, Range(0, 1)]`: `rib.io.settings.values` holds values against it before any work. A type
without a mark already refuses another type, NaN, infinity, and a whole number of absurd size.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any, Protocol

LARGEST_INT = 2**31 - 1
"""Whole numbers without a range of their own reach up to this, either way."""


class Constraint(Protocol):
    """Base of the constraints that stand behind the type in `Annotated`."""

    def refuses(self, value: Any, others: Mapping[str, Any]) -> tuple[str, str] | None:
        """Describe the expected values with an example where the value is refused; None where it is taken.

        Args:
            value: Of the right type.
            others: The other settings beside it, by name.
        """
        ...


@dataclass(frozen=True)
class Range:
    """Numbers from `least` to `most`, both taken.

    Attributes:
        least: The smallest.
        most: The largest; where it is infinite, infinity itself is refused unless `infinite`.
        above: The value has to be larger than this.
        below: The value has to be smaller than this.
        infinite: Whether infinity is a value too.
    """

    least: float = -math.inf
    most: float = math.inf
    above: float = -math.inf
    below: float = math.inf
    infinite: bool = False

    def refuses(self, value: Any, others: Mapping[str, Any]) -> tuple[str, str] | None:
        """See `Mark`."""
        inside = self.least <= value <= self.most and (value > self.above or self.above == -math.inf)
        if inside and (value < self.below or self.below == math.inf):
            return None
        return self.words(isinstance(value, int), value <= LARGEST_INT), self._nearest(value)

    def words(self, whole: bool = False, short: bool = True) -> str:
        """The range in words; a short one keeps to itself how large a whole number may be at all."""
        if whole and short and self.most == LARGEST_INT:
            return replace(self, most=math.inf).words(whole)
        ends = []
        if self.above > -math.inf:
            ends.append(f"above {self.above:g}")
        if self.least > -math.inf and self.most < math.inf:
            ends.append(f"from {self.least:.10g} to {self.most:.10g}")
        elif self.least > -math.inf:
            ends.append(f"from {self.least:.10g} on")
        elif self.most < math.inf:
            ends.append(f"up to {self.most:.10g}")
        if self.below < math.inf:
            ends.append(f"below {self.below:g}")
        return " ".join(["a whole number" if whole else "a number", " and ".join(ends)])

    def _nearest(self, value: float) -> str:
        low = self.least if self.least > -math.inf else self.above
        if value <= low:
            return f"{low if low == self.least else min(1.0, self.most, self.below / 2):.10g}"
        return f"{self.most if self.most < math.inf else self.below / 2:.10g}"


@dataclass(frozen=True, init=False)
class OneOf:
    """One of some words."""

    choices: tuple[str, ...]

    def __init__(self, *choices: str) -> None:
        object.__setattr__(self, "choices", choices)

    def refuses(self, value: Any, others: Mapping[str, Any]) -> tuple[str, str] | None:
        """See `Mark`."""
        if value in self.choices:
            return None
        return f"one of {', '.join(self.choices)}", _closest(value, self.choices)


@dataclass(frozen=True)
class MatchesPattern:
    """A word of some shape.

    Attributes:
        pattern: A regular expression for all of it.
        shape: The shape in words.
        example: A word of that shape.
    """

    pattern: str
    shape: str
    example: str

    def refuses(self, value: Any, others: Mapping[str, Any]) -> tuple[str, str] | None:
        """See `Mark`."""
        return None if re.fullmatch(self.pattern, value, re.ASCII) else (self.shape, self.example)


@dataclass(frozen=True)
class FractionRange:
    """A number in a range, or a fraction of whole numbers such as 30000/1001."""

    range: Range

    def refuses(self, value: Any, others: Mapping[str, Any]) -> tuple[str, str] | None:
        """See `Mark`."""
        words = self.words()
        if isinstance(value, str):
            if not re.fullmatch(r"\s*\d{1,9}(\.\d{1,9}|\s*/\s*0*[1-9]\d{0,8})?\s*", value, re.ASCII):
                return words, "30000/1001"
            value = float(Fraction(value.replace(" ", "")))
        told = self.range.refuses(value, others)
        return told and (words, told[1])

    def words(self, whole: bool = False) -> str:
        """The range in words."""
        return f"{self.range.words()}, or a fraction such as 30000/1001"


@dataclass(frozen=True)
class ListSize:
    """A list of so many items: `least` to `most` of them."""

    least: int
    most: float

    def refuses(self, value: Any, others: Mapping[str, Any]) -> tuple[str, str] | None:
        """See `Mark`."""
        if self.least <= len(value) <= self.most:
            return None
        if self.least == self.most:
            return f"a list of {self.least} items", ""
        return f"a list of at least {self.least} items", ""


@dataclass(frozen=True)
class RisingList:
    """A list whose items do not fall: least and greatest."""

    def refuses(self, value: Any, others: Mapping[str, Any]) -> tuple[str, str] | None:
        """See `Mark`."""
        if all(a <= b for a, b in pairwise(value)):
            return None
        return "the least first and the greatest last", f"[{','.join(f'{v:.10g}' for v in sorted(value))}]"


@dataclass(frozen=True)
class AsManyAs:
    """A list with as many items as another setting's."""

    other: str

    def refuses(self, value: Any, others: Mapping[str, Any]) -> tuple[str, str] | None:
        """See `Mark`."""
        other = others.get(self.other)
        if not isinstance(other, list | tuple) or len(value) == len(other):
            return None
        return f"as many items as {self.other} has, {len(other)}", ""


@dataclass(frozen=True)
class DividesSetting:
    """A whole number that goes into another setting, such as attention heads into channels."""

    other: str

    def refuses(self, value: Any, others: Mapping[str, Any]) -> tuple[str, str] | None:
        """See `Mark`."""
        whole = others.get(self.other)
        if not isinstance(whole, int) or value < 1 or whole < 1 or whole % value == 0:
            return None
        example = next(n for n in range(min(value, whole), 0, -1) if whole % n == 0)
        return f"a divisor of {self.other}={whole}", str(example)


@dataclass(frozen=True)
class AtMostSetting:
    """A number no larger than another setting's.

    Attributes:
        other: That setting.
        equal: Whether it may be as large.
    """

    other: str
    equal: bool = True

    def refuses(self, value: Any, others: Mapping[str, Any]) -> tuple[str, str] | None:
        """See `Mark`."""
        limit = others.get(self.other)
        if not isinstance(limit, int | float) or value < limit or (self.equal and value == limit):
            return None
        return (
            f"a number {'up to' if self.equal else 'below'} {self.other}={limit:g}",
            f"{limit:g}" if self.equal else "",
        )


@dataclass(frozen=True)
class NeededWithSetting:
    """A value that may be null only where another setting is.

    Attributes:
        other: That setting.
        example: A value.
    """

    other: str
    example: str

    def refuses(self, value: Any, others: Mapping[str, Any]) -> tuple[str, str] | None:
        """See `Mark`."""
        other = others.get(self.other)
        if value is not None or other is None:
            return None
        return f"a value, as {self.other}={other} needs one", self.example


@dataclass(frozen=True)
class TorchDevice:
    """A device of PyTorch: "cpu", "cuda", "cuda:1", "mps"; what this machine lacks is refused.

    Attributes:
        auto: Whether "auto" is a value too.
    """

    auto: bool = False

    def refuses(self, value: Any, others: Mapping[str, Any]) -> tuple[str, str] | None:
        """See `Mark`."""
        kind, colon, number = value.partition(":")
        if value == "cpu" or (self.auto and value == "auto"):
            return None
        words = [*(["auto"] if self.auto else []), "cpu", "cuda", "cuda:1", "mps"]
        if kind not in ("cuda", "mps") or (colon and not (number.isascii() and number.isdigit())):
            return f"one of {', '.join(words)}", words[0]
        there = _devices(kind)
        if int(number or 0) < there:
            return None
        has = f"has {there} of kind {kind}" if there else f"has no {kind}"
        return f"a device of this machine, which {has}", words[0]


def _devices(kind: str) -> int:
    import torch

    return int(torch.backends.mps.is_available()) if kind == "mps" else torch.cuda.device_count()


def _closest(word: str, words: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return close[0] if close else words[0]


Share = Annotated[float, Range(0, 1)]
Positive = Annotated[float, Range(above=0)]
NonNegative = Annotated[float, Range(0)]
Count = Annotated[int, Range(1, LARGEST_INT)]
Whole = Annotated[int, Range(0, LARGEST_INT)]
Seed = Annotated[int, Range(0, 2**32 - 1)]
Seconds = Annotated[float, Range(0, infinite=True)]
"""A duration; infinity is for ever."""
FrameRate = Annotated[int | float | str, FractionRange(Range(above=0, most=10_000))]
"""Frames a second; `rib.video.timing.time_stamps.exact_fps` says what is meant."""
Weight = Annotated[float, Range(0, 1e9)]
"""Of a term in a loss; 0 leaves it out."""
Stride = Annotated[int, Range(2, 10_000)]
"""Frames from one keyframe to the next."""
Crf = Annotated[int, Range(0, 63)]
"""A codec's constant rate factor; lower is better and larger."""
Shard = Annotated[
    str, MatchesPattern(r"\d{1,9}/0*[1-9]\d{0,8}", "i/n with i from 0 to n - 1, such as 0/8", "0/1")
]
"""The part of a collection that one process does."""
