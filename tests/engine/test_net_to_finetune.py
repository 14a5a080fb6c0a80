"""restore=finetune begins from the weights that come with rib, or from any net's file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from test_debug_presets import small, write_samples

from rib.config.compose import compose
from rib.engine.checkpoints import AtomicCheckpointIO, read_checkpoint
from rib.engine.fit import fit_in_processes
from rib.engine.net_to_finetune import load_net_to_finetune
from rib.engine.restore import settle_restore
from rib.engine.settings import TrainSettings
from rib.io.errors import RibError
from rib.io.recipe import build_recipe
from rib.motion.nets.checkpoint import shipped_motion_weights
from rib.render.nets.checkpoint import shipped_renderer_weights

SHIPPED = {"motion_base": shipped_motion_weights, "renderer_own": shipped_renderer_weights}
DATA = {"motion_base": "task.data.folder=x.h5", "renderer_own": "task.data.samples=x.h5"}


def settings(experiment: str, *overrides: str) -> TrainSettings:
    """Settings of a training that is not begun."""
    given = (f"experiment={experiment}", DATA[experiment], "restore=finetune", *overrides)
    chosen: TrainSettings = compose("train", *given)
    return chosen


@pytest.mark.parametrize("experiment", SHIPPED)
def test_without_a_checkpoint_a_run_begins_from_the_weights_that_come_with_rib(experiment: str) -> None:
    config = settle_restore(settings(experiment))
    assert config.ckpt == str(SHIPPED[experiment]())
    module = build_recipe(config.task.module)
    load_net_to_finetune(module, Path(config.ckpt))
    for name, tensor in load_file(config.ckpt).items():
        assert torch.equal(module.net.state_dict()[name], tensor)
        assert torch.equal(module.ema.state_dict()[name], tensor)


@pytest.mark.slow
def test_a_run_with_discriminators_begins_from_the_net_that_comes_with_rib(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_samples(tmp_path / "samples.h5")
    still = (*small("refiner"), "trainer.max_steps=1", "task.module.optimizer.lr=0")
    still += ("+callbacks.last.every_n_train_steps=1", f"run_dir={tmp_path / 'run'}")
    fit_in_processes(compose("train", "experiment=renderer_base_gan", "restore=finetune", *still))
    assert capsys.readouterr().out.count("has no discriminators: they begin anew") == 1
    state = read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")["state_dict"]
    for name, tensor in load_file(shipped_renderer_weights()).items():
        assert torch.equal(state[f"net.{name}"], tensor)


@pytest.mark.parametrize("experiment", SHIPPED)
def test_the_file_of_another_net_is_refused_before_the_run_is_begun(experiment: str) -> None:
    other = next(weights for name, weights in SHIPPED.items() if name != experiment)()
    with pytest.raises(RibError, match=r"holds .* but this run trains"):
        settle_restore(settings(experiment, f"ckpt={other}"))


@pytest.mark.parametrize("content", [b"", b"[1]", None])
def test_what_is_no_net_is_told_in_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RibError, match=r"a\.safetensors") as error:
        settle_restore(settings("renderer_own", f"ckpt={path}"))
    assert "\n" not in str(error.value)


def test_only_a_module_whose_weights_come_with_rib_may_name_none() -> None:
    config: Any = settings("renderer_own")
    config.task.module = {"_target_": "rib.engine.checkpoints.AtomicCheckpointIO"}
    assert not hasattr(AtomicCheckpointIO, "shipped_weights")
    with pytest.raises(RibError, match="needs a checkpoint"):
        settle_restore(config)
