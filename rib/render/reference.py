"""`render=reference`: a net that walks on from frame to frame on its own output, as the published one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from torch import nn

from rib.io.settings.reads import TargetAlone
from rib.render.clip_batch import RendererClipBatch, RendererClipOutput
from rib.render.nets.checkpoint import load_renderer_net
from rib.render.protocol import RenderPlan
from rib.structures.box import Box
from rib.structures.interval import Background
from rib.structures.keypoints import PoseSequence
from rib.structures.person import RenderedPerson
from rib.structures.person_interval import PersonInterval
from rib.structures.skeleton import convert_pose


@dataclass
class ReferencePlan(RenderPlan):
    """See `RenderPlan`.

    Attributes:
        before: (3, H, W), the frame that the next one follows: keyframe a at first, then the last one made.
        next_moment: The moment that has to be asked for next.
    """

    before: torch.Tensor
    next_moment: int = 0


class ReferenceRenderer:
    """Makes each frame from its pose, the interpolated frame and the frame made before it.

    The first frame of an interval follows its keyframe a; keyframe b is never looked at. The net's mask is
    the trust, so that elsewhere the interpolated frame stays.

    Args:
        net: Recipe of the net.
        ckpt: Its weights, a .ckpt of `rib train experiment=renderer_reference`.

    Raises:
        RibError: The weights are absent or of another net.
    """

    needs: frozenset[str] = frozenset({"keyframe_poses", "poses"})

    def __init__(
        self, net: Annotated[Mapping[str, Any], TargetAlone("the net comes with ckpt=")], ckpt: str
    ) -> None:
        self.net: nn.Module = load_renderer_net(ckpt, net["_target_"])

    def plan(self, person: PersonInterval, moments: slice, background: Background) -> ReferencePlan:
        """Begin a walk at keyframe a; the person is always drawn. See `rib.render.protocol.Renderer`."""
        return ReferencePlan(person, True, person.interval.a.picture)

    def render(self, plan: ReferencePlan, moments: slice, background: Background) -> RenderedPerson:
        """The frames at the wanted times, over the whole picture. See `rib.render.protocol.Renderer`."""
        start, stop, _ = moments.indices(len(plan.person.interval))
        assert start == plan.next_moment, "frames of an interval follow one another"
        self.net.to(plan.before.device)
        made: RendererClipOutput = self.net(_window(plan, moments, background))
        plan.before, plan.next_moment = made["picture"][0, -1], stop
        mask, (width, height) = made["alpha"][0], plan.person.interval.a.size_px
        return RenderedPerson(
            plan.person.track_id,
            Box(0, 0, height, width),
            made["foreground"][0],
            torch.ones_like(mask),
            mask,
            plan.person.depth_at(moments),
        )

    def summary(self, notes: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """Nothing to tell."""
        return {}


def _window(plan: ReferencePlan, moments: slice, background: Background) -> RendererClipBatch:
    """The moments as one window; what is not known of a frame is 0."""
    person, interpolated = plan.person.at(moments), background.interpolated
    a, b = person.interval.a, person.interval.b
    frames = torch.cat([plan.before[None], torch.zeros_like(interpolated), b.picture[None]])
    views = (person.a.pose, person.poses, person.b.pose)
    times_s = np.concatenate([[a.time_s], person.interval.times_s, [b.time_s]])
    return RendererClipBatch(
        frames=frames[None],
        poses=torch.cat([_joints(pose, interpolated) for pose in views if pose is not None])[None],
        masks=torch.zeros_like(frames[None, :, :1]),
        backgrounds=interpolated[None],
        times_s=torch.from_numpy(times_s)[None],
        names=[""],
    )


def _joints(poses: PoseSequence, like: torch.Tensor) -> torch.Tensor:
    """(T, 19, 3) x, y in px and confidence."""
    body = convert_pose(poses, "body19")
    return torch.from_numpy(np.dstack([body.keypoints_px, body.confidence])).to(like)
