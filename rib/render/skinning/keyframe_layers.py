"""A keyframe cut into layers: which pixels of the person belong to the torso and to each limb, softly.

Letters: L layers, B bones, H and W the size of the person's box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from rib.render.skinning.blend import bone_distance_maps
from rib.render.skinning.bones import LAYER_OF_BONE, BoneSegments
from rib.structures.box import Box
from rib.structures.keypoints import LAYERS

ALPHA, KNOWN = 3, 4
"""The channels of a layer's alpha, and of whether it is known."""


@dataclass(frozen=True)
class KeyframeLayers:
    """A keyframe's layers where its matte is not empty.

    Attributes:
        place: That part of the picture.
        layers: (L, 5, h, w) as `cut_body_layers` gives them.
        furthest: (L,) distance of each layer's furthest pixel from its bones, in radii; 0 without one.
    """

    place: Box
    layers: torch.Tensor
    furthest: torch.Tensor

    def inside(self, box: Box, layer: int) -> torch.Tensor:
        """(5, H, W), a layer in a box of the picture; where the matte is empty nothing is, surely."""
        whole = self.layers.new_zeros(self.layers.shape[1], box.height, box.width)
        whole[KNOWN] = 1
        both = self.place.common(box)
        if both is not None:
            both.within(box).of(whole).copy_(both.within(self.place).of(self.layers[layer]))
        return whole


def furthest_layer_distances(layers: torch.Tensor, distance_L: torch.Tensor) -> torch.Tensor:
    """(L,) the distance (L, H, W) at each layer's furthest pixel, 0 where a layer has none."""
    return (
        (distance_L * (layers[:, ALPHA] > 0.5)).flatten(1).amax(1)
        if layers.numel()
        else distance_L.new_zeros(len(LAYERS))
    )


def layer_distances(bones: BoneSegments, radius_px: torch.Tensor, xy: torch.Tensor) -> torch.Tensor:
    """Measure the distance (N, L, H, W) to the nearest bone of each layer, as `bone_distance_maps` does.

    Args:
        bones: All B bones in N poses.
        radius_px: (B,).
        xy: (2, H, W) pixel centres.
    """
    nearest = []
    for layer in range(len(LAYERS)):  # one at a time: there are as many maps as bones
        index = [i for i, of in enumerate(LAYER_OF_BONE) if of == layer]
        own = bones.only(index)
        nearest.append(bone_distance_maps(own.ends_px, radius_px[index], own.valid, xy).amin(1))
    return torch.stack(nearest, 1)


def cut_body_layers(
    picture: torch.Tensor,
    mask: torch.Tensor,
    distance_L: torch.Tensor,
    depth: Sequence[float],
    core: float,
    overlap: float,
    softness: float,
) -> torch.Tensor:
    """Share the person's pixels among the layers.

    A pixel goes to the nearest layer, and within the core of a layer to the one in front. What lies behind
    another layer is unknown, not empty.

    Args:
        picture: (3, H, W).
        mask: (1, H, W), the person's matte.
        distance_L: (L, H, W) distance to each layer's bones, in radii.
        depth: Of L layers, smaller is nearer to the camera.
        core: Within so many radii a layer wins over those behind it.
        overlap: How far a layer goes on behind the border with another, in radii, so that no seam opens.
        softness: Width of the ramp at its end, in radii.

    Returns:
        (L, 5, H, W): colour times alpha, alpha, known.
    """
    layers = picture.new_empty(len(LAYERS), 5, *picture.shape[1:])
    for layer in range(len(LAYERS)):
        share = torch.ones_like(mask[0])
        for other in range(len(LAYERS)):
            if other == layer:
                continue
            near, far = distance_L[layer], distance_L[other]
            if depth[layer] <= depth[other]:
                ahead = far.clamp_min(core) - near + overlap
            else:
                ahead = far - near.clamp_min(core)
            share = torch.minimum(share, (ahead / softness + 0.5).clamp(0, 1))
        alpha = mask * share
        layers[layer, :ALPHA], layers[layer, ALPHA:KNOWN] = picture * alpha, alpha
        layers[layer, KNOWN:] = 1 - (mask - alpha)
    return layers
