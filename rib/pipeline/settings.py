"""The settings of the chain and of the commands that run it; conf/ says what each value means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from rib.io.settings.paths import LITERAL, PATH, paths_in_recipe
from rib.io.settings.ranges import (
    Crf,
    FrameRate,
    MatchesPattern,
    NeededWithSetting,
    OneOf,
    Range,
    TorchDevice,
)
from rib.io.settings.reads import PassedOn, ReadWith
from rib.io.settings.records import Recipe, Settings

Rate = Annotated[float, Range(above=0, most=100)]
"""Frames out for each frame in."""
BatchMpx = Annotated[float, Range(above=0, most=1000)]
"""Frames made at once, in 10^6 pixels."""
WITH_CODEC = ReadWith("codec", example="libx264")
ALL, LARGEST = "all", "largest"
CHANGE_NO_PIXEL = (
    "output", "overwrite", "cache", "device", "batch_mpx", "ahead_mpx", "quiet", "verbose", "more_inputs",
    "shard",
)  # fmt: skip
"""Settings of `rib interpolate` that change no pixel of a result."""


@dataclass(frozen=True)
class PeopleToDraw:
    """The values of `people`: all, largest, or a list of different person_id."""

    def refuses(self, value: Any, others: Mapping[str, Any]) -> tuple[str, str] | None:
        """See `rib.io.settings.ranges.Mark`."""
        if value in (ALL, LARGEST):
            return None
        numbers = value if isinstance(value, list | tuple) else []
        whole = all(isinstance(n, int) and not isinstance(n, bool) and 1 <= n < 2**31 for n in numbers)
        if numbers and whole and len(set(numbers)) == len(numbers):
            return None
        return "all, largest, or a list of different person_id such as [1,3]", ALL


@dataclass(frozen=True)
class Shard:
    """One of several shards, as "number/count"."""

    def refuses(self, value: Any, others: Mapping[str, Any]) -> tuple[str, str] | None:
        """See `rib.io.settings.ranges.Mark`."""
        fits = re.fullmatch(r"(\d{1,4})/(\d{1,4})", value, re.ASCII)
        if fits and int(fits[1]) < int(fits[2]):
            return None
        return "number/count, the first of two being 0/2", "0/2"


@dataclass(frozen=True)
class NamesItsClass:
    """A stage's recipe, which cannot be empty.

    Attributes:
        usual: The option that is typed in its place.
    """

    usual: str

    def refuses(self, value: Any, others: Mapping[str, Any]) -> tuple[str, str] | None:
        """See `rib.io.settings.ranges.Mark`."""
        return None if "_target_" in value else ("a dict with the _target_ of a class", self.usual)


@dataclass(kw_only=True)
class CacheSettings(Settings):
    """Folder and size of the cache of analyses."""

    dir: str | None = field(default=None, metadata=PATH)
    limit_gb: Annotated[float, Range(0, 1e6)]


@dataclass(kw_only=True)
class CutSettings(Settings):
    """The search for scene cuts (`rib.video.cuts.find_scene_cuts`)."""

    residual: Annotated[float, Range(0, 2)]
    contrast: Annotated[float, Range(1, 100)]


@dataclass(kw_only=True)
class HoldoutSettings(Settings):
    """Number of keyframes held out to judge the renderer (`rib.pipeline.holdout.validator`)."""

    per_shot: Annotated[int, Range(0, 1000)]
    every_s: Annotated[float, Range(above=0, most=1e6)]
    max_mpx: Annotated[float, Range(0.01, 1000)]


@dataclass(kw_only=True)
class ChainSettings(Settings):
    """Settings of `Chain.from_config`: a recipe for each stage, and what they share."""

    pose: Annotated[Recipe, NamesItsClass("mediapipe")] = field(metadata=paths_in_recipe("path"))
    mask: Annotated[Recipe, NamesItsClass("mediapipe")] = field(metadata=paths_in_recipe("path"))
    motion: Annotated[Recipe, NamesItsClass("transformer")] = field(
        metadata=paths_in_recipe("path", "weights")
    )
    background: Annotated[Recipe, NamesItsClass("rife")] = field(metadata=paths_in_recipe("path"))
    render: Annotated[Recipe, NamesItsClass("warp")] = field(metadata=paths_in_recipe("ckpt"))
    plate: Recipe
    cuts: CutSettings
    holdouts: HoldoutSettings
    neighbours: Annotated[int, Range(0, 1000)]
    overlays: Annotated[str, OneOf("keep", "off")]
    cache: CacheSettings
    device: Annotated[str, TorchDevice(auto=True)]
    batch_mpx: BatchMpx
    ahead_mpx: Annotated[float, Range(0, 1000)] = 0.0
    people: Annotated[Any, PeopleToDraw()] = LARGEST

    def recipes(self) -> dict[str, Recipe]:
        """The recipe of each of the chain's stages."""
        return {
            "pose": self.pose, "motion": self.motion, "mask": self.mask, "background": self.background,
            "render": self.render,
        }  # fmt: skip


@dataclass(kw_only=True)
class ClipSettings(ChainSettings):
    """Settings of every command that runs the chain on a clip."""

    plugins: list[str]
    input: str = field(metadata=PATH)
    input_fps: FrameRate | None = None
    input_glob: str | None = field(default=None, metadata=LITERAL)
    overwrite: bool = False
    poses: Annotated[str | None, PassedOn()] = field(default=None, metadata=PATH)
    keypoints: Annotated[str, PassedOn()]
    max_mpx: Annotated[float, Range(above=0)]


@dataclass(kw_only=True)
class VideoSettings(Settings):
    """conf/video/."""

    codec: str | None
    crf: Annotated[Crf | None, NeededWithSetting("codec", "15"), WITH_CODEC]
    preset: Annotated[str | None, NeededWithSetting("codec", "auto"), WITH_CODEC]
    pixel_format: Annotated[str | None, NeededWithSetting("codec", "auto"), WITH_CODEC]
    timestamps: Annotated[str, OneOf("constant", "source")]
    hdr: Annotated[str, OneOf("keep", "sdr")]
    ground: Annotated[
        str, MatchesPattern(r"#[0-9a-fA-F]{6}", "a colour #rrggbb in quotes", "'#00ff00'"), WITH_CODEC
    ]
    pictures: bool
    png_level: Annotated[int, Range(0, 9)]


@dataclass(kw_only=True)
class InterpolateSettings(ClipSettings):
    """conf/interpolate.yaml."""

    video: VideoSettings
    more_inputs: list[str] = field(metadata=paths_in_recipe("[0-9]*"))
    output: str | None = field(default=None, metadata=PATH)
    sidecar: bool
    rate: Rate | None = None
    fps: FrameRate | None = None
    slow: Annotated[float, Range(1, 100)] | None = None
    sound: Annotated[str, OneOf("keep", "mute", "stretch")] | None = None
    start_s: Annotated[float, Range(0, 1e7)]
    duration_s: Annotated[float, Range(above=0, most=1e7)] | None = None
    dedupe: Annotated[str, OneOf("auto", "off")]
    deinterlace: Annotated[str, OneOf("auto", "off")]
    segment_s: Annotated[float, Range(above=0, most=1e7)]
    shard: Annotated[str, Shard()] | None = None
    layout: Annotated[str, OneOf("rib", "reference")]
    report: bool
    write_poses: bool
    quiet: bool
    verbose: bool


@dataclass(kw_only=True)
class UpsampleSettings(Settings):
    """conf/upsample.yaml."""

    plugins: list[str]
    motion: Annotated[Recipe, NamesItsClass("transformer")] = field(
        metadata=paths_in_recipe("path", "weights")
    )
    linear: Annotated[Recipe, ReadWith("layout", "reference")]
    tracker: Recipe
    input: str = field(metadata=PATH)
    input_fps: FrameRate | None = None
    rate: Rate | None = None
    fps: FrameRate | None = None
    output: str = field(metadata=PATH)
    overwrite: bool = False
    layout: Annotated[str, OneOf("rib", "reference")]
    keypoints: str
    device: Annotated[str, TorchDevice(auto=True)]
    poses: Annotated[str | None, PassedOn()] = field(default=None, metadata=PATH)
