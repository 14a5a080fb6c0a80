from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from rib.motion.nets.base import MotionBase

Keyframes = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@pytest.fixture
def net() -> MotionBase:
    """A small net whose heads are not zero, so that laws are tested on what training would reach."""
    torch.manual_seed(0)
    net = MotionBase(width=16, num_heads=2, num_layers=[1, 1], expansion=2)
    for module in net.modules():
        if isinstance(module, nn.Linear) and not module.weight.any():
            nn.init.normal_(module.weight, std=0.05)
            nn.init.normal_(module.bias, std=0.05)
    return net.eval()


@pytest.fixture
def keyframes() -> Callable[..., Keyframes]:
    """Times (1, K), keypoints (1, K, 19, 2), confidence (1, K, 19) of a smooth motion, some missing."""

    def make(K: int, seed: int = 0, missing: float = 0.1) -> Keyframes:
        g = torch.Generator().manual_seed(seed)
        times = torch.cumsum(0.05 + 0.2 * torch.rand(1, K, generator=g, dtype=torch.float64), 1)
        phase, place = torch.rand(19, 2, generator=g) * 6, torch.randn(19, 2, generator=g) * 60 + 200
        wave = torch.sin(3 * times[..., None, None].float() + phase)
        confidence = (torch.rand(1, K, 19, generator=g) >= missing) * 0.8
        keypoints = (place + 40 * wave) * (confidence[..., None] > 0)
        return times, keypoints, confidence

    return make
