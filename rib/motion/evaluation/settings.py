"""The settings of an evaluation of motion weights; conf/evaluate.yaml says what each value means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from rib.io.settings.paths import PATH
from rib.io.settings.ranges import Count, Crf, ListSize, OneOf, Range, Seed, Stride, TorchDevice
from rib.io.settings.reads import ReadWith
from rib.io.settings.records import Recipe, Settings
from rib.io.settings.values import find_misfit


@dataclass(frozen=True)
class MotionDetectorTrackList:
    """A list of keypoint files, each with its frames a second."""

    def refuses(self, value: Any, others: Mapping[str, Any]) -> tuple[str, str] | None:
        """See `rib.io.settings.ranges.Mark`."""
        for track in value:
            pair = isinstance(track, list | tuple) and len(track) == 2
            if (
                not pair
                or find_misfit(track[0], str)
                or find_misfit(track[1], Annotated[float, Range(above=0)])
            ):
                return "a list of [file or folder, frames a second]", "[[tracks/,30]]"
        return None


@dataclass(kw_only=True)
class MotionVideoSettings(Settings):
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
    strides: Annotated[list[Stride], ListSize(1, 1000)]
    noise: dict[str, Annotated[float, Range(0, 1000)]]
    tracks: Annotated[list[Any], MotionDetectorTrackList()]
    tracker: Recipe
    seed: Seed
    max_windows: Count
    every: Count
    output: str = field(metadata=PATH)
    overwrite: bool = False
    device: Annotated[str, TorchDevice()]
    skeletons: bool
    show: Annotated[MotionVideoSettings, ReadWith("skeletons")]
