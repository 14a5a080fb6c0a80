"""`render=reference`: a net that walks on from frame to frame on its own output, as the published one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from rib.render.clip_batch import ClipBatch, Generated
from rib.render.nets.checkpoint import load_net
from rib.structures.interval import Background, Interval, Rendered
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import convert


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
    sequential = True
    """The batches of an interval have to come in order."""

    def __init__(self, net: Mapping[str, Any], ckpt: str) -> None:
        self.net: nn.Module = load_net(ckpt, net["_target_"])
        self._last: tuple[tuple[int, int], float, torch.Tensor] | None = None

    def __call__(self, interval: Interval, background: Background) -> Rendered:
        """The frames at the wanted times; `state` is the last of them, (1, 3, H, W)."""
        self.net.to(interval.a.picture.device)
        made: Generated = self.net(self._window(interval, background))
        picture = made["picture"][0]
        self._last = (interval.a.index, interval.b.index), float(interval.times_s[-1]), picture[-1:]
        mask = made["alpha"][0]
        return Rendered(made["foreground"][0], torch.ones_like(mask), mask, state=picture[-1:])

    def _before(self, interval: Interval) -> torch.Tensor:
        """(3, H, W), what was made last in this interval, or its keyframe a."""
        gap = interval.a.index, interval.b.index
        if self._last and self._last[0] == gap and self._last[1] < interval.times_s[0]:
            return self._last[2][0]
        return interval.a.picture

    def _window(self, interval: Interval, background: Background) -> ClipBatch:
        """The interval as one window; what is not known of a frame is 0."""
        assert interval.poses is not None
        a, b, floor = interval.a, interval.b, background.interpolated
        unseen = torch.zeros_like(floor)
        frames = torch.cat([self._before(interval)[None], unseen, b.picture[None]])
        poses = torch.cat([_joints(pose, floor) for pose in (a.pose, interval.poses, b.pose) if pose])
        times_s = np.concatenate([[a.time_s], interval.times_s, [b.time_s]])
        return ClipBatch(
            frames=frames[None],
            poses=poses[None],
            masks=torch.zeros_like(frames[None, :, :1]),
            backgrounds=floor[None],
            times_s=torch.from_numpy(times_s)[None],
            names=[""],
        )


def _joints(poses: PoseSequence, like: torch.Tensor) -> torch.Tensor:
    """(T, 19, 3) x, y in px and confidence."""
    body = convert(poses, "body19")
    return torch.from_numpy(np.dstack([body.keypoints_px, body.confidence])).to(like)
