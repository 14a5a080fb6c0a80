"""The typed roots of the commands' configs: a misspelt key or a wrong type stops while composing.

Only the names, types and ranges stand here and in the rooms' own records; every value and its meaning stand
in conf/<verb>.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from hydra.core.config_store import ConfigStore

from rib.io.path_settings import PATH, paths
from rib.io.ranges import LARGEST_INT, Count, Device, OneOf, Range, Seed, Size, Whole
from rib.io.settings import Recipe, Settings
from rib.pipeline.settings import BatchMpx, ClipSettings, InterpolateSettings, UpsampleSettings

Stride = Annotated[int, Range(2, 10_000)]
Crf = Annotated[int, Range(0, 63)]
Box = Annotated[list[Annotated[int, Range(0, 100_000)]], Size(4, 4)]
Extent = Annotated[list[Annotated[int, Range(1, 100_000)]], Size(2, 2)]


@dataclass(kw_only=True)
class BenchmarkRoot(ClipSettings):
    """conf/benchmark.yaml."""

    methods: Recipe = field(metadata=paths("*.*.path", "*.*.weights", "*.*.ckpt"))
    stride: Stride
    first: Whole
    count: Annotated[int, Range(2, LARGEST_INT)] | None = None
    crop_xywh: Box | None = None
    size_wh: Extent | None = None
    frames: bool
    sheet_rows: Annotated[int, Range(0, 100)]


@dataclass(kw_only=True)
class DemoRoot(Settings):
    """conf/demo.yaml."""

    output: str = field(metadata=PATH)
    overwrite: bool = False
    stride: Stride
    first: Whole
    count: Annotated[int, Range(2, LARGEST_INT)]
    crop_xywh: Box
    size_wh: Extent


@dataclass(kw_only=True)
class PrepareRoot(Settings):
    """conf/prepare.yaml."""

    data: Recipe = field(
        metadata=paths(
            *(f"prepare.{name}" for name in ("folder", "body_models", "videos", "output", "video_list")),
            *(f"prepare.{name}" for name in ("train_list", "test_list", "test_input")),
            *(f"prepare.chain.{name}" for name in ("*.path", "*.weights", "*.ckpt", "cache.dir")),
        )
    )
    overwrite: bool = False
    shard: str
    max_reasons: Whole
    device: Annotated[str, Device()]
    batch_mpx: BatchMpx


@dataclass(kw_only=True)
class Show(Settings):
    """What `rib evaluate skeletons=true` shows."""

    clip: str | None = None
    condition: str
    stride: Stride
    baseline: str
    format: Annotated[str, OneOf("mp4", "gif")]
    size_px: Annotated[int, Range(16, 4096)]
    codec: str
    crf: Crf


@dataclass(kw_only=True)
class EvaluateRoot(Settings):
    """conf/evaluate.yaml."""

    baselines: Recipe
    ckpt: str | None = field(default=None, metadata=PATH)
    folder: str = field(metadata=PATH)
    subjects: list[str]
    fps: Annotated[float, Range(above=0, most=10_000)]
    strides: Annotated[list[Stride], Size(1, 1000)]
    noise: dict[str, Annotated[float, Range(0, 1000)]]
    tracks: list[Any]
    seed: Seed
    max_windows: Count
    every: Count
    output: str = field(metadata=PATH)
    overwrite: bool = False
    device: Annotated[str, Device()]
    skeletons: bool
    show: Show


@dataclass(kw_only=True)
class EvaluateHumanslomoRoot(Settings):
    """conf/evaluate_humanslomo.yaml."""

    ckpt: str = field(metadata=PATH)
    store: str = field(metadata=PATH)
    split: Annotated[str, OneOf("auto", "gt", "train")]
    clips: list[str] | None = None
    every: Count
    batch_size: Annotated[int, Range(1, 4096)]
    device: Annotated[str, Device()]
    output: str = field(metadata=PATH)
    overwrite: bool = False
    videos: bool
    codec: str
    crf: Crf


@dataclass(kw_only=True)
class TrainRoot(Settings):
    """conf/train.yaml."""

    task: Recipe = field(
        metadata=paths(
            "data.folder", "data.store", "data.drawings", "data.detector_tracks.*.0",
            "module.loss.perceptual.vgg19",
        )
    )  # fmt: skip
    net: Recipe
    trainer: Recipe
    callbacks: Recipe
    logger: Recipe | None = None
    name: str
    seed: Seed
    restore: Annotated[str, OneOf("fresh", "resume", "finetune", "continue")]
    ckpt: str | None = field(default=None, metadata=PATH)
    monitor: str
    run_dir: str


@dataclass(kw_only=True)
class CheckRoot(Settings):
    """conf/check.yaml."""

    verbose: bool


@dataclass(kw_only=True)
class DownloadRoot(Settings):
    """conf/download.yaml."""

    packages: list[str]


ROOTS: dict[str, type[Settings]] = {
    "interpolate": InterpolateSettings,
    "benchmark": BenchmarkRoot,
    "demo": DemoRoot,
    "upsample": UpsampleSettings,
    "prepare": PrepareRoot,
    "train": TrainRoot,
    "evaluate": EvaluateRoot,
    "evaluate_humanslomo": EvaluateHumanslomoRoot,
    "check": CheckRoot,
    "download": DownloadRoot,
}


STUDY: dict[str, Any] = {
    "_target_": "hydra_plugins.rib.StudySweeper",
    "params": None,
    "direction": "minimize",
    "num_trials": 20,
    "at_once": 1,
    "storage": "sqlite:///${hydra.sweep.dir}/study.db",
    "study_name": "${name}",
    "seed": "${seed}",
    "num_random": 5,
}
"""The sweeper that conf/sweep/ chooses, as `hydra/sweeper: study`."""


def register() -> None:
    """Make the roots known to Hydra as `<verb>_schema`, and our sweeper as `study`."""
    from hydra.core.plugins import Plugins

    from rib.config.study import StudySweeper

    store = ConfigStore.instance()
    for verb, root in ROOTS.items():
        store.store(name=f"{verb}_schema", node=root)
    store.store(group="hydra/sweeper", name="study", node=STUDY, provider="rib")
    # Hydra takes sweepers whose name begins like this; ours is no package of its own
    Plugins.instance().class_name_to_class[str(STUDY["_target_"])] = StudySweeper
