from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from rib.config.compose import compose
from rib.engine.checkpoints import read_checkpoint
from rib.engine.distributed.sharded import check_shardable
from rib.engine.fit import fit_in_processes
from rib.io.errors import RibError
from rib.io.recipe import build_recipe

Settings = Callable[..., dict[str, Any]]
SHARDED = (
    "trainer=fsdp", "trainer.accelerator=cpu", "trainer.devices=2", "trainer.precision=32-true",
    "trainer.max_epochs=2", "trainer.log_every_n_steps=1",
)  # fmt: skip


class Discriminators(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False


def test_a_module_with_a_discriminator_is_refused_in_one_line() -> None:
    with pytest.raises(RibError, match=r"trainer=fsdp cannot train Discriminators, .*; type trainer=ddp"):
        check_shardable(Discriminators())
    recipe = compose("train", "task=motion_adversarial", "task.data.folder=synthetic", "net=motion_tiny")
    with pytest.raises(RibError, match="cannot train AdversarialMotionModule"):
        check_shardable(build_recipe(recipe["task"]["module"]))


@pytest.mark.slow
def test_shared_out_weights_train_save_and_resume_as_whole_ones(settings: Settings, tmp_path: Path) -> None:
    # a checkpoint is written before its step is validated, and a run that goes on does not repeat that
    last_counts = "optimize.select=last"
    ddp = fit_in_processes(
        settings("whole", "trainer=ddp_cpu", "trainer.max_epochs=2", "trainer.max_steps=4", last_counts)
    )
    fit_in_processes(settings("parts", *SHARDED, "trainer.max_steps=2"))
    last = tmp_path / "parts" / "checkpoints" / "last.ckpt"
    score = fit_in_processes(
        settings("parts", *SHARDED, "trainer.max_steps=4", last_counts, "restore=resume", f"ckpt={last}")
    )
    assert score is not None
    assert ddp is not None
    assert (score.step, score.value) == (ddp.step, pytest.approx(ddp.value, abs=1e-5))
    whole = read_checkpoint(tmp_path / "whole" / "checkpoints" / "last.ckpt")
    parts = read_checkpoint(last)
    assert parts["global_step"] == whole["global_step"] == 4
    for name, tensor in whole["state_dict"].items():
        torch.testing.assert_close(parts["state_dict"][name], tensor, atol=1e-5, rtol=1e-4)
