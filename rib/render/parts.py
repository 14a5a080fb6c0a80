"""A keyframe cut into layers: which pixels of the person belong to the torso and to each limb, softly.

Letters: L layers, B bones, H and W the size of the person's box.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from rib.keypoints import LAYERS
from rib.render.bones import LAYER_OF_BONE

TORSO = LAYERS.index("torso")


def layer_distances(distance: torch.Tensor) -> torch.Tensor:
    """(N, B, H, W) distances to bones -> (N, L, H, W), the nearest bone of each layer."""
    index = torch.tensor(LAYER_OF_BONE, device=distance.device)
    return torch.stack([distance[:, index == layer].amin(1) for layer in range(len(LAYERS))], 1)


def cut_layers(
    picture: torch.Tensor,
    mask: torch.Tensor,
    distance_L: torch.Tensor,
    in_front: Sequence[bool],
    overlap: float,
    softness: float,
) -> torch.Tensor:
    """Share the person's pixels among the layers.

    A pixel goes to the nearest layer; near the border between two both have it, so that no seam opens when
    they part. A limb in front of the torso wins over it. What lies behind another layer is unknown, not
    empty.

    Args:
        picture: (3, H, W).
        mask: (1, H, W), the person's matte.
        distance_L: (L, H, W) distance to each layer's bones, in radii.
        in_front: Of L layers, those nearer to the camera than the torso.
        overlap: How far two layers share their border, in radii.
        softness: Width of the ramp at its end, in radii.

    Returns:
        (L, 5, H, W): colour times alpha, alpha, known.
    """
    parts = []
    for layer in range(len(LAYERS)):
        handicap = torch.zeros(len(LAYERS), device=mask.device)
        if layer != TORSO and in_front[layer]:
            handicap[TORSO] = overlap
        others = (distance_L + handicap[:, None, None])[
            torch.arange(len(LAYERS), device=mask.device) != layer
        ].amin(0)
        share = ((others - distance_L[layer] + overlap) / softness + 0.5).clamp(0, 1)
        alpha = mask * share
        parts.append(torch.cat([picture * alpha, alpha, 1 - (mask - alpha)]))
    return torch.stack(parts)
