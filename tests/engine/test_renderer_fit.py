"""A renderer through the real engine: two optimizers, and still the steps are those that were asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from test_debug_presets import small, write_samples
from test_fit import assert_same

from rib.config.compose import compose
from rib.engine.checkpoints import load_checkpoint_module, read_checkpoint
from rib.engine.fit import fit_in_processes
from rib.engine.loggers.csv_logger import read_metrics
from rib.io.errors import RibError

TINY = (
    "experiment=renderer_smoke", "net.width=2", "net.most=4", "task.data.synthetic.count=3",
    "task.data.synthetic.frames=8", "task.data.synthetic.size_wh=[48,32]", "task.data.size_wh=[48,32]",
    "task.data.validation=[synthetic_000]", "task.data.batches_per_epoch=3", "task.data.validation_batches=1",
    "task.data.batch_size=1", "task.data.first_frames=3", "task.data.most_frames=4",
    "task.module.weights.perceptual=0", "trainer.log_every_n_steps=1",
    "+callbacks.last.every_n_train_steps=1",
    "trainer.max_epochs=4",
)  # fmt: skip

Settings = Callable[..., dict[str, Any]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a run of epochs of three steps on painted people, in tmp_path/<name>; no validation."""

    def make(name: str, *overrides: str) -> dict[str, Any]:
        return compose(
            "train", *TINY, "+trainer.limit_val_batches=0", f"run_dir={tmp_path / name}", *overrides
        )

    return make


@pytest.mark.slow
@pytest.mark.parametrize("stop", [2, 3])
def test_a_resumed_run_goes_on_exactly(settings: Settings, tmp_path: Path, stop: int) -> None:
    """Inside an epoch of three steps, and between two, where windows grow longer."""
    fit_in_processes(settings("whole", "trainer.max_steps=5"))
    fit_in_processes(settings("parts", f"trainer.max_steps={stop}"))
    last = tmp_path / "parts" / "checkpoints" / "last.ckpt"
    assert read_checkpoint(last)["global_step"] == stop
    fit_in_processes(settings("parts", "trainer.max_steps=5", "restore=resume", f"ckpt={last}"))
    names = ("whole", "parts")
    whole, parts = (read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt") for name in names)
    for key in ("state_dict", "optimizer_states", "lr_schedulers", "global_step"):
        assert_same(whole[key], parts[key], key)
    logged = [read_metrics(tmp_path / name / "metrics.csv") for name in names]
    assert [step for step, _ in logged[0]["train/loss"]] == [0, 1, 2, 3, 4]
    for name in ("train/loss", "train/discriminator_frame_loss", "train/reconstruction_loss"):
        assert logged[0][name] == logged[1][name]


@pytest.mark.slow
def test_a_spoilt_picture_stops_the_run_and_the_last_checkpoint_is_whole(
    settings: Settings, tmp_path: Path
) -> None:
    spoilt = "+callbacks.spoil={_target_: faults.SpoilsFrames, step: 2}"
    with pytest.raises(RibError, match=r"the loss is nan at step 2, because of .*l1") as error:
        fit_in_processes(settings("run", "trainer.max_steps=5", spoilt))
    assert "\n" not in str(error.value)
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    assert read_checkpoint(last)["global_step"] == 2
    module = load_checkpoint_module(last, "rib.render.training.module.RendererModule")
    assert all(torch.isfinite(tensor).all() for tensor in module.state_dict().values())


@pytest.mark.slow
def test_the_trainers_clipping_is_done_by_the_module(settings: Settings, tmp_path: Path) -> None:
    # AdamW's steps do not depend on the gradient's size unless it is as good as nothing
    for name, norm in (("free", "null"), ("still", "1e-12")):
        fit_in_processes(settings(name, "trainer.max_steps=1", f"trainer.gradient_clip_val={norm}"))
    weights = "net.conv_img.layers.conv.weight"
    free, still = (
        read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt")["state_dict"][weights]
        for name in ("free", "still")
    )
    assert (free - still).abs().max() > 1e-6


@pytest.mark.slow
def test_presets_serve_a_gan_too(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    presets = ("preset=[accumulate,lr_monitor,find_lr,find_batch_size]", "trainer.accumulate_grad_batches=2")
    few = ("find.lr.num_steps=10", "find.batch_size.most_times=1", "trainer.max_epochs=2")
    fit_in_processes(settings("run", *presets, *few))
    told, logged = capsys.readouterr().out, read_metrics(tmp_path / "run" / "metrics.csv")
    assert "found task.data.batch_size=1" in told
    assert "learning rate is proposed" in told or "found task.module.optimizer.lr=" in told
    # three batches an epoch are a step of two and one of the last
    assert read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")["global_step"] == 4
    assert {"lr-AdamW", "lr-AdamW-1"} <= logged.keys()


REFINER = (
    "net=renderer_base", "net.widths=[4,4]", "net.blocks=[1,1]", *small("refiner"), "trainer.max_steps=1",
    "+callbacks.last.every_n_train_steps=1",
)  # fmt: skip


@pytest.mark.slow
def test_a_refiner_is_trained_on_with_and_without_discriminators(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_samples(tmp_path / "samples.h5")
    told, lasts = [], [tmp_path / "first" / "checkpoints" / "last.ckpt"]
    fit_in_processes(compose("train", "experiment=renderer_base", *REFINER, f"run_dir={tmp_path / 'first'}"))
    for experiment in ("renderer_base_gan", "renderer_base"):
        run = tmp_path / experiment
        still = ("restore=finetune", f"ckpt={lasts[-1]}", "task.module.optimizer.lr=0", f"run_dir={run}")
        capsys.readouterr()
        fit_in_processes(compose("train", f"experiment={experiment}", *REFINER, *still))
        told.append(capsys.readouterr().out)
        lasts.append(run / "checkpoints" / "last.ckpt")
    first, gan, again = (read_checkpoint(last)["state_dict"] for last in lasts)
    assert told[0].count("has no discriminators: they begin anew") == 1
    assert told[1].count("are left out: this run has none") == 1
    assert any(name.startswith("discriminators.") for name in gan.keys() - first.keys())
    assert again.keys() == first.keys()
    for name in first:
        if name.startswith("net."):
            assert torch.equal(first[name], gan[name])
            assert torch.equal(first[name], again[name])
