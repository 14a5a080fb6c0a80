"""The settings of an evaluation of motion weights; conf/evaluate.yaml says what each value means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from rib.io.path_settings import PATH
from rib.io.ranges import Count, Crf, Device, OneOf, Range, Seed, Size, Stride
from rib.io.settings import Recipe, Settings


@dataclass(kw_only=True)
class ShowSettings(Settings):
    """Settings of `skeletons=true`."""

    clip: str | None = None
    condition: str
    stride: Stride
    baseline: str
    format: Annotated[str, OneOf("mp4", "gif")]
    size_px: Annotated[int, Range(16, 4096)]
    codec: str
    crf: Crf


@dataclass(kw_only=True)
class MotionEvaluationSettings(Settings):
    """conf/evaluate.yaml."""

    plugins: list[str]
    baselines: dict[str, Recipe | None]
    ckpt: str | None = field(default=None, metadata=PATH)
    folder: str = field(metadata=PATH)
    subjects: list[str]
    fps: Annotated[float, Range(above=0, most=10_000)]
    strides: Annotated[list[Stride], Size(1, 1000)]
    noise: dict[str, Annotated[float, Range(0, 1000)]]
    tracks: list[list[str | float]]
    seed: Seed
    max_windows: Count
    every: Count
    output: str = field(metadata=PATH)
    overwrite: bool = False
    device: Annotated[str, Device()]
    skeletons: bool
    show: ShowSettings
