from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from clip_module import NOTHING, clip_data, painted
from torch import Tensor

from rib.clips.batches import RawClipBatch, cut_window_around_person
from rib.clips.clips import ClipWindow
from rib.clips.data import ClipDataModule, to_clip_batch
from rib.engine.checkpoints import ResumeStopped
from rib.io.errors import RibError
from rib.render.clip_batch import RendererClipBatch


def assert_same(ours: RawClipBatch, theirs: RawClipBatch) -> None:
    assert ours["names"] == theirs["names"]
    assert ours["seed"] == theirs["seed"]
    for key in ("frames", "poses", "masks", "backgrounds", "times_s"):
        torch.testing.assert_close(ours[key], theirs[key])  # type: ignore[literal-required]


def test_a_batch_is_a_clip_batch_of_the_size_asked_for() -> None:
    data = clip_data()
    batch = data.on_after_batch_transfer(next(iter(data.train_dataloader())))
    assert batch["frames"].shape == (2, 4, 3, 40, 32)
    assert batch["poses"].shape == (2, 4, 19, 3)
    assert batch["masks"].shape == (2, 4, 1, 40, 32)
    assert batch["backgrounds"].shape == (2, 2, 3, 40, 32)
    assert batch["times_s"].shape == (2, 4)
    assert len(batch["names"]) == 2
    for key in ("frames", "masks", "backgrounds"):
        tensor: Tensor = batch[key]  # type: ignore[literal-required]
        assert tensor.dtype == torch.float32
        assert 0 <= tensor.min() <= tensor.max() <= 1


def drawn(data: ClipDataModule) -> Any:
    """The training batches by their number."""
    return data.train_dataloader().dataset


def test_a_batch_is_a_function_of_seed_epoch_and_place() -> None:
    first, again, other = (drawn(clip_data(seed=seed)) for seed in (3, 3, 4))
    assert_same(first[4], again[4])
    seen = [
        tuple(batches[i]["poses"].flatten()[:9].tolist()) for batches in (first, other) for i in (0, 1, 3)
    ]
    assert len(set(seen)) == 6


def test_workers_draw_what_the_training_process_draws() -> None:
    alone, helped = (list(clip_data(num_workers=n).train_dataloader()) for n in (0, 1))
    for ours, theirs in zip(alone, helped, strict=True):
        assert_same(ours, theirs)


def test_windows_grow_by_the_schedule() -> None:
    batches = drawn(clip_data())
    lengths = [batches[epoch * 3]["frames"].shape[1] for epoch in range(6)]
    assert lengths == [4, 4, 5, 5, 6, 6]
    assert batches[4 * 3]["backgrounds"].shape[1] == 4


def test_clips_are_shared_out_between_training_and_validation() -> None:
    data = clip_data(held_out=["*_000"], validation=["synthetic_002"])
    assert data.training_names == ["synthetic_001"]
    assert {n for i in range(6) for n in drawn(data).draw(i)["names"]} == {"synthetic_001"}
    checked = list(data.val_dataloader())
    assert {n for batch in checked for n in batch["names"]} == {"synthetic_002"}
    assert {batch["seed"] for batch in checked} == {-1}
    assert all(batch["frames"].shape[1] == 6 for batch in checked)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"clips": ["synthetic_01"]}, "did you mean"),
        ({"clips": ["synthetic_001"], "held_out": ["*"]}, "left to train on"),
        ({"most_frames": 11}, "has 10 frames, which is shorter than a window of 11"),
        ({"first_frames": 2}, "at least 3"),
        ({"store": "nowhere.h5"}, "nowhere.h5"),
    ],
)
def test_mistakes_are_told_in_one_line(changes: dict[str, object], told: str) -> None:
    with pytest.raises(RibError, match=told) as caught:
        clip_data(**changes)
    assert "\n" not in str(caught.value)


def spots(window: ClipWindow) -> np.ndarray:
    """Where each mask's centre of mass is."""
    y, x = np.mgrid[: window.masks.shape[1], : window.masks.shape[2]] + 0.5
    weight = window.masks / window.masks.sum((1, 2), keepdims=True)
    return np.stack([(weight * x).sum((1, 2)), (weight * y).sum((1, 2))], axis=1)


@pytest.mark.parametrize(
    ("size_wh", "scale"), [((30, 24), 0.5), ((120, 90), None), ((40, 48), 1.0), ((80, 80), 1.0)]
)
def test_poses_follow_a_window_that_is_resized_and_cut(size_wh: tuple[int, int], scale: float | None) -> None:
    whole = painted().window("synthetic_001", 0, 5)
    part = cut_window_around_person(whole, size_wh, scale, (0.1, -0.2))
    assert part.frames.shape[1:3] == part.masks.shape[1:3] == part.backgrounds.shape[1:3] == size_wh[::-1]
    factor = scale or max(size_wh[0] / 60, size_wh[1] / 48)
    torso = [np.linalg.norm(w.poses[:, 1, :2] - w.poses[:, 8, :2], axis=1) for w in (whole, part)]
    np.testing.assert_allclose(torso[1], torso[0] * factor, rtol=0.02)
    if size_wh[0] >= 60 * factor and size_wh[1] >= 48 * factor - 1e-6 and scale is None:
        offset = part.poses[:, 8, :2] - whole.poses[:, 8, :2] * factor
        np.testing.assert_allclose(spots(part), spots(whole) * factor + offset, atol=0.2)


def test_backwards_turns_everything_round() -> None:
    window = painted().window("synthetic_001", 0, 5)
    turned = window.backwards()
    np.testing.assert_array_equal(turned.frames[0], window.frames[4])
    np.testing.assert_array_equal(turned.backgrounds[0], window.backgrounds[2])
    np.testing.assert_array_equal(turned.poses[1], window.poses[3])
    assert (np.diff(turned.times_s) > 0).all()


def test_eight_bits_become_a_share() -> None:
    batch = clip_data().val_dataloader().dataset.draw(0)
    torch.testing.assert_close(to_clip_batch(batch)["frames"] * 255, batch["frames"].float())


class Watching(pl.LightningModule):
    """Learns nothing and keeps what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.shown: list[tuple[int, float, float]] = []

    def training_step(self, batch: RendererClipBatch, batch_idx: int) -> Tensor:
        self.shown.append(
            (batch["frames"].shape[1], float(batch["frames"].sum()), float(batch["poses"].sum()))
        )
        return self.layer(batch["frames"].mean().reshape(1)).sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


def watch(folder: Path, steps: int, ckpt: Path | None = None) -> list[tuple[int, float, float]]:
    trainer = pl.Trainer(
        accelerator="cpu", max_steps=steps, logger=False, enable_checkpointing=False, limit_val_batches=0,
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=folder,
        callbacks=[ResumeStopped()],
    )  # fmt: skip
    module = Watching()
    moved = {"_target_": "rib.clips.augment.ClipAugmentation", **NOTHING, "shift": 0.1}
    data = clip_data(augment=moved, grow_every_epochs=1, most_frames=5)
    trainer.fit(module, datamodule=data, ckpt_path=ckpt, weights_only=True)
    trainer.save_checkpoint(folder / "stopped.ckpt")
    return module.shown


def test_a_run_that_is_resumed_in_an_epoch_sees_the_same_windows(tmp_path: Path) -> None:
    whole = watch(tmp_path, 6)
    assert [frames for frames, _, _ in whole] == [4, 4, 4, 5, 5, 5]
    assert len(set(whole)) == 6
    first = watch(tmp_path, 4)
    second = watch(tmp_path, 6, tmp_path / "stopped.ckpt")
    assert first + second == whole
