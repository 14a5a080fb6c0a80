"""Interpolation by classical optical flow, aware of what only one keyframe shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from rib.background.interpolator import FrameInterpolator
from rib.background.warp import backward_warp, grid_sample_pixel_grid
from rib.io.errors import RibError
from rib.io.images import to_pictures
from rib.io.settings.ranges import OneOf, Range
from rib.structures.interval import Background, Interval, Keyframe
from rib.structures.windows import mean_around

PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}
SMALLEST_PX = 32
"""The shortest side in which the flow finds room for its patches; smaller pictures are padded to it."""

LARGEST_DOUBT = 8
SHARPNESS = 4
"""Bound of what the flows say against a velocity, and how firmly the better of two velocities is taken."""


class FlowInterpolator(FrameInterpolator):
    """Moves both keyframes along the optical flow between them and merges them where both show the same.

    The flow is estimated once each way (Kroeger et al., "Fast Optical Flow using Dense Inverse Search",
    ECCV 2016). A pixel at time t takes the velocity that carries it from a place in a to a place in b that
    agree on that velocity; where only one of the keyframes agrees, the other one hides the pixel and is left
    out (after Baker et al., IJCV 2011, section 3.3). Where moving brings the keyframes no nearer to each
    other they are cross-faded, so there `flow` and `weight_a` do not tell the whole picture.

    Args:
        preset: Effort of the flow: "ultrafast", "fast" or "medium".
        num_iterations: Refinements of the velocity at each time.

    Raises:
        RibError: There is no such preset.
    """

    gives = frozenset({"flow"})

    def __init__(
        self, preset: Annotated[str, OneOf(*PRESETS)], num_iterations: Annotated[int, Range(0, 100)]
    ) -> None:
        if preset not in PRESETS:
            raise RibError(f"background.preset is {preset!r}", f"choose one of: {', '.join(PRESETS)}")
        self.preset = preset
        self.num_iterations = num_iterations
        # a long interval is asked for in parts, and its flow is what costs most
        self._last: tuple[Keyframe, Keyframe, tuple[torch.Tensor, torch.Tensor]] | None = None

    def __call__(self, interval: Interval) -> Background:
        """Frames, flows and a's share at every time; the flow between the keyframes is computed once."""
        a, b = interval.a, interval.b
        pair = a.picture[None], b.picture[None]
        if self._last is None or self._last[0] is not a or self._last[1] is not b:
            self._last = a, b, self._velocities(*pair)
        velocities = self._last[2]
        parts = [self._at(*pair, *velocities, t) for t in interval.fractions]
        frames, flow, share, gain = (torch.cat(part) for part in zip(*parts, strict=True))
        return Background(frames, flow=flow, weight_a=share, moved=gain)

    def _velocities(self, a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Motion from a to b in pixels (1, 2, H, W) as seen at a's pixels and as seen at b's."""
        dis = cv2.DISOpticalFlow.create(PRESETS[self.preset])
        grey_a, grey_b = _grey(a), _grey(b)
        height, width = a.shape[-2:]

        def estimate(first: np.ndarray, second: np.ndarray) -> torch.Tensor:
            flow = dis.calc(first, second, np.zeros((*first.shape, 2), np.float32))
            planes = np.ascontiguousarray(flow[:height, :width].transpose(2, 0, 1), dtype=np.float32)
            return torch.from_numpy(planes)[None].to(a.device)

        return estimate(grey_a, grey_b), -estimate(grey_b, grey_a)

    def _at(
        self, a: torch.Tensor, b: torch.Tensor, from_a: torch.Tensor, from_b: torch.Tensor, t: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Picture (1, 3, H, W), flows to a and b (1, 4, H, W), a's share and that of motion (1, 1, H, W)."""
        grid = grid_sample_pixel_grid(a.shape[-2], a.shape[-1], a.device)
        candidates = [
            _Candidate.follow(velocity, a, b, from_a, from_b, t, grid)
            for velocity in self._guesses(from_a, from_b, t, grid)
        ]
        cost_1, cost_2 = (candidate.cost() for candidate in candidates)
        take_1 = torch.sigmoid(SHARPNESS * (cost_2 - cost_1))
        velocity, doubt_a, doubt_b = (
            torch.lerp(two, one, take_1)
            for one, two in zip(candidates[0].fields, candidates[1].fields, strict=True)
        )
        weight_a, weight_b = (1 - t) * _trust(doubt_a), t * _trust(doubt_b)
        share = weight_a / (weight_a + weight_b)
        to_a, to_b = -t * velocity, (1 - t) * velocity
        moved_a, moved_b = backward_warp(a, to_a, grid), backward_warp(b, to_b, grid)
        gain = _gain(_difference(a, b), _difference(moved_a, moved_b))
        picture = torch.lerp(torch.lerp(a, b, t), torch.lerp(moved_b, moved_a, share), gain)
        return picture.clamp(0, 1), torch.cat([to_a, to_b], dim=1), share, gain

    def _guesses(
        self, from_a: torch.Tensor, from_b: torch.Tensor, t: torch.Tensor, grid: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Velocities (1, 2, H, W) at time t that a's flow confirms, and that b's does: two fixed points."""
        guess_a, guess_b = from_a, from_b
        for _ in range(self.num_iterations):
            guess_a = backward_warp(from_a, -t * guess_a, grid)
            guess_b = backward_warp(from_b, (1 - t) * guess_b, grid)
        return guess_a, guess_b


@dataclass(frozen=True)
class _Candidate:
    """A velocity (1, 2, H, W) at time t and what speaks against it, each (1, 1, H, W)."""

    velocity: torch.Tensor
    doubt_a: torch.Tensor
    doubt_b: torch.Tensor
    difference: torch.Tensor

    @classmethod
    def follow(
        cls,
        velocity: torch.Tensor,
        a: torch.Tensor,
        b: torch.Tensor,
        from_a: torch.Tensor,
        from_b: torch.Tensor,
        t: torch.Tensor,
        grid: torch.Tensor,
    ) -> _Candidate:
        """Look up what both keyframes show, and how it moves, where the velocity leads to."""
        colour_a, said_a = backward_warp(torch.cat([a, from_a], 1), -t * velocity, grid).split([3, 2], 1)
        colour_b, said_b = backward_warp(torch.cat([b, from_b], 1), (1 - t) * velocity, grid).split([3, 2], 1)
        doubts = _doubt(velocity, said_a), _doubt(velocity, said_b)
        return cls(velocity, *doubts, _difference(colour_a, colour_b))

    @property
    def fields(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return self.velocity, self.doubt_a, self.doubt_b

    def cost(self) -> torch.Tensor:
        """Contradiction by the flows, bounded, and difference of the colours in tenths of the full range."""
        return (self.doubt_a + self.doubt_b).clamp(max=LARGEST_DOUBT) + self.difference / 0.1**2


def _difference(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of the colours (1, 1, H, W)."""
    return (a - b).square().mean(1, keepdim=True)


def _gain(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """Trust in the motion (1, 1, H, W), 0..1: does it make the keyframes look more alike around a pixel?

    Where it does not, the flow is lost, and a cross-fade is the smaller error.
    """
    before, after = (mean_around(x, 2) for x in (before, after))
    return (before / (before + after + 1e-6)).square()


def _doubt(velocity: torch.Tensor, said: torch.Tensor) -> torch.Tensor:
    """Squared disagreement of two velocities over what is usual (Sundaram et al., ECCV 2010, eq. 5)."""
    usual = 0.5 + 0.01 * (velocity.square() + said.square()).sum(1, keepdim=True)
    return (velocity - said).square().sum(1, keepdim=True) / usual


def _trust(doubt: torch.Tensor) -> torch.Tensor:
    return torch.exp(-doubt) + 1e-3


def _grey(picture: torch.Tensor) -> np.ndarray:
    """(1, 3, H, W) in 0..1 to (H, W) uint8, padded at the right and bottom to `SMALLEST_PX`."""
    height, width = picture.shape[-2:]
    short = (0, max(0, SMALLEST_PX - width), 0, max(0, SMALLEST_PX - height))
    padded = to_pictures(F.pad(picture, short, mode="replicate")[0])
    return cv2.cvtColor(padded, cv2.COLOR_RGB2GRAY)
