"""Jobs that a cluster starts, takes away and starts again; the cluster is this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_slurm import install
from tiny_runs import TINY

from rib.engine.loggers.csv_logger import read_metrics
from rib.engine.run_folder.identity import read_run_identity
from rib.engine.run_folder.status import read_run_status

STEPS = 12
RUN = (*TINY, f"task.data.batches_per_epoch={2 * STEPS}", "trainer.max_epochs=1")


def start(folder: Path, *arguments: str, path: Path | None = None) -> subprocess.Popen[str]:
    environ = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"} if path else None
    return subprocess.Popen(
        [sys.executable, "-m", "rib.commands", "train", *RUN, *arguments],
        cwd=folder,
        env=environ,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def take_away(run: Path, job: subprocess.Popen[str], after_num_steps: int) -> int:
    """Send SIGUSR2 to the process that leads a run, once it has logged some steps; returns its id."""
    metrics = run / "metrics.csv"
    while job.poll() is None:
        if metrics.exists() and metrics.read_text().count("train/loss") >= after_num_steps:
            status = read_run_status(run)
            assert status is not None
            assert status.pid is not None
            os.kill(status.pid, signal.SIGUSR2)
            return status.pid
        time.sleep(0.02)
    raise AssertionError(job.communicate()[0])


def losses(run: Path) -> list[tuple[int, float]]:
    return read_metrics(run / "metrics.csv")["train/loss"]


@pytest.mark.slow
def test_a_slurm_job_of_two_tasks_is_taken_away_queued_again_and_goes_on_at_the_same_step(
    tmp_path: Path,
) -> None:
    slurm = install(tmp_path / "slurm")
    ddp = (
        "trainer=ddp_cpu",
        "trainer.log_every_n_steps=1",
        "trainer.max_epochs=1",
        "callbacks.leave.every_num_steps=1",
    )
    whole = start(tmp_path, *ddp, "hydra.run.dir=whole")
    said, _ = whole.communicate(timeout=1500)
    assert whole.returncode == 0, said
    launch = ("-m", "launch=slurm", "hydra.sweep.dir=sweep", "seed=1")
    job = start(tmp_path, *ddp, *launch, path=slurm)
    first = take_away(tmp_path / "sweep" / "0", job, 4)
    said, _ = job.communicate(timeout=1500)
    logs = "\n".join(p.read_text() for p in (tmp_path / "sweep" / ".submitit").rglob("*.err"))
    assert job.returncode == 0, said + logs
    status = read_run_status(tmp_path / "sweep" / "0")
    assert status is not None
    assert (status.state, status.pid != first) == ("finished", True)
    assert len((slurm / "requeued").read_text().split()) == 1
    # every step once, and each as if nothing had happened
    assert losses(tmp_path / "sweep" / "0") == losses(tmp_path / "whole")
    assert (tmp_path / "sweep" / "0" / "log.txt").read_text().count("rank 0 of 2 trains") == 2
    script = next(slurm.glob("*.sh")).read_text()
    assert "#SBATCH --job-name=motion_smoke" in script
    assert "#SBATCH --ntasks-per-node=2" in script
    assert "gpus" not in script


@pytest.mark.slow
def test_one_run_on_this_machine_is_taken_away_and_goes_on(tmp_path: Path) -> None:
    job = start(tmp_path, "launch=local", "hydra.run.dir=run", "seed=1", "logger=wandb")
    take_away(tmp_path / "run", job, 8)
    said, _ = job.communicate(timeout=1500)
    assert job.returncode == 0, said
    assert f"run folder {tmp_path / 'run'}" in said
    steps = [step for step, _ in losses(tmp_path / "run")]
    assert steps == list(range(2 * STEPS))
    known = read_run_identity(tmp_path / "run")
    assert known is not None
    logs = [log.name for log in (tmp_path / "run").rglob("*.wandb")]
    assert logs == [f"run-{known.id}.wandb"] * 2
