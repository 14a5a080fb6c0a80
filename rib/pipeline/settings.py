"""The settings of the chain and of the commands that run it; conf/ says what each value means."""

from __future__ import annotations

from dataclasses import dataclass, field

from rib.io.path_settings import PATH, paths
from rib.io.settings import Recipe, Settings


@dataclass(kw_only=True)
class CacheSettings(Settings):
    """Where the analysis is kept between runs."""

    dir: str | None = field(default=None, metadata=PATH)
    limit_gb: float


@dataclass(kw_only=True)
class CutSettings(Settings):
    """The search for scene cuts (`rib.video.cuts.find_cuts`)."""

    histogram_distance: float
    picture_difference: float


@dataclass(kw_only=True)
class RehearsalSettings(Settings):
    """How many keyframes are hidden to judge the renderer (`rib.pipeline.rehearsal.rehearse`)."""

    per_shot: int
    every_s: float


@dataclass(kw_only=True)
class ChainSettings(Settings):
    """What `Chain.from_config` takes: a recipe for each stage, and what they share."""

    pose: Recipe = field(metadata=paths("path"))
    mask: Recipe = field(metadata=paths("path"))
    motion: Recipe = field(metadata=paths("path", "weights"))
    background: Recipe = field(metadata=paths("path"))
    render: Recipe = field(metadata=paths("ckpt"))
    plate: Recipe
    cuts: CutSettings
    rehearsals: RehearsalSettings
    neighbours: int
    cache: CacheSettings
    device: str
    batch_mpx: float


@dataclass(kw_only=True)
class ClipSettings(ChainSettings):
    """What every command that runs the chain on a clip has."""

    input: str = field(metadata=PATH)
    input_fps: int | float | str | None = None
    output: str = field(metadata=PATH)
    poses: str | None = field(default=None, metadata=PATH)
    keypoints: str


@dataclass(kw_only=True)
class InterpolateSettings(ClipSettings):
    """conf/interpolate.yaml."""

    video: Recipe
    rate: float | None = None
    fps: int | float | str | None = None
    slow: float | None = None
    sound: str | None = None
    start_s: float
    duration_s: float | None = None
    layout: str
    report: bool


@dataclass(kw_only=True)
class UpsampleSettings(Settings):
    """conf/upsample.yaml."""

    motion: Recipe = field(metadata=paths("path", "weights"))
    linear: Recipe
    tracker: Recipe
    input: str = field(metadata=PATH)
    input_fps: int | float | str | None = None
    rate: float | None = None
    fps: int | float | str | None = None
    output: str = field(metadata=PATH)
    layout: str
    keypoints: str
    device: str
    poses: str | None = field(default=None, metadata=PATH)
