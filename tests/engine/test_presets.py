"""Presets: a word each, and what the engine makes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import rich
import torch
from torch import nn

from rib.config.compose import compose
from rib.config.help.tree import settings_tree
from rib.engine.callbacks.compile_net import CompileNet
from rib.engine.checkpoints import read_checkpoint
from rib.engine.fit import fit_in_processes
from rib.engine.manual_steps import hand_over_to_module
from rib.io.errors import RibError

Settings = Callable[..., Any]


def test_presets_are_put_together(tmp_path: Path) -> None:
    plain = compose("train", "experiment=motion_smoke", f"run_dir={tmp_path}")
    several = compose(
        "train", "experiment=motion_smoke", f"run_dir={tmp_path}",
        "preset=[early_stopping,summary,accumulate,deterministic,compile,config_tree]",
        "trainer.accumulate_grad_batches=3",
    )  # fmt: skip
    assert plain.callbacks is not None
    assert several.callbacks is not None
    assert plain.callbacks["early_stopping"]["patience"] is None  # type: ignore[index]
    assert several.callbacks["early_stopping"]["patience"] == 10  # type: ignore[index]
    assert "summary" in several.callbacks.keys() - plain.callbacks.keys()
    assert several.trainer["accumulate_grad_batches"] == 3
    assert several.trainer["deterministic"] is True
    assert several.callbacks["compile"]["_target_"].endswith("CompileNet")  # type: ignore[index]
    assert several.config_tree
    with pytest.raises(RibError, match="did you mean 'summary'"):
        compose("train", "experiment=motion_smoke", "preset=[sumary]")


def test_a_module_that_steps_by_hand_is_handed_what_lightning_refuses() -> None:
    by_hand: Any = SimpleNamespace(automatic_optimization=False, accumulate=1)
    recipe = {"gradient_clip_val": 2.0, "accumulate_grad_batches": 4, "max_epochs": 1}
    assert hand_over_to_module(recipe, by_hand) == {
        **recipe,
        "gradient_clip_val": None,
        "accumulate_grad_batches": 1,
    }
    assert (by_hand.clip_norm, by_hand.accumulate) == (2.0, 4)
    assert hand_over_to_module(recipe, SimpleNamespace(automatic_optimization=True)) == recipe
    with pytest.raises(RibError, match="cannot add up gradients"):
        hand_over_to_module(recipe, SimpleNamespace(automatic_optimization=False))


def test_a_compiled_net_keeps_its_names_and_numbers() -> None:
    net = nn.Linear(2, 2)
    module: Any = SimpleNamespace(net=net)
    before, x = net(torch.ones(1, 2)), torch.ones(1, 2)
    CompileNet("eager", None).on_fit_start(SimpleNamespace(), module)  # type: ignore[arg-type]
    assert torch.allclose(net(x), before)
    assert list(net.state_dict()) == ["weight", "bias"]
    with pytest.raises(RibError, match="no `net` to compile"):
        CompileNet("eager", None).on_fit_start(SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]


def test_the_tree_shows_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    rich.print(settings_tree("rib train", {"seed": 1, "trainer": {"devices": [1, 2]}, "empty": {}}))
    shown = capsys.readouterr().out
    for line in ("rib train", "seed: 1", "trainer", "devices: [1, 2]", "empty: {}"):
        assert line in shown


@pytest.mark.slow
def test_a_run_with_many_presets_does_what_they_say(settings: Settings) -> None:
    given = settings(
        "run", "preset=[early_stopping,summary,lr_monitor,accumulate,deterministic]",
        "trainer.accumulate_grad_batches=2", "++callbacks.last.every_n_train_steps=null",
        "trainer.max_epochs=3", "callbacks.early_stopping.patience=1",
        "task.module.optimizer.lr=0",
    )  # fmt: skip
    try:
        fit_in_processes(given)
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)
    run, checkpoint = Path(given.run_dir), read_checkpoint(Path(given.run_dir) / "checkpoints" / "last.ckpt")
    assert "lr-AdamW" in (run / "metrics.csv").read_text()
    assert "Trainable params" in (run / "log.txt").read_text()
    assert checkpoint["global_step"] == 4  # two epochs of four batches, two a step: nothing became better
