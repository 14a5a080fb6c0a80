"""A motion net and a renderer of one's own, for rib."""

from dataclasses import replace

import torch
from torch import nn

from rib.io.registry import register
from rib.motion.nets.base import NUM_JOINTS, natural_spline_of_keyframes
from rib.motion.nets.keyframe_features import normalise_keyframes
from rib.render.none import NoRenderer
from rib.render.protocol import RenderPlan
from rib.structures.person import RenderedPerson


@register("motion net")
class DampedSpline(nn.Module):
    """The natural cubic spline with its tangents scaled by a number that each joint learns."""

    joint_set, fps = "body19", None

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((NUM_JOINTS, 1), scale))

    def forward(self, times_s, keypoints_px, confidence, present=None):
        """See `rib.motion.nets.base.MotionBase.forward`."""
        present = torch.ones_like(times_s, dtype=torch.bool) if present is None else present
        curve = natural_spline_of_keyframes(normalise_keyframes(times_s, keypoints_px, confidence, present))
        return replace(curve, tangent_px=curve.tangent_px * self.scale)


@register("render stage")
class Tint(NoRenderer):
    """Paints everybody in one colour: the later keyframe's matte, half transparent."""

    needs = frozenset({"masks"})

    def __init__(self, colour: list[float]) -> None:
        self.colour = torch.tensor(colour)[:, None, None]

    def plan(self, person, moments, background):
        """Everybody is drawn."""
        return RenderPlan(person, drawn=True)

    def render(self, plan, moments, background):
        """See `rib.render.protocol.Renderer`."""
        view, depth = plan.person.b, plan.person.depth_at(moments)
        alpha = view.matte.expand(len(depth), 1, -1, -1) / 2
        colour = self.colour.to(alpha).expand(len(depth), 3, *alpha.shape[2:])
        return RenderedPerson(view.track_id, view.box, colour, alpha, (alpha > 0).float(), depth)
