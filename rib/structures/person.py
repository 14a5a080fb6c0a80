"""One person in a picture: as a keyframe shows them, and as a renderer draws them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from rib.io.images import resized, to_float
from rib.structures.box import Box
from rib.structures.keypoints import PoseSequence


@dataclass(frozen=True)
class PersonView:
    """One person in one keyframe.

    Attributes:
        track_id: The person's number in the clip.
        pose: One moment, or None where only the matte is known.
        box: The part of the picture that the matte covers; without pixels where the matte is empty or None.
        matte: (1, h, w) float32 in 0..1 inside the box, or None where no stage asked for it.
        appearance: (5, B) what the person looks like (`rib.pose.detectors.appearance`), or None.
    """

    track_id: int
    pose: PoseSequence | None
    box: Box = field(default_factory=Box.empty)
    matte: torch.Tensor | None = None
    appearance: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        pose: PoseSequence | None,
        mask: torch.Tensor | None,
        track_id: int = 0,
        appearance: np.ndarray | None = None,
    ) -> PersonView:
        """From a matte of the whole picture (1, H, W) in 0..1, or uint8 as it is stored, or None."""
        if mask is None:
            return cls(track_id, pose, appearance=appearance)
        box = Box.of_mask(mask)
        inside = box.of(mask)
        matte = to_float(inside) if mask.dtype == torch.uint8 else inside.clone()
        return cls(track_id, pose, box, matte, appearance)

    def resized(self, old_px: tuple[int, int], size_px: tuple[int, int]) -> PersonView:
        """The same person where the picture has another width and height."""
        pose = None if self.pose is None else self.pose.resized(size_px)
        if self.matte is None:
            return PersonView(self.track_id, pose, appearance=self.appearance)
        box = self.box.resized(old_px, size_px)
        matte = box.of(resized(self.mask(old_px)[None], size_px)[0]).clone()
        return PersonView(self.track_id, pose, box, matte, self.appearance)

    def mask(self, size_px: tuple[int, int]) -> torch.Tensor:
        """The matte in a picture of this width and height, (1, H, W)."""
        assert self.matte is not None, "no stage asked for mattes"
        whole = self.matte.new_zeros(1, size_px[1], size_px[0])
        self.box.of(whole).copy_(self.matte)
        return whole


@dataclass(frozen=True)
class RenderedPerson:
    """One person in N wanted poses, inside a box of the picture.

    Attributes:
        track_id: The person's number in the clip.
        box: Where; h and w below are its height and width.
        colour: (N, 3, h, w) float32 RGB in 0..1.
        alpha: (N, 1, h, w), coverage by the person.
        trust: (N, 1, h, w), 0 keeps the interpolated frame and 1 takes the rendered one.
        depth: (N,), smaller is nearer the camera.
    """

    track_id: int
    box: Box
    colour: torch.Tensor
    alpha: torch.Tensor
    trust: torch.Tensor
    depth: torch.Tensor
