from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from test_windows import windows

from rib.config.compose import compose
from rib.io.recipe import build_recipe
from rib.motion.nets.checkpoint import load_motion_net
from rib.motion.training.adversarial import AdversarialMotionModule, MotionDiscriminator
from rib.motion.training.data import MotionBatches
from rib.motion.training.losses import weighted_motion_loss
from rib.motion.training.windows import MotionBatch


@pytest.fixture
def module() -> AdversarialMotionModule:
    torch.manual_seed(0)
    config = compose("train", "task=motion_adversarial", "net=motion_tiny", "task.data.folder=synthetic")
    return build_recipe(config.task.module)


@pytest.fixture
def batch() -> MotionBatch:
    batch = MotionBatches(windows(), 3, seed=0)[0]
    batch["keypoints_px"] = batch["keypoints_px"] + 20 * torch.randn(batch["keypoints_px"].shape)
    return batch


def gradients(module: AdversarialMotionModule, batch: MotionBatch, term: str) -> tuple[float, float]:
    """What one term does to the net's heads and to the discriminator."""
    module.zero_grad()
    curve = module.net(batch["times_s"], batch["keypoints_px"], batch["confidence"])
    module.losses(curve, batch)[term].backward()
    size = lambda part: sum(float(p.grad.abs().sum()) for p in part.parameters() if p.grad is not None)  # noqa: E731
    return size(module.net), size(module.discriminator)


def test_each_side_learns_from_its_own_term_alone(
    module: AdversarialMotionModule, batch: MotionBatch
) -> None:
    net, discriminator = gradients(module, batch, "adversarial")
    assert net > 0
    assert discriminator == 0
    net, discriminator = gradients(module, batch, "discriminator")
    assert net == 0
    assert discriminator > 0


@pytest.mark.slow
def test_the_discriminator_learns_to_tell_noise_from_motion(
    module: AdversarialMotionModule, batch: MotionBatch
) -> None:
    optimizer = torch.optim.Adam(module.discriminator.parameters(), 1e-3)
    terms = []
    for _ in range(20):
        curve = module.net(batch["times_s"], batch["keypoints_px"], batch["confidence"])
        loss = weighted_motion_loss(module.losses(curve, batch), {"discriminator": 1.0})
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        terms.append(float(loss))
    assert terms[-1] < 0.5 * terms[0]


def test_where_the_person_stands_does_not_matter_to_the_discriminator() -> None:
    discriminator = MotionDiscriminator(8, 2)
    x, times = torch.randn(2, 7, 19, 2), torch.linspace(0, 1, 7).expand(2, 7)
    torch.testing.assert_close(discriminator(x, times), discriminator(x + 3, times + 5), atol=1e-5, rtol=1e-4)


def test_the_optimizer_knows_every_weight_that_learns(module: AdversarialMotionModule) -> None:
    made: Any = module.configure_optimizers()
    known = {id(p) for group in made["optimizer"].param_groups for p in group["params"]}
    assert known == {id(p) for p in module.parameters() if p.requires_grad}


@pytest.mark.slow
def test_a_run_is_a_run_and_its_checkpoint_gives_the_net(tmp_path: Path) -> None:
    from rib.engine.fit import fit_in_processes

    small = ("task.data.folder=synthetic", "task.data.held_out=[]", "task.data.validation=[synthetic/0000]")
    few = ("task.data.windows.tokens=40", "task.data.windows.keyframes=[5,8]", "debug=fast")
    fit_in_processes(
        compose("train", "task=motion_adversarial", "net=motion_tiny", *small, *few, f"run_dir={tmp_path}")
    )
    assert load_motion_net(tmp_path / "checkpoints" / "last.ckpt")
