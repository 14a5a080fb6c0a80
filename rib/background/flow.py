"""Interpolation by classical optical flow, aware of what only one keyframe shows."""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from rib.background.interpolator import Interpolator
from rib.background.warp import backward_warp, pixel_grid
from rib.errors import RibError
from rib.interval import Background, Interval

PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}
SMALLEST_PX = 32
"""The shortest side in which the flow finds room for its patches; smaller pictures are padded to it."""


class Flow(Interpolator):
    """Moves both keyframes along the optical flow between them and merges them where both show the same.

    The flow is estimated once each way (Kroeger et al., "Fast Optical Flow using Dense Inverse Search",
    ECCV 2016). A pixel at time t takes the velocity that carries it from a place in a to a place in b that
    agree on that velocity; where only one of the keyframes agrees, the other one hides the pixel and is left
    out (after Baker et al., IJCV 2011, section 3.3).

    Args:
        preset: Effort of the flow: "ultrafast", "fast" or "medium".
        num_iterations: Refinements of the velocity at each time.

    Raises:
        RibError: There is no such preset.
    """

    def __init__(self, preset: str, num_iterations: int) -> None:
        if preset not in PRESETS:
            raise RibError(f"background.preset is {preset!r}", f"choose one of: {', '.join(PRESETS)}")
        self.preset = preset
        self.num_iterations = num_iterations

    def __call__(self, interval: Interval) -> Background:
        """Frames, flows and a's share at every time; the flow between the keyframes is computed once."""
        pair = interval.a.picture[None], interval.b.picture[None]
        velocities = self._velocities(*pair)
        parts = [self._at(*pair, *velocities, t) for t in interval.fractions]
        frames, flow, share = (torch.cat(part) for part in zip(*parts, strict=True))
        return Background(frames, flow=flow, weight_a=share, between=self.between)

    def between(self, a: torch.Tensor, b: torch.Tensor, fractions: torch.Tensor) -> torch.Tensor:
        """Interpolate pictures (1 or N, 3, H, W) at (N,) fractions, 0 giving a and 1 giving b."""
        pairs = zip(a.expand(len(fractions), -1, -1, -1), b.expand(len(fractions), -1, -1, -1), strict=True)
        return torch.cat(
            [
                self._at(a[None], b[None], *self._velocities(a[None], b[None]), t)[0]
                for (a, b), t in zip(pairs, fractions, strict=True)
            ]
        )

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
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Picture (1, 3, H, W), flows to a and b (1, 4, H, W) and a's share (1, 1, H, W) at fraction t."""
        grid = pixel_grid(a.shape[-2], a.shape[-1], a.device)
        velocity, doubt_a, doubt_b = self._velocity(from_a, from_b, t, grid)
        to_a, to_b = -t * velocity, (1 - t) * velocity
        weight_a, weight_b = (1 - t) * _trust(doubt_a), t * _trust(doubt_b)
        share = weight_a / (weight_a + weight_b)
        picture = torch.lerp(backward_warp(b, to_b, grid), backward_warp(a, to_a, grid), share)
        return picture.clamp(0, 1), torch.cat([to_a, to_b], dim=1), share

    def _velocity(
        self, from_a: torch.Tensor, from_b: torch.Tensor, t: torch.Tensor, grid: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The velocity (1, 2, H, W) at time t and how much each keyframe contradicts it (1, 1, H, W)."""

        def seen(velocity: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            """What a and b say of the places that the velocity leads to."""
            return (
                backward_warp(from_a, -t * velocity, grid),
                backward_warp(from_b, (1 - t) * velocity, grid),
            )

        # two guesses, each drawn towards the velocity that its own keyframe confirms (a fixed point)
        guess_a, guess_b = from_a, from_b
        for _ in range(self.num_iterations):
            guess_a = backward_warp(from_a, -t * guess_a, grid)
            guess_b = backward_warp(from_b, (1 - t) * guess_b, grid)
        doubts_a, doubts_b = (
            torch.cat([_doubt(guess, said) for said in seen(guess)], dim=1) for guess in (guess_a, guess_b)
        )
        take_a = torch.sigmoid(4 * (doubts_b.sum(1, keepdim=True) - doubts_a.sum(1, keepdim=True)))
        doubt_a, doubt_b = torch.lerp(doubts_b, doubts_a, take_a).split(1, dim=1)
        return torch.lerp(guess_b, guess_a, take_a), doubt_a, doubt_b


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
    levels = (F.pad(picture, short, mode="replicate")[0] * 255).round().byte()
    return cv2.cvtColor(levels.permute(1, 2, 0).cpu().numpy(), cv2.COLOR_RGB2GRAY)
