from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from rib.io.errors import RibError
from rib.io.settings.ranges import Range
from rib.io.settings.records import Recipe, Settings


@dataclass(kw_only=True)
class Inner(Settings):
    size: Annotated[int, Range(0, 9)]


@dataclass(kw_only=True)
class Outer(Settings):
    inner: Inner
    maybe: Inner | None = None
    recipe: Recipe
    fps: float | None = None


GIVEN: dict[str, Any] = {"inner": {"size": 3}, "recipe": {"_target_": "a", "list": [1]}, "unknown": 1}


def test_a_record_made_from_a_dict_gives_the_dict_again() -> None:
    record = Outer.of(GIVEN)
    assert record.inner == Inner(size=3)
    assert record.plain() == {"inner": {"size": 3}, "maybe": None, "recipe": GIVEN["recipe"], "fps": None}
    assert Outer.of(record.plain()) == record
    assert type(record.plain()["recipe"]) is dict


def test_a_plain_dict_shares_nothing_with_its_record() -> None:
    record = Outer.of(GIVEN)
    record.plain()["recipe"]["list"].append(2)
    assert record.recipe["list"] == [1]


def test_values_are_read_by_name_as_from_a_dict() -> None:
    record = Outer.of({**GIVEN, "maybe": {"size": 4}})
    assert record["maybe"] == Inner(size=4)
    assert {**record} == {name: record[name] for name in record}
    with pytest.raises(KeyError):
        record["unknown"]


def test_what_is_lacking_is_told() -> None:
    with pytest.raises(RibError, match=r"recipe was not given; type recipe=\.\.\."):
        Outer.of({"inner": {"size": 3}})


def test_a_record_serves_where_one_of_fewer_fields_is_wanted() -> None:
    @dataclass(kw_only=True)
    class More(Inner):
        other: int

    more = More.of({"size": 3, "other": 4})
    assert Inner.of(more) is more


def test_a_value_outside_its_range_is_told_with_its_place() -> None:
    with pytest.raises(RibError, match=r"outer\.inner\.size=10: expected a whole number from 0 to 9"):
        Outer.of({**GIVEN, "inner": {"size": 10}}, "outer.")
