"""Discriminators together with what they are shown: the whole picture, the person, faces, hands.

Letters: N frames, P parts of the body, C channels, H and W the picture's height and width, S a crop's side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rib.io.errors import RibError
from rib.io.recipe import build_recipe
from rib.io.settings.ranges import OneOf, Positive, Range
from rib.render.conditioning.limbs import NUM_CHANNELS
from rib.render.nets.discriminators import PatchOutput
from rib.structures.skeleton import BODY19

NECK, HIP = BODY19.index("neck"), BODY19.index("mid_hip")
SEES = ("picture", "person")


@dataclass(frozen=True)
class DiscriminatorScenes:
    """N frames with everything that a discriminator may see.

    Attributes:
        picture: (N, 3, H, W) in 0..1, the whole frame.
        person: (N, 3, H, W) in 0..1, the person before it is laid over anything.
        mask: (N, 1, H, W), the person's true matte.
        maps: (N, 22, H, W).
        poses: (N, 19, 3), px and confidence.
    """

    picture: Tensor
    person: Tensor
    mask: Tensor
    maps: Tensor
    poses: Tensor


class BodyPartCrops:
    """Square crops around parts of the body, all brought to one size; gradients reach the pictures.

    Args:
        joints: Names of the joints in the middle of the crops, in `BODY19`.
        side_torsos: A crop's side in lengths of the torso.
        size_px: Side of the crops given.
    """

    def __init__(
        self, joints: Sequence[str], side_torsos: Positive, size_px: Annotated[int, Range(8, 4096)]
    ) -> None:
        if unknown := [joint for joint in joints if joint not in BODY19]:
            raise RibError(f"there is no joint {unknown[0]!r}", f"choose among: {', '.join(BODY19)}")
        self.joints = [BODY19.index(joint) for joint in joints]
        self.side_torsos, self.size_px = side_torsos, size_px

    def __call__(self, pictures: Tensor, poses: Tensor) -> tuple[Tensor, Tensor]:
        """Cut.

        Args:
            pictures: (N, C, H, W).
            poses: (N, 19, 3), px and confidence.

        Returns:
            (N * P, C, S, S), and (N * P,), 1 where the part and the torso are known and 0 elsewhere.
        """
        (N, C, H, W), S, P = pictures.shape, self.size_px, len(self.joints)
        there = (poses[:, [*self.joints, NECK, HIP], 2] > 0).to(pictures.dtype)
        torso = (poses[:, NECK, :2] - poses[:, HIP, :2]).norm(dim=-1).clamp(min=1)
        size = pictures.new_tensor([W, H])
        middle = 2 * poses[:, self.joints, :2] / size - 1
        half = (self.side_torsos * torso)[:, None] / size
        steps = (torch.arange(S, device=pictures.device, dtype=pictures.dtype) + 0.5) * 2 / S - 1
        offsets = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1)
        grid = middle[:, :, None, None] + half[:, None, None, None] * offsets
        grid = grid.reshape(N, P * S, S, 2).to(pictures.dtype)
        cut = F.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=False)
        cut = cut.view(N, C, P, S, S).transpose(1, 2).flatten(0, 1)
        return cut, (there[:, :P] * there[:, P:].prod(1, keepdim=True)).flatten()


class Discriminator(nn.Module):
    """A discriminator and what it is shown.

    Args:
        net: Recipe of the discriminator, without `channels`.
        sees: "picture", the finished frame, or "person", the person within the true matte.
        conditional: Whether it sees the conditioning maps too.
        crops: Recipe of `BodyPartCrops`, or None where it sees the whole.

    Raises:
        RibError: There is no such thing to look at.
    """

    def __init__(
        self,
        net: Mapping[str, Any],
        sees: Annotated[str, OneOf(*SEES)],
        conditional: bool,
        crops: Mapping[str, Any] | None,
    ) -> None:
        super().__init__()
        if sees not in SEES:
            raise RibError(f"sees={sees}: there is no such thing", f"one of: {', '.join(SEES)}")
        self.sees, self.conditional = sees, conditional
        self.crops: BodyPartCrops | None = build_recipe(crops) if crops else None
        self.net: nn.Module = build_recipe(net, channels=3 + NUM_CHANNELS * conditional)

    def view(self, scenes: DiscriminatorScenes) -> tuple[Tensor, Tensor]:
        """Crop the input from scenes, (N or N * P, C, h, w), with the weight of each crop, (N or N * P,)."""
        seen = scenes.picture if self.sees == "picture" else scenes.person * scenes.mask
        seen = 2 * seen - 1
        if self.conditional:
            seen = torch.cat([scenes.maps, seen], 1)
        if self.crops is None:
            return seen, seen.new_ones(len(seen))
        return self.crops(seen, scenes.poses)

    def forward(self, seen: Tensor) -> list[PatchOutput]:
        """Judge what `view` gave, scale by scale."""
        return self.net(seen)
