"""Jobs on a cluster: what they need follows from the trainer, and one run is a sweep of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from rib.io.errors import RibError

ONE_RUN = "hydra.sweep.dir=${hydra.run.dir}"
"""Stands among the overrides where a launcher is to run a single run."""


def register_resolvers() -> None:
    """Let configs say `${rib_tasks:}` and `${rib_gpus:}`."""
    OmegaConf.register_new_resolver("rib_tasks", _tasks, replace=True)
    OmegaConf.register_new_resolver("rib_gpus", _gpus, replace=True)


def _tasks(*, _root_: DictConfig) -> int:
    """Tasks a machine: one a device of the trainer; 1 for a command without one."""
    return sweep_num_devices(OmegaConf.select(_root_, "trainer") or {})


def _gpus(*, _root_: DictConfig) -> int | None:
    """GPUs a machine; None where the trainer is on none."""
    trainer = OmegaConf.select(_root_, "trainer") or {}
    return None if trainer.get("accelerator", "cpu") == "cpu" else sweep_num_devices(trainer)


def sweep_num_devices(trainer: Any) -> int:
    """Devices a machine that a trainer's settings ask for.

    Raises:
        RibError: They leave it to the machine, which is not known yet.
    """
    devices, on_cpu = trainer.get("devices", 1), trainer.get("accelerator", "cpu") == "cpu"
    if devices in ("auto", -1, "-1"):
        if on_cpu:
            return 1
        raise RibError(f"trainer.devices={devices} does not say how many GPUs", "type trainer.devices=8")
    return devices if isinstance(devices, int) else len(devices)


def as_one_run(arguments: Sequence[str]) -> list[str]:
    """Make `launch=` without -m a sweep of one run, in the folder that the run would have had.

    Args:
        arguments: What was typed.
    """
    launched = [one for one in arguments if one.startswith("launch=")]
    if not launched or {"-m", "--multirun", "--cfg", "-c"} & set(arguments):
        return list(arguments)
    settings = [one for one in arguments if not one.startswith("-")]
    if any(one.startswith("sweep=") for one in settings) or _varies(settings):
        return list(arguments)  # a sweep without its -m, which is told
    return ["-m", *arguments, ONE_RUN, "hydra.sweep.subdir=."]


def _varies(settings: Sequence[str]) -> bool:
    try:
        return any(
            one.is_sweep_override() for one in OverridesParser.create().parse_overrides(list(settings))
        )
    except HydraException:
        return False


def sweep_error(error: BaseException) -> RibError | None:
    """What a launcher's error means, where it is a user's to mend."""
    text = str(error)
    if isinstance(error, RuntimeError) and "Could not detect" in text and "slurm" in text:
        return RibError(
            "launch=slurm needs sbatch and srun, which this machine does not have",
            "type it on the cluster's login node, or launch=local to try it here",
        )
    if isinstance(error, RuntimeError) and "hydra_submitit_launcher" in text:
        return RibError(
            "launch=slurm needs the package hydra-submitit-launcher, which is not installed",
            "type: pip install 'render-in-between[slurm]'",
        )
    return None
