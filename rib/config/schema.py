"""The typed roots of the commands' configs: a misspelt key or a wrong type stops while composing.

Only the names and types stand here; every value and its meaning stand in conf/<verb>.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from rib.io.path_settings import PATH, paths
from rib.pipeline.settings import ClipSettings, InterpolateSettings, UpsampleSettings


@dataclass(kw_only=True)
class BenchmarkRoot(ClipSettings):
    """conf/benchmark.yaml."""

    methods: Any = field(default=MISSING, metadata=paths("*.*.path", "*.*.weights", "*.*.ckpt"))
    stride: int = MISSING
    first: int = MISSING
    count: int | None = None
    crop_xywh: list[int] | None = None
    size_wh: list[int] | None = None
    frames: bool = MISSING
    sheet_rows: int = MISSING


@dataclass
class DemoRoot:
    """conf/demo.yaml."""

    output: str = field(default=MISSING, metadata=PATH)
    stride: int = MISSING
    first: int = MISSING
    count: int = MISSING
    crop_xywh: list[int] = MISSING
    size_wh: list[int] = MISSING


@dataclass
class PrepareRoot:
    """conf/prepare.yaml."""

    data: Any = field(
        default=MISSING,
        metadata=paths(
            *(f"prepare.{name}" for name in ("folder", "body_models", "videos", "output", "video_list")),
            *(f"prepare.{name}" for name in ("train_list", "test_list", "test_input")),
            *(f"prepare.chain.{name}" for name in ("*.path", "*.weights", "*.ckpt", "cache.dir")),
        ),
    )
    shard: str = MISSING
    max_reasons: int = MISSING
    device: str = MISSING
    batch_mpx: float = MISSING


@dataclass
class Show:
    """What `rib evaluate skeletons=true` shows."""

    clip: str | None = None
    condition: str = MISSING
    stride: int = MISSING
    baseline: str = MISSING
    format: str = MISSING
    size_px: int = MISSING
    codec: str = MISSING
    crf: int = MISSING


@dataclass
class EvaluateRoot:
    """conf/evaluate.yaml."""

    baselines: Any = MISSING
    ckpt: str | None = field(default=None, metadata=PATH)
    folder: str = field(default=MISSING, metadata=PATH)
    subjects: list[str] = MISSING
    fps: float = MISSING
    strides: list[int] = MISSING
    noise: dict[str, float] = MISSING
    tracks: list[Any] = MISSING
    seed: int = MISSING
    max_windows: int = MISSING
    every: int = MISSING
    output: str = field(default=MISSING, metadata=PATH)
    device: str = MISSING
    skeletons: bool = MISSING
    show: Show = MISSING


@dataclass
class EvaluateHumanslomoRoot:
    """conf/evaluate_humanslomo.yaml."""

    ckpt: str = field(default=MISSING, metadata=PATH)
    store: str = field(default=MISSING, metadata=PATH)
    split: str = MISSING
    clips: list[str] | None = None
    every: int = MISSING
    batch_size: int = MISSING
    device: str = MISSING
    output: str = field(default=MISSING, metadata=PATH)
    videos: bool = MISSING
    codec: str = MISSING
    crf: int = MISSING


@dataclass
class TrainRoot:
    """conf/train.yaml."""

    task: Any = field(
        default=MISSING,
        metadata=paths("data.folder", "data.store", "data.drawings", "module.loss.perceptual.vgg19"),
    )
    net: Any = MISSING
    trainer: Any = MISSING
    callbacks: Any = MISSING
    logger: Any = MISSING
    name: str = MISSING
    seed: int = MISSING
    restore: str = MISSING
    ckpt: str | None = field(default=None, metadata=PATH)
    monitor: str = MISSING
    run_dir: str = MISSING


@dataclass
class CheckRoot:
    """conf/check.yaml."""

    verbose: bool = MISSING


@dataclass
class DownloadRoot:
    """conf/download.yaml."""

    packages: list[str] = MISSING


ROOTS = {
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
