"""When the output's frames stand, and which of them are keyframes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from rib.errors import RibError

SAME_TIME_S = 1e-6
"""Two moments closer than this are one: the output frame is a copy of the keyframe."""

MAX_RATE = 100
"""More frames than this for each one given is a slip of the keyboard."""


@dataclass(frozen=True)
class Timeline:
    """The output's moments against the input's.

    Attributes:
        fps: The output's frame rate.
        times_s: (N,) float64 seconds, n / fps up to the last keyframe.
        keyframe: (N,) int64, the keyframe that an output frame copies, or -1.
        gap: (N,) int64, the interval (keyframes gap, gap + 1) in which an output frame lies.
    """

    fps: Fraction
    times_s: np.ndarray
    keyframe: np.ndarray
    gap: np.ndarray

    def __len__(self) -> int:
        return len(self.times_s)

    def wanted(self, gap: int) -> np.ndarray:
        """Numbers of the output frames to be made strictly inside an interval."""
        return np.flatnonzero((self.gap == gap) & (self.keyframe < 0))


def target_fps(source_fps: Fraction, rate: float | None, fps: float | None) -> Fraction:
    """The output's frame rate from `rate=` (a multiple) or `fps=` (the target itself).

    Raises:
        RibError: Neither or both are given, or the value is not a positive, finite and sensible number.
    """
    if (rate is None) == (fps is None):
        given = "neither rate nor fps" if rate is None else f"both rate={rate:g} and fps={fps:g}"
        raise RibError(f"{given} was given", "type one of them: rate=4 (a multiple) or fps=60 (the target)")
    name, value = ("rate", rate) if rate is not None else ("fps", fps)
    assert value is not None
    if not math.isfinite(value) or value <= 0:
        raise RibError(
            f"{name}={value:g}: expected a number above 0", f"type {name}={4 if name == 'rate' else 60}"
        )
    exact = Fraction(value).limit_denominator(1001)
    target = exact * source_fps if name == "rate" else exact
    if target <= 0 or target > MAX_RATE * source_fps:
        raise RibError(
            f"{name}={value:g} asks for {float(target):g} frames a second from {float(source_fps):g}, "
            f"more than {MAX_RATE} times as many",
            f"type a smaller {name}",
        )
    return target


def timeline(keyframe_times_s: np.ndarray, fps: Fraction) -> Timeline:
    """Every output moment n / fps from the first keyframe to the last.

    Args:
        keyframe_times_s: (K,) strictly increasing seconds, K >= 2.
        fps: The output's frame rate.
    """
    times = np.asarray(keyframe_times_s, dtype=np.float64)
    span = times[-1] - times[0]
    count = math.floor(span * float(fps) + SAME_TIME_S * float(fps)) + 1
    wanted = times[0] + np.arange(count) * (fps.denominator / fps.numerator)
    nearest = np.abs(np.searchsorted((times[1:] + times[:-1]) / 2, wanted))
    is_copy = np.abs(times[nearest] - wanted) < SAME_TIME_S
    keyframe = np.where(is_copy, nearest, -1)
    gap = np.clip(np.searchsorted(times, wanted, side="right") - 1, 0, len(times) - 2)
    gap = np.where(is_copy, np.minimum(nearest, len(times) - 2), gap)
    return Timeline(fps, np.where(is_copy, times[nearest], wanted), keyframe, gap)
