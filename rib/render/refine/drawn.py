"""What a net sees of a person that was drawn without it, and what it says about the drawing.

Letters: N moments, C planes, H and W the size of the person's box.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F

from rib.render.refine.registered import registered
from rib.render.skinning.blend import bone_distances
from rib.render.skinning.bones import BONES, segments
from rib.render.skinning.parts import layer_distances
from rib.render.skinning.puppet import Drawing
from rib.structures.box import Box
from rib.structures.interval import Background
from rib.structures.keypoints import LAYERS, PoseSequence
from rib.structures.person_interval import PersonInterval

LIMB_CELL_PX = 4
"""The maps of the limbs are computed for cells of this size and interpolated in between."""


@dataclass(frozen=True)
class Drawn:
    """A drawing with all that surrounds it, inside the person's box.

    Attributes:
        floor: (N, 3, H, W), the interpolated frame.
        plate: (N, 3, H, W), the scene without the person.
        colour: (N, 3, H, W), the person; the plate where nothing was drawn.
        alpha: (N, 1, H, W).
        trust: (N, 1, H, W), before the gap's gate.
        each: (N, 8, H, W), colour and alpha as keyframe a alone gives them, then as b does; the colours
            are brought to lie on one another (`rib.render.refine.registered`).
        differs: (N, 2, H, W), how far these differ in colour and in alpha.
        limbs: (N, L, H, W), nearness to the bones of each layer, 1 at the bone.
        fractions: (N, 1, H, W), time between the keyframes, 0 at a and 1 at b.
    """

    floor: torch.Tensor
    plate: torch.Tensor
    colour: torch.Tensor
    alpha: torch.Tensor
    trust: torch.Tensor
    each: torch.Tensor
    differs: torch.Tensor
    limbs: torch.Tensor
    fractions: torch.Tensor

    @property
    def planes(self) -> torch.Tensor:
        """(N, C, H, W), all of it in the order of the fields, each in 0..1."""
        return torch.cat([getattr(self, field.name) for field in fields(self)], 1)

    @classmethod
    def of(cls, planes: torch.Tensor) -> Drawn:
        """The record whose `planes` these are."""
        return cls(*planes.split(list(PLANES.values()), 1))


PLANES = {
    "floor": 3, "plate": 3, "colour": 3, "alpha": 1, "trust": 1, "each": 8, "differs": 2,
    "limbs": len(LAYERS), "fractions": 1,
}  # fmt: skip
"""How many planes each field of `Drawn` has."""
NUM_PLANES = sum(PLANES.values())


@dataclass(frozen=True)
class Refined:
    """The same person after a net looked at it; the three go into the compositing equation.

    Attributes:
        colour: (N, 3, H, W).
        alpha: (N, 1, H, W).
        trust: (N, 1, H, W), before the gap's gate.
    """

    colour: torch.Tensor
    alpha: torch.Tensor
    trust: torch.Tensor

    def over(self, drawn: Drawn) -> torch.Tensor:
        """(N, 3, H, W), the finished picture as `rib.pipeline.compose` makes it where the gate is open."""
        person = self.alpha * self.colour + (1 - self.alpha) * drawn.plate
        return torch.lerp(drawn.floor, person, self.trust).clamp(0, 1)


def surround(person: PersonInterval, background: Background, drawing: Drawing, trust: torch.Tensor) -> Drawn:
    """A drawing with what lies around it.

    Args:
        person: Who was drawn, at the drawing's moments.
        background: Its plate may be None: the interpolated frame then stands in.
        drawing: With `each`.
        trust: (N, 1, H, W), before the interval's gate.
    """
    assert drawing.each is not None
    floor = drawing.box.of(background.interpolated)
    plate = floor if background.plate is None else drawing.box.of(background.plate)
    each = torch.where(drawing.alpha > 0, drawing.each.flatten(1, 2), _behind(plate))
    each = registered(each.unflatten(1, (2, 4)), plate, person.interval.fractions).flatten(1, 2)
    return Drawn(
        floor,
        plate,
        torch.where(drawing.alpha > 0, drawing.colour, plate),
        drawing.alpha,
        trust,
        each,
        torch.cat([drawing.colour_differs, drawing.alpha_differs], 1),
        limb_maps(person.poses, drawing),
        person.interval.fractions.view(-1, 1, 1, 1).expand_as(drawing.alpha),
    )


def _behind(plate: torch.Tensor) -> torch.Tensor:
    """(N, 8, H, W), what `Drawn.each` is where nothing was drawn."""
    one = torch.cat([plate, torch.zeros_like(plate[:, :1])], 1)
    return torch.cat([one, one], 1)


def limb_maps(poses: PoseSequence, drawing: Drawing) -> torch.Tensor:
    """(N, L, H, W) in 0..1, exp(-d^2 / 2) of the distance d to a layer's nearest bone, in its radii."""
    box, device = drawing.box, drawing.colour.device
    bones = segments(poses, device).moved(box)
    radius_px = drawing.torso_px * torch.tensor([bone.radius for bone in BONES], device=device)
    xy = Box(0, 0, box.height, box.width).centres(LIMB_CELL_PX, device)
    distance = layer_distances(bone_distances(bones.ends_px, radius_px, bones.valid, xy))
    near = torch.exp(-distance.square() / 2)
    fine = F.interpolate(near, scale_factor=LIMB_CELL_PX, mode="bilinear", align_corners=False)
    return fine[..., : box.height, : box.width]
