"""Cross-fading: the simplest interpolator and the lowest floor."""

from __future__ import annotations

import torch

from rib.background.interpolator import FrameInterpolator
from rib.structures.interval import Background, Interval


class BlendInterpolator(FrameInterpolator):
    """Mixes the two keyframes in proportion to time; whatever moves is seen twice."""

    def __call__(self, interval: Interval) -> Background:
        """The keyframes' mix at every time; `flow` and `weight_a` are None."""
        pictures = interval.a.picture[None], interval.b.picture[None]
        return Background(cross_fade(*pictures, interval.fractions))


def cross_fade(a: torch.Tensor, b: torch.Tensor, fractions: torch.Tensor) -> torch.Tensor:
    """Mix (1 or N, C, H, W) pictures at (N,) fractions, 0 giving a and 1 giving b."""
    return torch.lerp(a, b, fractions.to(a)[:, None, None, None]).clamp(0, 1)
