"""Stages that find a painted person without a network, by colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rib.io.registry import register
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import BODY19
from rib.video import FrameSource

SKIN = (250, 10, 10)


@register("pose stage")
class RedPose:
    """All joints lie around the middle of what is red; nobody is there where nothing is."""

    def __call__(self, source: FrameSource, cuts: Sequence[int] = ()) -> PoseSequence:
        places, there = [], []
        for frame in source:
            y, x = np.nonzero((frame[..., 0] > 180) & (frame[..., 1] < 90))
            there.append(len(x) > 0)
            middle = np.array([x.mean(), y.mean()]) + 0.5 if len(x) else np.zeros(2)
            low = np.array([x.min(), y.min()]) if len(x) else np.zeros(2)
            places.append([low, *[middle] * (len(BODY19) - 2), 2 * middle - low])
        confidence = np.repeat(np.array(there, float)[:, None], len(BODY19), axis=1)
        return PoseSequence(np.array(places), confidence, source.times_s, "body19", source.size_px)


@register("mask stage")
class RedMask:
    """What is red."""

    def __call__(self, source: FrameSource, poses: PoseSequence) -> Iterator[np.ndarray]:
        for frame in source:
            yield ((frame[..., 0] > 180) & (frame[..., 1] < 90)).astype(np.float32)
