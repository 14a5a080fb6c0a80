from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from test_windows import windows
from torch.utils.data import DataLoader

from rib.io.errors import RibError
from rib.motion.nets.base import MotionBase
from rib.motion.nets.checkpoint import load_motion_net, save_motion_net
from rib.motion.training.data import MotionBatches
from rib.motion.training.losses import MotionLoss, curve_at_query_times
from rib.motion.training.module import MotionModule, spline_of_motion_batch
from rib.motion.training.windows import MotionBatch

NET = {
    "_target_": "rib.motion.nets.base.MotionBase", "width": 16, "num_heads": 2, "num_layers": [1, 1],
    "expansion": 2,
}  # fmt: skip
TERMS = {"position", "keyframe", "velocity", "acceleration", "bone", "confidence"}


def module(**changes: Any) -> MotionModule:
    torch.manual_seed(0)
    settings: dict[str, Any] = {
        "net": NET, "loss": {"_target_": "rib.motion.training.losses.MotionLoss", "floor_px": 0.3,
        "power": 0.8, "unseen": 0.02}, "weights": dict.fromkeys(TERMS, 1.0),
        "optimizer": {"_target_": "torch.optim.AdamW",
        "lr": 1e-2}, "warmup_steps": 2, "total_steps": 100, "min_lr_ratio": 0.1, "ema_decay": 0.9, "checks":
        ["seen"],
    }  # fmt: skip
    return MotionModule(**{**settings, **changes})


def fit(folder: Path, epochs: int, resume: Path | None = None) -> pl.Trainer:
    batches = MotionBatches(windows(), 3, seed=0)
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=epochs, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=folder,
        num_sanity_val_steps=0,
    )  # fmt: skip
    loader = DataLoader(batches, batch_size=None)
    trainer.fit(module(), loader, [loader], ckpt_path=resume and str(resume), weights_only=True)
    return trainer


@pytest.fixture
def batch() -> MotionBatch:
    return MotionBatches(windows(), 3, seed=0)[0]


def test_the_truth_costs_nothing_and_the_spline_about_its_own_size(batch: MotionBatch) -> None:
    loss, spline = MotionLoss(floor_px=0.0, power=1.0, unseen=0.0), spline_of_motion_batch(batch)
    terms = loss(spline, spline, batch)
    assert set(terms) == TERMS
    # the spline is exact on uniform motion: what is left is float32's rounding
    assert curve_at_query_times(spline, batch).sub(batch["query_px"]).abs().max() < 1e-2
    assert all(torch.isfinite(term) for term in terms.values())


def test_weights_of_the_loss_are_applied(batch: MotionBatch) -> None:
    zero = module(weights={"position": 0.0})
    assert zero.training_step(batch, 0).item() == 0


@pytest.mark.slow
def test_a_few_steps_lower_the_loss(batch: MotionBatch) -> None:
    """Noise of a constant size is learnt quickly; the spline keeps all of it."""
    learner = module(weights={"position": 1.0})
    batch["keypoints_px"] = batch["keypoints_px"] + 5 * torch.randn(batch["keypoints_px"].shape)
    optimizer = torch.optim.Adam(learner.net.parameters(), 1e-2)
    losses = []
    for _ in range(25):
        loss = learner.training_step(batch, 0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.slow
def test_the_running_mean_follows_and_is_what_predicts(tmp_path: Path) -> None:
    trained = fit(tmp_path, 2).lightning_module
    assert isinstance(trained, MotionModule)
    start, mean, last = (list(m.parameters()) for m in (module().net, trained.ema, trained.net))
    way = lambda a, b: sum((x - y).norm() for x, y in zip(a, b, strict=True))  # noqa: E731
    assert 0 < way(start, mean) < way(start, last)
    keys = MotionBatches(windows(), 1, seed=0)[0]
    arguments = keys["times_s"], keys["keypoints_px"], keys["confidence"]
    torch.testing.assert_close(trained(*arguments).position_px, trained.ema(*arguments).position_px)


@pytest.mark.slow
def test_a_resumed_run_ends_where_an_uninterrupted_one_does(tmp_path: Path) -> None:
    whole = fit(tmp_path, 2)
    first = fit(tmp_path, 1)
    first.save_checkpoint(tmp_path / "first.ckpt")
    resumed = fit(tmp_path, 2, tmp_path / "first.ckpt")
    for name, tensor in whole.lightning_module.state_dict().items():
        torch.testing.assert_close(resumed.lightning_module.state_dict()[name], tensor)


def test_a_checkpoint_alone_gives_the_net(tmp_path: Path) -> None:
    trainer = fit(tmp_path, 1)
    trainer.save_checkpoint(tmp_path / "run.ckpt")
    net = load_motion_net(tmp_path / "run.ckpt")
    for name, tensor in trainer.lightning_module.ema.state_dict().items():
        torch.testing.assert_close(net.state_dict()[name], tensor)


def test_validation_tells_px_and_the_ratio_to_the_spline(tmp_path: Path) -> None:
    metrics = fit(tmp_path, 1).callback_metrics
    assert {"val/seen_px", "val/seen_ratio", "val/ratio", "train/loss", "train/position_loss"} <= set(metrics)


def test_weights_go_round_through_safetensors(tmp_path: Path) -> None:
    net = MotionBase(16, 2, [1, 1], 2)
    save_motion_net(tmp_path / "net.safetensors", net, NET, {"data": "none"})
    again = load_motion_net(tmp_path / "net.safetensors")
    assert not again.training
    for name, tensor in net.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], tensor)


@pytest.mark.parametrize(
    ("attribute", "value", "says"),
    [("joint_set", "smplh", "smplh"), ("fps", 60.0, "60 frames a second"), ("joint_set", None, "None")],
)
def test_what_does_not_fit_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attribute: str, value: Any, says: str
) -> None:
    net = MotionBase(16, 2, [1, 1], 2)
    monkeypatch.setattr(net, attribute, value)
    save_motion_net(tmp_path / "net.safetensors", net, NET, {})
    with pytest.raises(RibError, match=says) as error:
        load_motion_net(tmp_path / "net.safetensors", fps=25.0)
    assert "\n" not in str(error.value)


def test_another_format_version_is_refused(tmp_path: Path) -> None:
    save_motion_net(tmp_path / "net.safetensors", MotionBase(16, 2, [1, 1], 2), NET, {})
    with safe_open(tmp_path / "net.safetensors", "pt") as file:
        header = dict(file.metadata())
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    header["facts"] = json.dumps(json.loads(header["facts"]) | {"format_version": 99})
    save_file(tensors, tmp_path / "net.safetensors", header)
    with pytest.raises(RibError, match=r"format rib\.motion 99"):
        load_motion_net(tmp_path / "net.safetensors")


@pytest.mark.parametrize("name", ["absent.safetensors", "damaged.safetensors", "damaged.ckpt"])
def test_files_that_are_none_are_told_in_one_line(tmp_path: Path, name: str) -> None:
    if name.startswith("damaged"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(RibError) as error:
        load_motion_net(tmp_path / name)
    assert name in str(error.value)
    assert "\n" not in str(error.value)
