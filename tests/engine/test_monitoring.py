from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rib.engine.fit import fit_in_processes
from rib.engine.loggers.csv_logger import read_metrics
from rib.io.errors import RibError

Settings = Callable[..., dict[str, Any]]


@pytest.mark.slow
def test_speed_waiting_and_the_gradients_norm_are_logged(settings: Settings, tmp_path: Path) -> None:
    often = ("callbacks.throughput.every_num_steps=2", "callbacks.gradients.every_num_steps=2")
    fit_in_processes(settings("run", *often, "trainer.max_steps=4"))
    metrics = read_metrics(tmp_path / "run" / "metrics.csv")
    for name in ("train/steps_per_s", "train/data_wait_share", "train/grad_norm"):
        assert {1, 3} <= {step for step, _ in metrics[name]}
        assert all(value > 0 for _, value in metrics[name])
    assert all(value < 1 for _, value in metrics["train/data_wait_share"])


@pytest.mark.slow
def test_profiling_prints_the_longest_operations_and_writes_a_trace(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ("callbacks.profile.skip_num_steps=1", "callbacks.profile.num_steps=2", "trainer.max_steps=4")
    fit_in_processes(settings("run", "debug=profile", *few))
    said = capsys.readouterr().out
    assert "operation" in said
    assert "aten::" in said
    trace = json.loads((tmp_path / "run" / "profile" / "trace.json").read_text())
    assert any(str(event.get("name", "")).startswith("aten::") for event in trace["traceEvents"])
    assert (tmp_path / "run" / "profile" / "operations.txt").read_text().strip() in said


@pytest.mark.slow
def test_the_run_folder_is_told_where_it_cannot_be_written(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file stands here")
    with pytest.raises(RibError, match=r"run cannot be written .*; name another file or folder"):
        fit_in_processes(settings("run"))


@pytest.mark.slow
def test_a_checkpoint_of_another_task_is_told(settings: Settings, tmp_path: Path) -> None:
    fit_in_processes(settings("first", "trainer.max_steps=1"))
    last = tmp_path / "first" / "checkpoints" / "last.ckpt"
    other = ("task=motion_adversarial", "task.data.folder=synthetic", "task.data.held_out=[]")
    with pytest.raises(
        RibError, match=r"is a checkpoint of rib\.motion\.training\.module\.MotionModule, but this task"
    ):
        fit_in_processes(settings("second", *other, "restore=finetune", f"ckpt={last}"))
