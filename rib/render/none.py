"""`render=none`: no person is drawn; the background interpolator's frames are the output."""

from __future__ import annotations

import torch

from rib.structures.interval import Background, Interval, Rendered


class NoRenderer:
    """Trust 0 everywhere."""

    needs: frozenset[str] = frozenset()

    def __call__(self, interval: Interval, background: Background) -> Rendered:
        """Nothing in front: foreground is the floor itself, alpha and trust are 0."""
        zero = torch.zeros_like(background.interpolated[:, :1])
        return Rendered(foreground=background.interpolated, alpha=zero, trust=zero)
