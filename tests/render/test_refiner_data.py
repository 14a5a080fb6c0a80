from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from samples_by_hand import SMALL, a_net, sample
from test_refiner_dataset import CROPS

from rib.config.compose import compose
from rib.engine.fit import fit_in_processes
from rib.io.errors import RibError
from rib.render.nets.checkpoint import load_renderer_net
from rib.render.refine.dataset import RefinerSample, write_refiner_samples
from rib.render.refine.refiner_input import RefinerInput
from rib.render.training.module import pictures_without_net
from rib.render.training.refiner_data import RefinerDataModule, refiner_crops_to_clips


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    closed = RefinerSample(sample(3).channels, sample(3).truth, 0.0)
    write_refiner_samples(tmp_path / "a.h5", {"walk_4_0": [sample(1), sample(2)], "juggle_8_0": [closed]})
    return tmp_path / "a.h5"


def module(path: Path, held_out: tuple[str, ...] = (), min_gate: float = 0.0) -> RefinerDataModule:
    recipe = {"_target_": "rib.render.refine.crops.RefinerCropRecipe", **CROPS.__dict__}
    data = RefinerDataModule(str(path), held_out, recipe, min_gate, 3, 2, 1, 0)
    data.setup()
    return data


def test_clips_held_out_are_checked_and_not_trained_on(samples: Path) -> None:
    data = module(samples, ("walk_*",))
    assert (len(data.training), len(data.checked)) == (1, 2)
    assert len(module(samples, min_gate=0.5).training) == 2
    with pytest.raises(RibError, match="no sample of"):
        module(samples, ("*",))


def test_batches_are_the_same_twice(samples: Path) -> None:
    data = module(samples)
    one, again = (list(data.val_dataloader()) for _ in range(2))
    assert len(one) == 2
    assert all(torch.equal(a["frames"], b["frames"]) for a, b in zip(one, again, strict=True))


def test_a_net_mends_what_was_drawn_before(samples: Path) -> None:
    batch = refiner_crops_to_clips(CROPS.batch([sample(1)], 0, 0))
    made = a_net(SMALL)(batch)
    inputs = RefinerInput.of(batch["channels"])
    assert torch.equal(made["foreground"][:, 0], inputs.colour)
    assert made["picture"].shape == batch["frames"][:, 1:-1].shape


@pytest.mark.parametrize("experiment", ["renderer_base", "renderer_base_gan"])
@pytest.mark.slow
def test_what_rib_train_writes_is_what_the_renderer_reads(
    samples: Path, tmp_path: Path, experiment: str
) -> None:
    config = compose(
        "train", f"experiment={experiment}", f"task.data.samples={samples}", "net.widths=[8]",
        "net.blocks=[1]",
        "task.data.crops.side_px=32", "task.data.crops.batch_size=1", "task.data.batches_per_epoch=2",
        "task.data.validation_batches=1", "trainer.max_epochs=1", f"run_dir={tmp_path}",
        "trainer.log_every_n_steps=1",
    )  # fmt: skip
    score = fit_in_processes(config)
    assert score is not None
    assert math.isfinite(score.value)
    net = load_renderer_net(tmp_path / "checkpoints" / "last.ckpt", config["net"]["_target_"])
    assert net.leave.weight.abs().sum() > 0


def test_what_needs_no_net_is_told_beside_it_and_an_untrained_net_is_no_better(samples: Path) -> None:
    batch = next(iter(module(samples).val_dataloader()))
    found = pictures_without_net(batch)
    assert torch.equal(found["interpolated"], batch["backgrounds"][:, 0])
    assert torch.allclose(found["warp"], a_net(SMALL)(batch)["picture"][:, 0])
    assert pictures_without_net({"frames": batch["frames"]}) == {}  # type: ignore[typeddict-item]
