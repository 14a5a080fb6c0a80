"""The settings of the speed benchmark; conf/benchmark_speed.yaml says what each value means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from rib.io.settings.paths import PATH
from rib.io.settings.ranges import Range
from rib.io.settings.records import Settings
from rib.pipeline.settings import ClipSettings, Rate, VideoSettings

Height = Annotated[int, Range(64, 8640)]
NumPeople = Annotated[int, Range(1, 16)]
NumKeyframes = Annotated[int, Range(2, 100_000)]


@dataclass(kw_only=True)
class SpeedSettings(Settings):
    """Cases to measure: what stands first, and beside it each other height, rate, count of people, length."""

    heights: list[Height]
    rates: list[Rate]
    people: list[NumPeople]
    keyframes: list[NumKeyframes]
    every: bool = False
    threads: Annotated[int, Range(1, 1024)] | None = None


@dataclass(kw_only=True)
class SpeedBenchmarkSettings(ClipSettings):
    """conf/benchmark_speed.yaml."""

    output: str = field(metadata=PATH)
    speed: SpeedSettings
    video: VideoSettings
