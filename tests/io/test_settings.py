from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from rib.io.errors import RibError
from rib.io.settings import Recipe, Settings
from rib.pipeline.settings import ChainSettings, InterpolateSettings, VideoSettings


@dataclass(kw_only=True)
class Inner(Settings):
    size: int


@dataclass(kw_only=True)
class Outer(Settings):
    inner: Inner
    maybe: Inner | None = None
    recipe: Recipe
    fps: float | None = None


VIDEO = {"codec": None, "crf": None, "pixel_format": None, "pictures": True, "png_level": 1}
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
    recipes: dict[str, Any] = {
        name: {} for name in ("pose", "mask", "motion", "background", "render", "plate")
    }
    chain: dict[str, Any] = {
        **recipes, "cuts": {"histogram_distance": 0.2, "picture_difference": 0.5},
        "rehearsals": {"per_shot": 5, "every_s": 2.0}, "neighbours": 3, "cache": {"limit_gb": 5},
        "device": "cpu", "batch_mpx": 1.0,
    }  # fmt: skip
    assert ChainSettings.of(chain).cache.dir is None
    whole = InterpolateSettings.of(
        {
            **chain,
            "input": "a",
            "output": "b",
            "keypoints": "auto",
            "video": VIDEO,
            "layout": "rib",
            "report": True,
        }
    )
    assert ChainSettings.of(whole) is whole


def test_a_value_outside_its_range_is_told_with_its_place() -> None:
    with pytest.raises(RibError, match=r"video\.png_level=10: expected a whole number from 0 to 9"):
        VideoSettings.of({**VIDEO, "png_level": 10}, "video.")
