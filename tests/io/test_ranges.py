"""What values suit an annotation, and what a user is told of those that do not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import pytest
import yaml

from rib.io.settings.ranges import (
    AsManyAs,
    AtMostSetting,
    Count,
    DividesSetting,
    FrameRate,
    ListSize,
    MatchesPattern,
    OneOf,
    Positive,
    RisingList,
    Seconds,
    Share,
    TorchDevice,
)
from rib.io.settings.values import find_misfit

OTHERS = {"width": 8, "widths": [8, 16]}
Pair = Annotated[list[Share], ListSize(2, 2), RisingList()]

FIT: list[tuple[Any, Any]] = [
    (0.5, Share),
    (1, Share),
    (None, Share | None),
    (math.inf, Seconds),
    ([0.1, 0.1], Pair),
    ((1, 2), Sequence[int]),
    ({"a": 1.0}, Mapping[str, float]),
    ("cpu", Annotated[str, TorchDevice()]),
    ("auto", Annotated[str, TorchDevice(auto=True)]),
    (3, str | int),
    ("x", Literal["x", 1]),
    ({"_target_": "a recipe"}, ValueError),
    (object(), int),  # built already
    ("???", Count),  # still to be given
    (4, Annotated[int, DividesSetting("width")]),
    ("30000/1001", FrameRate | None),
    (59.94, FrameRate),
    ("7.5", FrameRate),
    ("0/8", Annotated[str, MatchesPattern(r"\d+/\d+", "i/n", "0/1")]),
]

REFUSED: list[tuple[Any, Any, str]] = [
    (-1, Positive, "x=-1: expected a number above 0; type x=1"),
    (math.nan, Positive, "x=nan: expected a number above 0"),
    (math.inf, Positive, "x=inf: expected a number above 0"),
    (10**400, Positive, "x=a number of more than 30 digits: expected a number above 0"),
    (math.nan, Seconds, "x=nan: expected a number from 0 on"),
    (math.nan, float, "x=nan: expected a number"),
    (2**40, int, "x=1099511627776: expected a whole number up to 2147483647; type x=2147483647"),
    (1.5, Count, "x=1.5: expected a whole number from 1 on"),
    (0, Count, "x=0: expected a whole number from 1 on; type x=1"),
    (True, Count, "x=true: expected a whole number from 1 on"),
    (1, bool, "x=1: expected true or false"),
    (None, str, "x=null: expected a word"),
    (None, Count, "x=null: expected a whole number from 1 on"),
    (2, Share | None, "x=2: expected a number from 0 to 1 or null; type x=1"),
    ("fast", Share, "x=fast: expected a number from 0 to 1"),
    ([1], float, r"x=[1]: expected a number"),
    (3, Sequence[int], "x=3: expected a list"),
    ([1, 2, -3], list[Count], "x[2]=-3: expected a whole number from 1 on"),
    ([0.5], Pair, "x=[0.5]: expected a list of 2 items"),
    ([0.5, 0.1], Pair, "x=[0.5, 0.1]: expected the least first and the greatest last; type x=[0.1,0.5]"),
    ([1], tuple[int, int], "x=[1]: expected a list of 2 items"),
    ({"a": {"b": "c"}}, Mapping[str, Mapping[str, float]], "x.a.b=c: expected a number"),
    (3, Mapping[str, float], "x=3: expected settings of its own, each by its name"),
    ("gird", Annotated[str, OneOf("grid", "none")], "x=gird: expected one of grid, none; type x=grid"),
    ("nope", Annotated[str, TorchDevice()], "x=nope: expected one of cpu, cuda, cuda:1, mps; type x=cpu"),
    ("auto", Annotated[str, TorchDevice()], "x=auto: expected one of cpu, cuda, cuda:1, mps; type x=cpu"),
    (
        "cuda:²",
        Annotated[str, TorchDevice(auto=True)],
        "x=cuda:²: expected one of auto, cpu, cuda, cuda:1, mps",
    ),
    (3, Annotated[int, DividesSetting("width")], "x=3: expected a divisor of width=8; type x=2"),
    ([1], Annotated[list[int], AsManyAs("widths")], "x=[1]: expected as many items as widths has, 2"),
    (9, Annotated[int, AtMostSetting("width")], "x=9: expected a number up to width=8; type x=8"),
    ("1", Annotated[str, MatchesPattern(r"\d+/\d+", "i/n", "0/1")], "x=1: expected i/n; type x=0/1"),
    (
        "1e999999999",
        FrameRate,
        "x=1e999999999: expected a number above 0 and up to 10000",
    ),
    (
        "30/0",
        FrameRate,
        "x=30/0: expected a number above 0 and up to 10000",
    ),
    (1e9, FrameRate, "x=1000000000.0: expected a number above 0 and up to 10000"),
    (math.nan, FrameRate | None, "x=nan: expected a number above 0 and up to 10000"),
    (
        [1],
        FrameRate | None,
        "x=[1]: expected a number above 0 and up to 10000, or a fraction such as 30000/1001 or null",
    ),
    ("y", ValueError, "x=y: expected a ValueError, by its own settings"),
    ("y", Literal["x", "z"], "x=y: expected one of x, z"),
]


@pytest.mark.parametrize(("value", "hint"), FIT, ids=str)
def test_a_value_that_suits_its_annotation_is_taken(value: Any, hint: Any) -> None:
    assert find_misfit(value, hint, OTHERS) is None


@pytest.mark.parametrize(("value", "hint", "told"), REFUSED, ids=[told for _, _, told in REFUSED])
def test_a_value_that_does_not_is_told_with_what_does(value: Any, hint: Any, told: str) -> None:
    found = find_misfit(value, hint, OTHERS)
    assert found is not None
    assert str(found.error("x")).startswith(told)


@pytest.mark.parametrize(("value", "hint"), [pair[:2] for pair in REFUSED])
def test_what_is_told_to_be_typed_in_its_place_suits(value: Any, hint: Any) -> None:
    found = find_misfit(value, hint, OTHERS)
    assert found is not None
    if found.example and not found.inside:
        assert find_misfit(yaml.safe_load(found.example), hint, OTHERS) is None


def test_a_device_that_the_machine_lacks_is_refused() -> None:
    found = find_misfit("cuda:4096", Annotated[str, TorchDevice(auto=True)])
    assert found is not None
    assert found.expected.startswith("a device of this machine, which has")
    assert found.example == "auto"
