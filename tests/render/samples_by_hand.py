"""Small drawings and nets."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from test_warp_trust import SKINNING, TRUST

from rib.io.recipe import build_recipe
from rib.render.nets.base import RendererBase
from rib.render.refine.dataset import RefinerSample
from rib.render.refine.refiner_input import NUM_CHANNELS, RefinerInput

SMALL = {
    "_target_": "rib.render.nets.base.RendererBase", "widths": [8, 12], "blocks": [1, 1],
    "renderer": {"skinning": SKINNING, "trust": {"_target_": "rib.render.trust.TrustMap", **TRUST.__dict__}},
}  # fmt: skip


def a_net(recipe: dict[str, Any], trained: bool = False) -> RendererBase:
    """A net; `trained` gives its last layer something to say."""
    torch.manual_seed(0)
    net = build_recipe(recipe)
    if trained:
        torch.nn.init.normal_(net.leave.weight, std=0.05)
        torch.nn.init.normal_(net.leave.bias, std=0.05)
    return net


def channels(num: int, height: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(num, NUM_CHANNELS, height, width, generator=torch.Generator().manual_seed(seed))


def sample(seed: int = 0, size: int = 40) -> RefinerSample:
    """Two moments whose truth is the floor's picture, darker, which a net can learn."""
    x = channels(2, size, size, seed)
    inputs = RefinerInput.of(x)
    return RefinerSample.of(inputs, 0.5 * inputs.colour, 1.0)


def same(one: RefinerSample, other: RefinerSample) -> bool:
    return bool(np.array_equal(one.channels, other.channels) and np.array_equal(one.truth, other.truth))
