"""The settings of the benchmark and of the demo, which runs it; conf/ says what each value means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from rib.io.settings.paths import PATH, paths_in_recipe
from rib.io.settings.ranges import LARGEST_INT, Range, Stride, Whole
from rib.io.settings.records import Recipe, Settings
from rib.pipeline.settings import ClipSettings

Offset = Annotated[int, Range(0, 100_000)]
Length = Annotated[int, Range(1, 100_000)]
Box = tuple[Offset, Offset, Length, Length]
"""Left, top, width, height, px."""
Extent = tuple[Length, Length]
"""Width and height, px."""
NumFrames = Annotated[int, Range(2, LARGEST_INT)]


@dataclass(kw_only=True)
class BenchmarkSettings(ClipSettings):
    """conf/benchmark.yaml."""

    output: str = field(metadata=PATH)
    methods: dict[str, Recipe] = field(metadata=paths_in_recipe("*.*.path", "*.*.weights", "*.*.ckpt"))
    stride: Stride
    first: Whole
    count: NumFrames | None = None
    crop_xywh: Box | None = None
    size_wh: Extent | None = None
    frames: bool
    sheet_rows: Annotated[int, Range(0, 100)]


@dataclass(kw_only=True)
class DemoSettings(Settings):
    """conf/demo.yaml."""

    output: str = field(metadata=PATH)
    overwrite: bool = False
    stride: Stride
    first: Whole
    count: NumFrames
    crop_xywh: Box
    size_wh: Extent
