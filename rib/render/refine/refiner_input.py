"""Input and output of the refiner: a rendered person with what surrounds them, and the person refined.

Letters: N moments, C channels, H and W the size of the person's box.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
import torch.nn.functional as F

from rib.render.refine.alignment import align_keyframe_views
from rib.render.skinning.bones import BONES, bone_segments
from rib.render.skinning.keyframe_layers import layer_distances
from rib.render.skinning.layered_skinning import SkinnedPerson
from rib.render.trust import TrustBaseline, TrustEvidence
from rib.structures.box import Box
from rib.structures.interval import Background
from rib.structures.keypoints import LAYERS, PoseSequence
from rib.structures.person_interval import PersonInterval

LIMB_CELL_PX = 4
"""The maps of the limbs are computed for cells of this size and interpolated in between."""


@dataclass(frozen=True)
class RefinerInput:
    """A rendered person with all that surrounds them, inside the person's box.

    Attributes:
        interpolated: (N, 3, H, W), the interpolated frame.
        plate: (N, 3, H, W), the scene without the person.
        colour: (N, 3, H, W), the person; the plate where nothing was rendered.
        alpha: (N, 1, H, W).
        trust: (N, 1, H, W), before the interval's gate unless it is `gated`.
        per_keyframe: (N, 8, H, W), colour and alpha as keyframe a alone gives them, then as b does; the
            colours are brought to lie on one another (`rib.render.refine.alignment`).
        differs: (N, 2, H, W), how far these differ in colour and in alpha.
        limbs: (N, L, H, W), nearness to the bones of each layer, 1 at the bone.
        fractions: (N, 1, H, W), time between the keyframes, 0 at a and 1 at b.
        carried: (N, 8, H, W), colour and matte as the interpolator's flow carries keyframe a alone, then b.
        evidence: (N, 3, H, W), what the interval's own evidence says of it as a whole
            (`rib.render.trust.TrustEvidence.shares`), the same in every pixel.
    """

    interpolated: torch.Tensor
    plate: torch.Tensor
    colour: torch.Tensor
    alpha: torch.Tensor
    trust: torch.Tensor
    per_keyframe: torch.Tensor
    differs: torch.Tensor
    limbs: torch.Tensor
    fractions: torch.Tensor
    carried: torch.Tensor
    evidence: torch.Tensor

    @property
    def channels(self) -> torch.Tensor:
        """(N, C, H, W), all of it in the order of the fields, each in 0..1."""
        return torch.cat([getattr(self, field.name) for field in fields(self)], 1)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the person's box."""
        height, width = self.trust.shape[2:]
        return height, width

    def rows(self, rows: slice) -> RefinerInput:
        """The same of some rows of the box; nothing is copied."""
        return RefinerInput(*(getattr(self, field.name)[:, :, rows] for field in fields(self)))

    def gated(self, gate: float) -> RefinerInput:
        """The same, trusted as far as the interval's gate (0..1) says."""
        return self if gate == 1 else replace(self, trust=gate * self.trust)

    @classmethod
    def of(cls, channels: torch.Tensor) -> RefinerInput:
        """The record whose `channels` these are."""
        return cls(*channels.split(list(CHANNELS.values()), 1))


CHANNELS = {
    "interpolated": 3, "plate": 3, "colour": 3, "alpha": 1, "trust": 1, "per_keyframe": 8, "differs": 2,
    "limbs": len(LAYERS), "fractions": 1, "carried": 8, "evidence": 3,
}  # fmt: skip
"""How many channels each field of `RefinerInput` has."""
NUM_CHANNELS = sum(CHANNELS.values())


@dataclass(frozen=True)
class RefinerOutput:
    """The person after the refiner; the three go into the compositing equation.

    Attributes:
        colour: (N, 3, H, W).
        alpha: (N, 1, H, W).
        trust: (N, 1, H, W), before the interval's gate.
    """

    colour: torch.Tensor
    alpha: torch.Tensor
    trust: torch.Tensor

    def over(self, inputs: RefinerInput) -> torch.Tensor:
        """(N, 3, H, W), as `rib.pipeline.synthesis.compositor` composites it where the gate is open."""
        person = self.alpha * self.colour + (1 - self.alpha) * inputs.plate
        return torch.lerp(inputs.interpolated, person, self.trust).clamp(0, 1)


def build_refiner_input(
    person: PersonInterval,
    background: Background,
    skinned: SkinnedPerson,
    baseline: TrustBaseline,
    evidence: TrustEvidence,
    trust: torch.Tensor,
) -> RefinerInput:
    """Put together the refiner's input from a skinned person and what lies around.

    Args:
        person: Who was rendered, at the same moments.
        background: Its plate may be None: the interpolated frame then stands in.
        skinned: With `per_keyframe`.
        baseline: The interpolator's version of the person.
        evidence: Of the interval as a whole.
        trust: (N, 1, H, W), before the interval's gate.
    """
    assert skinned.per_keyframe is not None
    assert baseline.carried is not None
    interpolated = skinned.box.of(background.interpolated)
    plate = interpolated if background.plate is None else skinned.box.of(background.plate)
    per_keyframe = torch.empty_like(skinned.per_keyframe)
    rendered = skinned.alpha > 0
    for view in (0, 1):
        colour, alpha = skinned.per_keyframe[:, view].split([3, 1], 1)
        per_keyframe[:, view, :3] = torch.where(rendered, colour, plate)
        per_keyframe[:, view, 3:] = rendered * alpha
    per_keyframe = align_keyframe_views(per_keyframe, plate, person.interval.fractions).flatten(1, 2)
    return RefinerInput(
        interpolated,
        plate,
        torch.where(skinned.alpha > 0, skinned.colour, plate),
        skinned.alpha,
        trust,
        per_keyframe,
        torch.cat([skinned.colour_differs, skinned.alpha_differs], 1),
        refiner_limb_maps(person.poses, skinned),
        person.interval.fractions.view(-1, 1, 1, 1).expand_as(skinned.alpha),
        baseline.carried,
        skinned.alpha.new_tensor(evidence.shares).view(1, -1, 1, 1).expand(len(trust), -1, *trust.shape[2:]),
    )


def refiner_limb_maps(poses: PoseSequence, skinned: SkinnedPerson) -> torch.Tensor:
    """(N, L, H, W) in 0..1, exp(-d^2 / 2) of the distance d to a layer's nearest bone, in its radii."""
    box, device = skinned.box, skinned.colour.device
    bones = bone_segments(poses, device).moved(box)
    radius_px = skinned.torso_px * torch.tensor([bone.radius for bone in BONES], device=device)
    xy = Box(0, 0, box.height, box.width).centres(LIMB_CELL_PX, device)
    near = torch.exp(-layer_distances(bones, radius_px, xy).square() / 2)
    fine = F.interpolate(near, scale_factor=LIMB_CELL_PX, mode="bilinear", align_corners=False)
    return fine[..., : box.height, : box.width]
