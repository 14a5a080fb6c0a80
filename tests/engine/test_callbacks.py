from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from rib.engine.callbacks.monitors import SeedSteps, StopWhenNotFinite
from rib.engine.fit import fit_in_processes
from rib.io.errors import RibError

Settings = Callable[..., dict[str, Any]]


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_term() -> None:
    module: Any = SimpleNamespace(terms={"position": torch.tensor(1.0), "bone": torch.tensor(torch.nan)})
    trainer: Any = SimpleNamespace(global_step=7)
    with pytest.raises(
        RibError, match=r"the loss is nan at step 7, because of bone \(position=1, bone=nan\)"
    ):
        StopWhenNotFinite().on_before_backward(trainer, module, torch.tensor(torch.nan))
    StopWhenNotFinite().on_before_backward(trainer, module, torch.tensor(1.0))


@pytest.mark.slow
def test_a_run_that_diverges_stops_in_one_line(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(RibError, match=r"the loss is .* because of .*position") as error:
        fit_in_processes(settings("run", "task.module.optimizer.lr=1e30", "task.module.warmup_steps=1"))
    assert "\n" not in str(error.value)


def test_what_a_step_draws_follows_from_seed_and_step() -> None:
    def draw(seed: int, step: int) -> float:
        trainer: Any = SimpleNamespace(global_step=step, global_rank=0)
        SeedSteps(seed).on_train_batch_start(trainer, Any, None, 0)  # type: ignore[arg-type]
        return float(torch.rand(()))

    assert draw(1, 5) == draw(1, 5)
    assert len({draw(seed, step) for seed in range(3) for step in range(3)}) == 9
