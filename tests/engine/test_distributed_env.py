from __future__ import annotations

import pytest

from rib.engine.distributed.environment import (
    DistributedEnv,
    check_started_processes,
    distributed_env,
    num_processes_of_trainer,
)
from rib.io.errors import RibError

TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "a", "RANK": "5", "LOCAL_RANK": "1", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4",
}  # fmt: skip
SLURM = {
    "SLURM_JOB_ID": "7", "SLURM_PROCID": "3", "SLURM_LOCALID": "1", "SLURM_NTASKS": "4",
    "SLURM_TASKS_PER_NODE": "2(x2)", "SLURM_JOB_NAME": "rib",
}  # fmt: skip
LOCAL = {
    "SUBMITIT_FOLDER": "f", "SUBMITIT_LOCAL_JOB_ID": "9", "SUBMITIT_LOCAL_GLOBALID": "1",
    "SUBMITIT_LOCAL_LOCALID": "1", "SUBMITIT_LOCAL_NTASKS": "2",
}  # fmt: skip
OURS = {"RIB_WORKER": "1", "RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}


@pytest.mark.parametrize(
    ("environ", "env"),
    [
        ({}, DistributedEnv()),
        (TORCHRUN, DistributedEnv(5, 1, 8, 4, "torchrun")),
        (SLURM, DistributedEnv(3, 1, 4, 2, "srun")),
        (SLURM | {"SUBMITIT_FOLDER": "f"}, DistributedEnv(3, 1, 4, 2, "submitit")),
        (LOCAL, DistributedEnv(1, 1, 2, 2, "submitit")),
        # a job of one task, inside an allocation of many
        (SLURM | LOCAL | {"SUBMITIT_LOCAL_NTASKS": "1"}, DistributedEnv()),
        (SLURM | {"SLURM_JOB_NAME": "bash"}, DistributedEnv()),
        # processes of our own inherit what started their rank 0
        (SLURM | OURS, DistributedEnv(1, 1, 2, 2, "rib")),
    ],
)
def test_the_environment_tells_which_process_this_is(environ: dict[str, str], env: DistributedEnv) -> None:
    assert distributed_env(environ) == env


def test_only_rank_0_and_the_tasks_of_submitit_compose_settings() -> None:
    assert [distributed_env(e).reads_settings for e in ({}, TORCHRUN, SLURM, OURS, LOCAL)] == [
        True, False, False, False, True,
    ]  # fmt: skip
    assert distributed_env(TORCHRUN).node == 1


def test_what_was_started_has_to_be_what_the_trainer_asks_for() -> None:
    check_started_processes(DistributedEnv(5, 1, 8, 4, "torchrun"), 4, 2)
    check_started_processes(DistributedEnv(), 8, 1)
    with pytest.raises(RibError, match="torchrun started 8 processes, but the trainer asks for 4"):
        check_started_processes(DistributedEnv(5, 1, 8, 4, "torchrun"), 4, 1)
    with pytest.raises(RibError, match="num_nodes=2, but only this process was started; start one process a"):
        check_started_processes(DistributedEnv(), 4, 2)


def test_devices_are_counted_before_anything_starts() -> None:
    assert num_processes_of_trainer({"accelerator": "cpu", "devices": 2, "num_nodes": 3}) == (2, 3)
    with pytest.raises(RibError, match=r"trainer\.devices=0"):
        num_processes_of_trainer({"accelerator": "cpu", "devices": 0})


def test_a_gpu_that_is_not_there_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(RibError, match="torch sees none; type trainer=cpu"):
        num_processes_of_trainer({"accelerator": "gpu", "devices": "auto"})
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert num_processes_of_trainer({"accelerator": "gpu", "devices": "auto"}) == (2, 1)
    assert num_processes_of_trainer({"accelerator": "gpu", "devices": [1]}) == (1, 1)
    with pytest.raises(RibError, match=r"trainer\.devices=4, but torch sees 2 GPUs"):
        num_processes_of_trainer({"accelerator": "gpu", "devices": 4})
