"""Batches of motion are drawn on one device alone, here on one that only pretends to be one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pretended_device import DEVICE, GeneratorOnDevice, OnDevice, PretendedDevice
from test_corruption import NONE
from test_windows import RECIPE, bank

from rib.mocap.cameras.views import RandomCameras
from rib.motion.corruption.detector_noise import DetectorErrors, DetectorNoise
from rib.motion.training.windows import MotionWindowRecipe, MotionWindows
from rib.structures.skeleton import BODY19

RICH = RECIPE | {
    "mirrored": 0.5, "bone_spread": 0.1, "landmark_spread": 0.1, "recombined": 0.5, "swayed": 0.5,
    "turned": 0.5,
}  # fmt: skip
NOISY: dict[str, Any] = NONE | {
    "clean": 0.1, "real": 0.4, "sigma": (0.01, 0.02), "joint_spread": 0.2, "correlated": 0.5,
    "wander": (0.5, 0.5), "heavy": 0.1, "swap": (0.3, 0.3, 0.3), "displaced": 0.3, "missing": 0.2,
    "burst": 0.5, "frame_missing": 0.1, "absent": 0.3, "truncated": 0.5,
}  # fmt: skip


def drawn(generator: torch.Generator) -> dict[str, torch.Tensor]:
    shape, device = (3, 40, len(BODY19)), generator.device
    noise = torch.randn(*shape, 2, generator=torch.Generator().manual_seed(7))
    errors = DetectorErrors(
        0.01 * noise, torch.zeros(*shape, 2), torch.ones(shape),
        torch.tensor([40, 30, 20]), torch.tensor([30.0, 25.0, 60.0]),
    )  # fmt: skip
    views = RandomCameras(180, 12, 2, (3, 8), 1.6, 250, (0, 0), perspective=True)
    windows = MotionWindows(
        bank().to(device), MotionWindowRecipe(**RICH), views, DetectorNoise(**NOISY), errors.to(device)
    )
    return dict(windows.draw(generator))


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_is_drawn_on_one_device_from_the_recordings_to_the_keypoints(seed: int) -> None:
    with PretendedDevice():
        batch = drawn(GeneratorOnDevice().manual_seed(seed))
    tensors = {name: one for name, one in batch.items() if isinstance(one, torch.Tensor)}
    assert all(isinstance(one, OnDevice) for one in tensors.values())
    here = drawn(torch.Generator().manual_seed(seed))
    for name, one in tensors.items():
        torch.testing.assert_close(one.as_subclass(torch.Tensor), here[name])


def test_two_devices_are_noticed() -> None:
    with PretendedDevice(), pytest.raises(AssertionError, match="two devices"):
        torch.zeros(2).to(DEVICE) + torch.ones(2)
