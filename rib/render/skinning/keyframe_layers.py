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
from rib.structures.interval import Keyframe
from rib.structures.keypoints import LAYERS

ALPHA, KNOWN = 3, 4
"""The channels of a layer's alpha, and of whether it is known."""


@dataclass(frozen=True)
class LayerAlpha:
    """A layer's share of the person's pixels.

    Attributes:
        box: The part of the keyframe's place that holds all of it, measured from its corner.
        alpha: (h, w) in 0..1, the layer's part of the matte.
    """

    box: Box
    alpha: torch.Tensor

    @classmethod
    def of(cls, alpha: torch.Tensor) -> LayerAlpha:
        """From alpha (H, W) of the whole place; on a CPU it is cut down to where it is not 0."""
        whole = Box(0, 0, *alpha.shape)
        box = Box.of_mask(alpha[None]) if alpha.is_cpu else whole  # another device would be waited for
        return cls(box, box.of(alpha).clone())


@dataclass(frozen=True)
class KeyframeLayers:
    """A keyframe's layers where its matte is not empty; colours stay in the keyframe until they are wanted.

    Attributes:
        keyframe: The picture.
        place: The part of it that the matte covers.
        matte: (1, h, w) of that part.
        alphas: Of the L layers, as `layer_alphas` gives them.
        furthest: (L,) distance of each layer's furthest pixel from its bones, in radii; 0 without one.
    """

    keyframe: Keyframe
    place: Box
    matte: torch.Tensor
    alphas: tuple[LayerAlpha, ...]
    furthest: torch.Tensor

    def inside(self, box: Box, layer: int) -> torch.Tensor:
        """(5, H, W), a layer in a box of the picture: colour times alpha, alpha, known.

        What lies behind another layer is unknown, not empty; where the matte is empty nothing is, surely.
        """
        whole = self.matte.new_zeros(KNOWN + 1, box.height, box.width)
        whole[KNOWN] = 1
        both = self.place.common(box)
        if both is None:
            return whole
        known = both.within(box).of(whole[KNOWN])
        known -= both.within(self.place).of(self.matte[0])
        own = self.alphas[layer]
        seen = own.box.moved(self.place.top, self.place.left)
        both = seen.common(box)
        if both is not None:
            alpha, shown = both.within(seen).of(own.alpha), both.within(box).of(whole)
            matte = both.within(self.place).of(self.matte[0])
            torch.mul(self.keyframe.part(both.slices), alpha, out=shown[:ALPHA])
            shown[ALPHA] = alpha
            shown[KNOWN] = 1 - (matte - alpha)
        return whole


def furthest_layer_distances(alphas_L: torch.Tensor, distance_L: torch.Tensor) -> torch.Tensor:
    """(L,) the distance (L, H, W) at each layer's furthest pixel, 0 where a layer has none."""
    return (
        (distance_L * (alphas_L > 0.5)).flatten(1).amax(1)
        if alphas_L.numel()
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


def layer_alphas(
    mask: torch.Tensor,
    distance_L: torch.Tensor,
    depth: Sequence[float],
    core: float,
    overlap: float,
    softness: float,
) -> torch.Tensor:
    """Share the person's pixels among the layers.

    A pixel goes to the nearest layer, and within the core of a layer to the one in front.

    Args:
        mask: (1, H, W), the person's matte.
        distance_L: (L, H, W) distance to each layer's bones, in radii.
        depth: Of L layers, smaller is nearer to the camera.
        core: Within so many radii a layer wins over those behind it.
        overlap: How far a layer goes on behind the border with another, in radii, so that no seam opens.
        softness: Width of the ramp at its end, in radii.

    Returns:
        (L, H, W) in 0..1.
    """
    alphas = torch.empty_like(distance_L)
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
        torch.mul(mask[0], share, out=alphas[layer])
    return alphas
