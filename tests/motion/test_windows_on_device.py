"""Batches of motion are drawn on one device alone, here on one that only pretends to be one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from test_corruption import NONE
from test_windows import RECIPE, bank
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

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


class There(torch.Tensor):
    """A tensor that pretends to lie on a GPU; what is computed of it does, too."""


class PretendedDevice(TorchFunctionMode):
    """What is made on a device, or sent there, lies there; what meets it must lie there, too."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
        there = [one for one in tensors if isinstance(one, There)]
        name = getattr(func, "__name__", "")
        if there and name != "to":
            strangers = [one for one in tensors if one.dim() and not isinstance(one, There)]
            assert not strangers, f"{name} of tensors on two devices"
        made = func(*args, **kwargs)
        places = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.device)]
        return made.as_subclass(There) if places and type(made) is torch.Tensor else made


def drawn(seed: int, device: torch.device | str) -> dict[str, torch.Tensor]:
    shape, generator = (3, 40, len(BODY19)), torch.Generator().manual_seed(7)
    errors = DetectorErrors(
        0.01 * torch.randn(*shape, 2, generator=generator), torch.zeros(*shape, 2), torch.ones(shape),
        torch.tensor([40, 30, 20]), torch.tensor([30.0, 25.0, 60.0]),
    )  # fmt: skip
    views = RandomCameras(180, 12, 2, (3, 8), 1.6, 250, (0, 0), perspective=True)
    windows = MotionWindows(
        bank().to(device), MotionWindowRecipe(**RICH), views, DetectorNoise(**NOISY), errors.to(device)
    )
    return dict(windows.draw(torch.Generator(device).manual_seed(seed)))


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_is_drawn_on_one_device_from_the_recordings_to_the_keypoints(seed: int) -> None:
    with PretendedDevice():
        batch = drawn(seed, torch.device("cpu"))
    tensors = {name: one for name, one in batch.items() if isinstance(one, torch.Tensor)}
    assert all(isinstance(one, There) for one in tensors.values())
    here = drawn(seed, "cpu")
    for name, one in tensors.items():
        torch.testing.assert_close(one.as_subclass(torch.Tensor), here[name])


def test_two_devices_are_noticed() -> None:
    with PretendedDevice(), pytest.raises(AssertionError, match="two devices"):
        torch.zeros(2).to(torch.device("cpu")) + torch.ones(2)
