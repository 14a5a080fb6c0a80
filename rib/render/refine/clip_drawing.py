"""A window of a clip drawn as `render=warp` would draw it: every frame from the one before and the one after.

Letters: B clips, T frames of a window, H and W the picture's height and width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from rib.io.recipe import build
from rib.render.clip_batch import ClipBatch
from rib.render.refine.drawn import Drawn, surround
from rib.render.skinning.puppet import Puppet
from rib.render.trust import Floor, Trust
from rib.structures.box import Box
from rib.structures.interval import Background, Interval, Keyframe
from rib.structures.keypoints import PoseSequence
from rib.structures.person import PersonView
from rib.structures.person_interval import PersonInterval

PERSON = 0.25
"""Matte above which a pixel is the person when the scene behind is put together."""


class ClipDrawing:
    """Draws frames of a `ClipBatch`, which knows no flow and no neighbours.

    What the interpolator makes of the person is guessed as a cross-fade of the two mattes, and the scene
    behind comes from the two frames, or from the interpolated one where both show the person.

    Args:
        puppet: Recipe of `rib.render.skinning.puppet.Puppet`.
        trust: Recipe of `rib.render.trust.Trust`.
    """

    def __init__(self, puppet: Mapping[str, Any], trust: Mapping[str, Any]) -> None:
        self.puppet: Puppet = build(puppet)
        self.trust: Trust = build(trust)

    @torch.no_grad()
    def __call__(self, batch: ClipBatch, clip: int, frame: int) -> tuple[Box, Drawn] | None:
        """The person of one frame (1 .. T - 2) of one clip; None where no bone is seen."""
        a, b = (_keyframe(batch, clip, at) for at in (frame - 1, frame + 1))
        times_s = batch["times_s"][clip, frame : frame + 1].cpu().numpy()
        interval = Interval(a, b, times_s)
        person = PersonInterval.of(interval, _pose(batch, clip, frame))
        assert person is not None
        cut = self.puppet.cut(person)
        drawing = None if cut is None else self.puppet.draw(cut, slice(None), each=True)
        if drawing is None:
            return None
        masks = [batch["masks"][clip, at] for at in (frame - 1, frame + 1)]
        background = _background(batch, interval, masks, clip, frame)
        mattes = drawing.box.of(torch.lerp(masks[0], masks[1], interval.fractions))[None]
        trust = self.trust.where(drawing, Floor(mattes, torch.zeros_like(mattes)))
        return drawing.box, surround(person, background, drawing, trust)


def _keyframe(batch: ClipBatch, clip: int, frame: int) -> Keyframe:
    time_s = float(batch["times_s"][clip, frame])
    picture, mask = batch["frames"][clip, frame], batch["masks"][clip, frame]
    return Keyframe(frame, time_s, picture, (PersonView.of(_pose(batch, clip, frame), mask),))


def _pose(batch: ClipBatch, clip: int, frame: int) -> PoseSequence:
    pose = batch["poses"][clip, frame].detach().cpu().numpy().astype(np.float64)[None]
    height, width = batch["frames"].shape[-2:]
    times_s = batch["times_s"][clip, frame : frame + 1].cpu().numpy()
    return PoseSequence(pose[..., :2], pose[..., 2], times_s, "body19", (width, height))


def _background(
    batch: ClipBatch, interval: Interval, masks: Sequence[torch.Tensor], clip: int, frame: int
) -> Background:
    """The interpolated frame, and the scene that the two frames show beside the person."""
    floor = batch["backgrounds"][clip, frame - 1 : frame]
    total, weight = torch.zeros_like(floor), torch.zeros_like(floor[:, :1])
    for keyframe, mask in zip((interval.a, interval.b), masks, strict=True):
        free = (mask[None] <= PERSON).float()
        total, weight = total + free * keyframe.picture, weight + free
    return Background(floor, torch.where(weight > 0, total / weight.clamp_min(1), floor))
