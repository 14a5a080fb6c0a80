"""A signal, a saved step, a second start: without a cluster and in this process."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rib.engine.fit import fit_in_processes
from rib.engine.loggers.csv_logger import CsvLogger, drop_metrics_from_step, read_metrics
from rib.engine.run_folder.status import read_run_status

Settings = Callable[..., dict[str, Any]]


def sent_at(step: int, name: str, mark: Path) -> str:
    """Send this process a signal once, in the middle of a step."""
    return f"+callbacks.fault={{_target_: faults.GetsSignal, step: {step}, mark: {mark}, signal: {name}}}"


def state(run: Path) -> str:
    status = read_run_status(run)
    assert status is not None
    return status.state


def losses(run: Path) -> list[tuple[int, float]]:
    return read_metrics(run / "metrics.csv")["train/loss"]


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 3])
def test_a_run_whose_machine_is_taken_away_goes_on_at_the_same_step(
    settings: Settings, tmp_path: Path, step: int
) -> None:
    """Inside an epoch, and at its last step; nothing about resuming is typed the second time."""
    rarely = ("trainer.max_steps=6", "callbacks.last.every_n_train_steps=100")
    fit_in_processes(settings("whole", *rarely))
    fault = sent_at(step, "SIGUSR2", tmp_path / "sent")
    with pytest.raises(SystemExit):
        fit_in_processes(settings("parts", *rarely, fault))
    assert state(tmp_path / "parts") == "preempted"
    assert [row[0] for row in losses(tmp_path / "parts")] == list(range(step + 1))
    fit_in_processes(settings("parts", *rarely, fault))
    assert state(tmp_path / "parts") == "finished"
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    whole, parts = (read_metrics(tmp_path / name / "metrics.csv") for name in ("whole", "parts"))
    assert parts["val/ratio"] == whole["val/ratio"]
    assert [path.name for path in (tmp_path / "parts" / "checkpoints").glob("last*")] == ["last.ckpt"]


@pytest.mark.slow
def test_what_queues_the_job_again_is_called_when_all_is_saved(settings: Settings, tmp_path: Path) -> None:
    found = []

    def queue_again(number: int, frame: Any) -> None:
        found.append((state(tmp_path / "run"), (tmp_path / "run" / "checkpoints" / "last.ckpt").is_file()))
        raise SystemExit(3)

    before = signal.signal(signal.SIGUSR2, queue_again)
    try:
        with pytest.raises(SystemExit) as stop:
            fit_in_processes(settings("run", sent_at(1, "SIGUSR2", tmp_path / "sent")))
        assert signal.getsignal(signal.SIGUSR2) is queue_again
    finally:
        signal.signal(signal.SIGUSR2, before)
    assert stop.value.code == 3
    assert found == [("preempted", True)]


@pytest.mark.slow
def test_a_polite_end_saves_too_and_is_not_queued_again(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stop:
        fit_in_processes(settings("run", sent_at(1, "SIGTERM", tmp_path / "sent")))
    assert stop.value.code == 128 + signal.SIGTERM
    assert state(tmp_path / "run") == "stopped"
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").is_file()


def test_rows_that_come_again_are_dropped(tmp_path: Path) -> None:
    logger = CsvLogger(str(tmp_path))
    for step in range(4):
        logger.log_metrics({"train/loss": step / 2, "epoch": 0}, step)
    drop_metrics_from_step(logger.path, 2)
    assert read_metrics(logger.path) == {"train/loss": [(0, 0.0), (1, 0.5)]}
    with logger.path.open("a") as file:  # killed while it wrote
        file.write("2,0,train/lo")
    drop_metrics_from_step(logger.path, 9)
    assert read_metrics(logger.path) == {"train/loss": [(0, 0.0), (1, 0.5)]}
