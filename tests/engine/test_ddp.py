"""Several processes on the CPU, really started: slow, so each test asks several questions of one run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist

from rib.engine.checkpoints import read_checkpoint
from rib.engine.fit import fit_in_processes
from rib.engine.loggers.csv_logger import read_metrics
from rib.engine.run_folder.status import read_run_status
from rib.io.errors import RibError

Settings = Callable[..., dict[str, Any]]


@pytest.mark.slow
def test_two_processes_equal_one_with_the_same_global_batch(settings: Settings, tmp_path: Path) -> None:
    """One process that sums up the two batches takes the same steps, and validates the same."""
    even = ("task.data.validation_batches=2",)
    one = fit_in_processes(settings("one", "+trainer.accumulate_grad_batches=2", *even))
    two = fit_in_processes(
        settings("two", "trainer=ddp_cpu", "trainer.log_every_n_steps=1", "trainer.max_epochs=2", *even)
    )
    assert one is not None
    assert two is not None
    assert (two.value, two.step) == (pytest.approx(one.value, abs=1e-5), one.step)
    metrics = {name: read_metrics(tmp_path / name / "metrics.csv") for name in ("one", "two")}
    for name in ("val/clean_r4_px", "val/ratio"):
        values = [[value for _, value in metrics[run][name]] for run in ("one", "two")]
        assert len(values[0]) == 2
        assert values[1] == pytest.approx(values[0], abs=1e-5)
    last = [read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt") for name in ("one", "two")]
    assert last[0]["global_step"] == last[1]["global_step"] == 4
    for name, tensor in last[0]["state_dict"].items():
        torch.testing.assert_close(last[1]["state_dict"][name], tensor, atol=1e-5, rtol=1e-4)
    # nothing is left behind for the next run of this process
    assert not dist.is_initialized()
    assert (tmp_path / "two" / "rank1.txt").read_text().count("rank 1 of 2 trains") == 1


@pytest.mark.slow
def test_a_run_that_a_sweep_gives_up_ends_in_every_process(settings: Settings, tmp_path: Path) -> None:
    """Rank 0 alone asks the pruner."""
    given_up = settings("run", "trainer=ddp_cpu", "trainer.max_epochs=3")
    score = fit_in_processes(given_up, pruner=lambda step, value: True)
    status = read_run_status(tmp_path / "run")
    assert score is not None
    assert status is not None
    assert (status.state, score.step) == ("pruned", 2)
    assert "Traceback" not in (tmp_path / "run" / "rank1.txt").read_text()
    assert not dist.is_initialized()


@pytest.mark.slow
def test_what_another_rank_says_is_told_instead_of_a_broken_connection(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rank 1 alone fails; rank 0 only sees that it went away."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import os\n"
        "if os.environ.get('RIB_WORKER'):\n"
        "    from rib.io.errors import RibError\n"
        "    import rib.engine.callbacks.monitors as callbacks\n"
        "    def fail(*arguments): raise RibError('the loss is nan at step 0')\n"
        "    callbacks.StopWhenNotFinite.on_before_backward = fail\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{site}:{Path(__file__).parents[2]}")
    with pytest.raises(RibError, match="rank 1 of 2 failed: the loss is nan at step 0"):
        fit_in_processes(settings("run", "trainer=ddp_cpu"))
    assert not dist.is_initialized()
