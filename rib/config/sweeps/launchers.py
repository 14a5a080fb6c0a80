"""Ranges of what sweepers and launchers are set to, checked before a sweep begins."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from rib.io.settings.ranges import LARGEST_INT, Count, NonNegative, Range, Whole
from rib.io.settings.values import find_misfit

_QUEUE: dict[str, Any] = {
    "timeout_min": Count,
    "cpus_per_task": Count | None,
    "gpus_per_node": Whole | None,
    "tasks_per_node": Count,
    "mem_gb": Count | None,
    "nodes": Count,
    "cpus_per_gpu": Count | None,
    "gpus_per_task": Whole | None,
    "signal_delay_s": Whole,
    "max_num_timeout": Whole,
    "array_parallelism": Count,
}
_SUBMITIT = "hydra_plugins.hydra_submitit_launcher.submitit_launcher"
RANGES: dict[str, dict[str, Any]] = {
    "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher": {
        "n_jobs": Count | Annotated[int, Range(-1024, -1)],
        "verbose": Annotated[int, Range(-LARGEST_INT, LARGEST_INT)],
        "timeout": NonNegative | None,
    },
    f"{_SUBMITIT}.SlurmLauncher": _QUEUE,
    f"{_SUBMITIT}.LocalLauncher": _QUEUE,
    "hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher": {
        "ray.remote.num_cpus": NonNegative | None,
        "ray.remote.num_gpus": NonNegative | None,
        "ray.init.num_cpus": Whole | None,
        "ray.init.num_gpus": Whole | None,
    },
    "hydra._internal.core_plugins.basic_sweeper.BasicSweeper": {"max_batch_size": Count | None},
}
"""By target and dotted name inside it: the annotation that counts."""


def plugin_annotations(target: str) -> Mapping[str, Any]:
    """The annotations of a sweeper's or launcher's settings, by dotted name; {} where they are not known."""
    from rib.config.sweeps.pruning import STUDY

    if target != STUDY:
        return RANGES.get(target, {})
    from rib.config.sweeps.optuna_study import StudySweeper

    return typing.get_type_hints(StudySweeper.__init__, include_extras=True)


def check_before_sweep(config: Any) -> None:
    """Hold the chosen sweeper's and launcher's settings against their ranges.

    Args:
        config: What Hydra composed for the sweep, its own section included.

    Raises:
        RibError: A value is outside its range.
    """
    from omegaconf import OmegaConf

    for part in ("sweeper", "launcher"):
        section = config.hydra[part]
        hints = plugin_annotations(str(section.get("_target_")))
        plain = OmegaConf.to_container(section, resolve=False)
        for name in _leaves(plain):
            value = OmegaConf.select(section, name)
            if name in hints and (found := find_misfit(value, hints[name])) is not None:
                raise found.error(f"hydra.{part}.{name}")


def _leaves(node: Any, place: str = "") -> Iterator[str]:
    for name, value in node.items() if isinstance(node, Mapping) else ():
        yield f"{place}{name}"
        yield from _leaves(value, f"{place}{name}.")
