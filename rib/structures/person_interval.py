"""One person between two keyframes, and what keyframes hidden on purpose told about drawing them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from rib.structures.interval import Interval
from rib.structures.keypoints import PoseSequence
from rib.structures.person import PersonView


@dataclass(frozen=True)
class Refinement:
    """Change of scores by a renderer's net over the person of held-out keyframes.

    Attributes:
        lpips: Mean change of LPIPS-AlexNet on the person's box; below 0 is better.
        psnr_db: Mean change of PSNR; above 0 is better.
        lpips_vgg16: Mean change of LPIPS-VGG16 on the person's box at half its size; below 0 is better.
        lpips_error: Standard error of the sum of both, from one keyframe to the next.
    """

    lpips: float
    psnr_db: float
    lpips_vgg16: float
    lpips_error: float


@dataclass(frozen=True)
class HoldoutEvidence:
    """Results of hold-out validation that bear on one interval.

    Attributes:
        gain_db: By how much the drawing beat the interpolator on held-out keyframes near by (PSNR over the
            person), or None where none could be held out.
        refinement: What the renderer's net changed on those of the shot, or None where too few tell.
    """

    gain_db: float | None = None
    refinement: Refinement | None = None


AskHoldouts = Callable[[], HoldoutEvidence]
"""Tells what hold-outs say of a person in an interval; they are made when it is called."""


@dataclass(frozen=True)
class PersonInterval:
    """One person between two keyframes.

    Attributes:
        interval: The keyframes and the N wanted times.
        a: The person in the earlier keyframe.
        b: The person in the later keyframe.
        poses: N moments, the person at the wanted times.
        ask_holdouts: Asks what hold-out validation tells about drawing this person here, which takes a
            few drawings: ask where it can change something. None where nobody can tell.
        depth: (N,) float64, smaller is nearer the camera, or None where nothing tells it.
        likeness: How alike the two views look, 0..1, or None where nothing tells it.
        overlap: The greater share (0..1) of either view's matte that somebody else's matte has too.
        shared_box: The greater share (0..1) of their box in either keyframe where somebody else's box lies,
            drawn or not; 0 where nothing tells it.
    """

    interval: Interval
    a: PersonView
    b: PersonView
    poses: PoseSequence
    ask_holdouts: AskHoldouts | None = None
    depth: np.ndarray | None = None
    likeness: float | None = None
    overlap: float = 0.0
    shared_box: float = 0.0

    @classmethod
    def of(
        cls,
        interval: Interval,
        poses: PoseSequence,
        ask_holdouts: AskHoldouts | None = None,
        depth: np.ndarray | None = None,
    ) -> PersonInterval | None:
        """The person whose `poses` these are; None where a keyframe does not show them."""
        a, b = interval.a.person(poses.track_id), interval.b.person(poses.track_id)
        return None if a is None or b is None else cls(interval, a, b, poses, ask_holdouts, depth)

    def at(self, moments: slice) -> PersonInterval:
        """The same person at some of the wanted times."""
        depth = None if self.depth is None else self.depth[moments]
        return replace(self, interval=self.interval.at(moments), poses=self.poses[moments], depth=depth)

    def resized(self, size_px: tuple[int, int]) -> PersonInterval:
        """The same person, alone in both keyframes, where the pictures have another width and height."""
        given = (self.interval.a, self.a), (self.interval.b, self.b)
        a, b = (replace(keyframe, people=(view,)).resized(size_px) for keyframe, view in given)
        interval = replace(self.interval, a=a, b=b, neighbours=())
        return replace(
            self, interval=interval, a=a.people[0], b=b.people[0], poses=self.poses.resized(size_px)
        )

    @property
    def track_id(self) -> int:
        """The person's number in the clip."""
        return self.a.track_id

    def depth_at(self, moments: slice) -> torch.Tensor:
        """(n,) depth at some of the wanted times, on the pictures' device; 0 where nothing tells it."""
        depth = np.zeros(len(self.interval)) if self.depth is None else self.depth
        return torch.as_tensor(depth[moments], device=self.interval.a.device)
