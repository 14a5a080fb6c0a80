"""The answer of a net that predicts frames instead of a curve, read like `MotionCurve`.

Letters: B clips, K keyframes, L frames, J joints, Q moments, F moments in a segment.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rib.motion.nets.curve import MotionCurve


@dataclass(frozen=True)
class PredictedFramesCurve(MotionCurve):
    """Straight lines between frames; every keyframe is one of the frames, evenly many lie in a segment.

    Attributes:
        frames_px: (B, L, J, 2), also at keyframes.
        key_frame: (B, K) int64, which of the L frames each keyframe is.
    """

    frames_px: Tensor
    key_frame: Tensor

    def at(self, times_s: Tensor) -> tuple[Tensor, Tensor]:
        """See `MotionCurve.at`."""
        if self.times_s.shape[1] == 1:
            return super().at(times_s)
        segment, u, _ = self.locate(times_s)
        first, last = self.key_frame.gather(1, segment), self.key_frame.gather(1, segment + 1)
        place = first + u * (last - first).clamp_min(0)
        return self._at_frames(place), self.confidence(self.log_error_at(segment, u), segment)

    def between(self, times_s: Tensor) -> Tensor:
        """See `MotionCurve.between`."""
        begin, end = self.times_s[:, :-1, None], self.times_s[:, 1:, None]
        u = ((times_s - begin) / (end - begin)).float()
        place = self.key_frame[:, :-1, None] + u * self.key_frame.diff(dim=1)[..., None]
        return self._at_frames(place.flatten(1)).unflatten(1, times_s.shape[1:])

    def _at_frames(self, place_BQ: Tensor) -> Tensor:
        """(B, Q, J, 2) at fractional frame numbers."""
        left = place_BQ.floor().long().clamp(0, max(self.frames_px.shape[1] - 2, 0))
        share = (place_BQ - left)[..., None, None]
        flat = self.frames_px.flatten(2)
        right = (left + 1).clamp_max(flat.shape[1] - 1)
        take = lambda i: flat.gather(1, i[..., None].expand(*i.shape, flat.shape[2]))  # noqa: E731
        a, b = (take(i).unflatten(2, self.frames_px.shape[2:]) for i in (left, right))
        return torch.lerp(a, b, share)
