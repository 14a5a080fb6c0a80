"""The typed roots of the commands' configs: a misspelt key or a wrong type stops while composing.

Names, types and ranges stand in the rooms' own records, those of rooms without any here; every value and its
meaning stand in conf/<verb>.yaml.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore

from rib.benchmark.settings import BenchmarkSettings, DemoSettings
from rib.benchmark.speed.settings import SpeedBenchmarkSettings
from rib.datasets.settings import PrepareSettings
from rib.engine.settings import TrainSettings
from rib.evaluation.settings import ClipEvaluationSettings
from rib.export.settings import ExportSettings
from rib.io.settings.records import Settings
from rib.motion.evaluation.settings import MotionEvaluationSettings
from rib.pipeline.settings import InterpolateSettings, UpsampleSettings


@dataclass(kw_only=True)
class CheckSettings(Settings):
    """conf/check.yaml."""

    plugins: list[str]
    verbose: bool


@dataclass(kw_only=True)
class DownloadSettings(Settings):
    """conf/download.yaml."""

    packages: list[str]


ROOTS: dict[str, type[Settings]] = {
    "interpolate": InterpolateSettings,
    "benchmark": BenchmarkSettings,
    "benchmark_speed": SpeedBenchmarkSettings,
    "demo": DemoSettings,
    "upsample": UpsampleSettings,
    "prepare": PrepareSettings,
    "train": TrainSettings,
    "evaluate": MotionEvaluationSettings,
    "evaluate_humanslomo": ClipEvaluationSettings,
    "export": ExportSettings,
    "check": CheckSettings,
    "download": DownloadSettings,
}


@functools.cache
def register_config_roots() -> None:
    """Make the roots known to Hydra as `<verb>_schema`, and our sweeper, which is checked first."""
    from hydra.core.plugins import Plugins

    from rib.config import search
    from rib.config.sweeps import cluster
    from rib.config.sweeps.optuna_study import StudySweeper
    from rib.config.sweeps.pruning import STUDY

    search.register_config_search()
    cluster.register_resolvers()
    store = ConfigStore.instance()
    for verb, root in ROOTS.items():
        store.store(name=f"{verb}_schema", node=root)
    # Hydra takes sweepers whose name begins like this; ours is no package of its own
    plugins = Plugins.instance()
    plugins.class_name_to_class[STUDY] = StudySweeper
    plugins.instantiate_sweeper = _checked  # type: ignore[method-assign]


def _checked(*, config: Any, **given: Any) -> Any:
    """Make the sweeper that a config names, as Hydra does, where its settings and its launcher's suit."""
    from hydra.core.plugins import Plugins

    from rib.config.sweeps.launchers import check_before_sweep

    check_before_sweep(config)
    return Plugins.instantiate_sweeper(Plugins.instance(), config=config, **given)
