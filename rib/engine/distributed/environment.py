"""Rank and world size of this process, and its launcher. Imports nothing heavy: every command may ask."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rib.io.errors import RibError

WORKER = "RIB_WORKER"
"""Set in processes that rank 0 started itself, to the number of its process."""


@dataclass(frozen=True)
class DistributedEnv:
    """One process among those of a run.

    Attributes:
        rank: Number of this process, 0 leads.
        local_rank: Its number on this machine, which is also that of its device.
        num_ranks: How many there are.
        num_local: How many there are on this machine.
        started_by: "rib", "torchrun", "srun" or "submitit"; "" where it is alone.
    """

    rank: int = 0
    local_rank: int = 0
    num_ranks: int = 1
    num_local: int = 1
    started_by: str = ""

    @property
    def node(self) -> int:
        """Number of the machine."""
        return self.rank // self.num_local

    @property
    def reads_settings(self) -> bool:
        """Whether this process composes the settings itself; others are told them by rank 0."""
        return self.rank == 0 or self.started_by == "submitit"


def distributed_env(environ: Mapping[str, str] = os.environ) -> DistributedEnv:
    """Read this process's rank from the environment; the first launcher that left its mark decides."""
    for by, mark, names in _STARTERS:
        if mark not in environ or names[0] not in environ:
            continue
        rank, local_rank, num_ranks, num_local = (_first_number(environ.get(name, "1")) for name in names)
        shell = by == "srun" and environ.get("SLURM_JOB_NAME") in ("bash", "interactive")
        return (
            DistributedEnv()
            if num_ranks == 1 or shell
            else DistributedEnv(rank, local_rank, num_ranks, num_local, by)
        )
    return DistributedEnv()


def num_processes_of_trainer(trainer: Mapping[str, Any]) -> tuple[int, int]:
    """Processes a machine, and machines, that a trainer's settings ask for.

    Args:
        trainer: The recipe of `pytorch_lightning.Trainer`.

    Raises:
        RibError: It asks for devices that are not there.
    """
    devices, accelerator = trainer.get("devices", 1), trainer.get("accelerator", "cpu")
    num_nodes = trainer.get("num_nodes", 1)
    if accelerator == "cpu":
        num_local = 1 if devices == "auto" else devices
        if not isinstance(num_local, int) or num_local < 1:
            raise RibError(f"trainer.devices={devices}: on the CPU it is a number of processes, 1 or more")
        return num_local, num_nodes
    return _gpus_wanted(devices, accelerator), num_nodes


def _gpus_wanted(devices: Any, accelerator: str) -> int:
    import torch

    there = torch.cuda.device_count()
    if accelerator not in ("gpu", "cuda") and there == 0:
        return 1
    if there == 0:
        raise RibError(
            "the trainer asks for a GPU, but torch sees none", "type trainer=cpu or trainer=ddp_cpu"
        )
    if devices in ("auto", -1, "-1"):
        return there
    numbers = list(range(devices)) if isinstance(devices, int) else devices
    if not isinstance(numbers, list) or not numbers or max(numbers) >= there:
        raise RibError(
            f"trainer.devices={devices}, but torch sees {there} GPUs", f"at most {there} can be used"
        )
    return len(numbers)


def check_started_processes(env: DistributedEnv, num_local: int, num_nodes: int) -> None:
    """Hold what was started outside against what the trainer asks for.

    Raises:
        RibError: The numbers of processes differ, or several machines were asked for and only one started.
    """
    num_ranks = num_local * num_nodes
    if env.num_ranks > 1 and env.num_ranks != num_ranks:
        raise RibError(
            f"{env.started_by} started {env.num_ranks} processes, but the trainer asks for {num_ranks}",
            "make trainer=, trainer.devices= and trainer.num_nodes= agree with it",
        )
    if env.num_ranks == 1 and num_nodes > 1:
        raise RibError(
            f"trainer.num_nodes={num_nodes}, but only this process was started",
            "start one process a device with srun, torchrun or launch=slurm",
        )


def _first_number(text: str) -> int:
    """Slurm writes tasks a node as 4(x2)."""
    return int(text.partition("(")[0].partition(",")[0])


_TORCH = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")
_SLURM = ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NTASKS", "SLURM_TASKS_PER_NODE")
_LOCAL = tuple(f"SUBMITIT_LOCAL_{name}" for name in ("GLOBALID", "LOCALID", "NTASKS", "NTASKS"))
_STARTERS = (
    ("rib", WORKER, _TORCH),
    ("torchrun", "TORCHELASTIC_RUN_ID", _TORCH),
    ("submitit", "SUBMITIT_LOCAL_JOB_ID", _LOCAL),
    ("submitit", "SUBMITIT_FOLDER", _SLURM),
    ("srun", "SLURM_JOB_ID", _SLURM),
)
"""Who starts processes, a variable that only it sets, and where it tells rank, local rank and numbers."""
