"""Small drawings and nets."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from test_warp_trust import PUPPET, TRUST

from rib.io.recipe import build
from rib.render.nets.base import RendererBase
from rib.render.refine.drawings import Gap
from rib.render.refine.drawn import NUM_PLANES, Drawn

SMALL = {
    "_target_": "rib.render.nets.base.RendererBase", "widths": [8, 12], "blocks": [1, 1],
    "drawing": {"puppet": PUPPET, "trust": {"_target_": "rib.render.trust.Trust", **TRUST.__dict__}},
}  # fmt: skip


def a_net(recipe: dict[str, Any], trained: bool = False) -> RendererBase:
    """A net; `trained` gives its last layer something to say."""
    torch.manual_seed(0)
    net = build(recipe)
    if trained:
        torch.nn.init.normal_(net.leave.weight, std=0.05)
        torch.nn.init.normal_(net.leave.bias, std=0.05)
    return net


def planes(num: int, height: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(num, NUM_PLANES, height, width, generator=torch.Generator().manual_seed(seed))


def gap(seed: int = 0, size: int = 40) -> Gap:
    """Two moments whose truth is the floor's picture, darker, which a net can learn."""
    x = planes(2, size, size, seed)
    drawn = Drawn.of(x)
    return Gap.of(drawn, 0.5 * drawn.colour, 1.0)


def same(one: Gap, other: Gap) -> bool:
    return bool(np.array_equal(one.planes, other.planes) and np.array_equal(one.truth, other.truth))
