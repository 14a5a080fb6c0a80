"""The refiner's input for windows of clips: every frame rendered from the one before and the one after.

Letters: B clips, T frames of a window, H and W the picture's height and width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from rib.io.recipe import build_recipe
from rib.render.clip_batch import RendererClipBatch
from rib.render.refine.refiner_input import RefinerInput, build_refiner_input
from rib.render.skinning.layered_skinning import LayeredSkinning
from rib.render.trust import TrustBaseline, TrustMap
from rib.structures.box import Box
from rib.structures.interval import Background, Interval, Keyframe
from rib.structures.keypoints import PoseSequence
from rib.structures.person import PersonView
from rib.structures.person_interval import PersonInterval

PERSON = 0.25
"""Matte above which a pixel is the person when the scene behind is put together."""


class ClipRefinerInput:
    """Renders frames of a `RendererClipBatch`, which knows no flow and no neighbours, as `render=warp` would.

    What the interpolator makes of the person is guessed as a cross-fade of the two mattes, and the scene
    behind comes from the two frames, or from the interpolated one where both show the person.

    Args:
        skinning: Recipe of `rib.render.skinning.layered_skinning.LayeredSkinning`.
        trust: Recipe of `rib.render.trust.TrustMap`.
    """

    def __init__(self, skinning: Mapping[str, Any], trust: Mapping[str, Any]) -> None:
        self.skinning: LayeredSkinning = build_recipe(skinning)
        self.trust: TrustMap = build_recipe(trust)

    @torch.no_grad()
    def __call__(self, batch: RendererClipBatch, clip: int, frame: int) -> tuple[Box, RefinerInput] | None:
        """The person of one frame (1 .. T - 2) of one clip; None where no bone is seen."""
        a, b = (_keyframe(batch, clip, at) for at in (frame - 1, frame + 1))
        times_s = batch["times_s"][clip, frame : frame + 1].cpu().numpy()
        interval = Interval(a, b, times_s)
        person = PersonInterval.of(interval, _pose(batch, clip, frame))
        assert person is not None
        cut = self.skinning.cut(person)
        skinned = None if cut is None else self.skinning.draw(cut, slice(None), per_keyframe=True)
        if skinned is None:
            return None
        masks = [batch["masks"][clip, at] for at in (frame - 1, frame + 1)]
        background = _background(batch, interval, masks, clip, frame)
        mattes = skinned.box.of(torch.lerp(masks[0], masks[1], interval.fractions))[None]
        views = [torch.cat([key.picture, mask]) for key, mask in zip((a, b), masks, strict=True)]
        baseline = TrustBaseline(mattes, torch.zeros_like(mattes), skinned.box.of(torch.cat(views))[None])
        trust = self.trust.where(skinned, baseline)
        evidence = self.trust.evidence(skinned, baseline)
        return skinned.box, build_refiner_input(person, background, skinned, baseline, evidence, trust)


def _keyframe(batch: RendererClipBatch, clip: int, frame: int) -> Keyframe:
    time_s = float(batch["times_s"][clip, frame])
    picture, mask = batch["frames"][clip, frame], batch["masks"][clip, frame]
    return Keyframe(frame, time_s, picture, (PersonView.of(_pose(batch, clip, frame), mask),))


def _pose(batch: RendererClipBatch, clip: int, frame: int) -> PoseSequence:
    pose = batch["poses"][clip, frame].detach().cpu().numpy().astype(np.float64)[None]
    height, width = batch["frames"].shape[-2:]
    times_s = batch["times_s"][clip, frame : frame + 1].cpu().numpy()
    return PoseSequence(pose[..., :2], pose[..., 2], times_s, "body19", (width, height))


def _background(
    batch: RendererClipBatch, interval: Interval, masks: Sequence[torch.Tensor], clip: int, frame: int
) -> Background:
    """The interpolated frame, and the scene that the two frames show beside the person."""
    interpolated = batch["backgrounds"][clip, frame - 1 : frame]
    total, weight = torch.zeros_like(interpolated), torch.zeros_like(interpolated[:, :1])
    for keyframe, mask in zip((interval.a, interval.b), masks, strict=True):
        free = (mask[None] <= PERSON).float()
        total, weight = total + free * keyframe.picture, weight + free
    return Background(interpolated, torch.where(weight > 0, total / weight.clamp_min(1), interpolated))
