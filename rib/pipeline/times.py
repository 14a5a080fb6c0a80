"""When the output's frames stand, and which of them are keyframes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from rib.io.errors import RibError
from rib.video.times import exact_fps

SAME_TIME_S = 1e-6
"""Two moments closer than this are one."""

SAME_STEP = 0.05
"""An output moment this near to a keyframe, in output steps, is that keyframe: nobody sees 1 ms, everybody
sees one frame in two a little softer than its neighbours."""

MAX_RATE = 100
"""More frames than this for each one given is a slip of the keyboard."""


@dataclass(frozen=True)
class Timeline:
    """The output's moments against the input's.

    Attributes:
        fps: The output's frame rate.
        times_s: (N,) float64 seconds of the input, strictly increasing; a copy has its keyframe's time.
        keyframe: (N,) int64, the keyframe that an output frame copies, or -1.
        gap: (N,) int64, the interval (keyframes gap, gap + 1) in which an output frame lies.
        held: How many frames at the end hold the last keyframe after its moment.
    """

    fps: Fraction
    times_s: np.ndarray
    keyframe: np.ndarray
    gap: np.ndarray
    held: int = 0

    def __len__(self) -> int:
        return len(self.times_s)

    def wanted(self, gap: int) -> np.ndarray:
        """Numbers of the output frames to be made strictly inside an interval."""
        return np.flatnonzero((self.gap == gap) & (self.keyframe < 0))


def target_fps(source_fps: Fraction, rate: float | None, fps: float | str | Fraction | None) -> Fraction:
    """The output's frame rate from `rate=` (a multiple) or `fps=` (the target itself).

    Args:
        source_fps: The input's frame rate.
        rate: Frames out for each frame in, or None.
        fps: A number, where 59.94 and its kin mean n * 1000 / 1001, a fraction such as "60000/1001", or None.

    Raises:
        RibError: Neither or both are given, or the value is not a positive, finite and sensible number.
    """
    if rate is None and fps is None:
        raise RibError(
            "neither rate nor fps was given", "type one of them: rate=4 (a multiple) or fps=60 (the target)"
        )
    if rate is not None and fps is not None:
        raise RibError(f"both rate={rate:g} and fps={fps} were given", _one_of_both(source_fps, rate, fps))
    if rate is not None:
        if not math.isfinite(rate) or rate <= 0:
            raise RibError(f"rate={rate:g}: expected a number above 0", "type rate=4")
        name, value, target = "rate", f"{rate:g}", Fraction(rate).limit_denominator(1001) * source_fps
    else:
        name, value, target = "fps", str(fps), exact_fps(fps)
    if target <= 0 or target > MAX_RATE * source_fps:
        raise RibError(
            f"{name}={value} asks for {float(target):g} frames a second from {float(source_fps):g}, "
            f"more than {MAX_RATE} times as many",
            f"type a smaller {name}",
        )
    return target


def timeline(keyframe_times_s: np.ndarray, fps: Fraction, end_s: float | None = None) -> Timeline:
    """Every output moment n / fps from the first keyframe on.

    Args:
        keyframe_times_s: (K,) strictly increasing seconds, K >= 2.
        fps: The output's frame rate.
        end_s: When the last keyframe is no longer shown: the moments go on until then and hold it. None ends
            with the last keyframe.
    """
    times = np.asarray(keyframe_times_s, dtype=np.float64)
    rate = float(fps)
    moving = math.floor((times[-1] - times[0]) * rate + SAME_STEP) + 1
    until = moving if end_s is None else math.ceil((end_s - times[0]) * rate - SAME_STEP)
    count = max(moving, until)
    wanted = times[0] + np.arange(count) * (fps.denominator / fps.numerator)
    nearest = np.searchsorted((times[1:] + times[:-1]) / 2, wanted)
    is_copy = np.abs(times[nearest] - wanted) * rate < SAME_STEP
    is_held = np.arange(count) >= moving
    gap = np.clip(np.searchsorted(times, wanted, side="right") - 1, 0, len(times) - 2)
    gap = np.where(is_copy, np.minimum(nearest, len(times) - 2), gap)
    keyframe = np.where(is_copy | is_held, nearest, -1)
    return Timeline(fps, np.where(is_copy, times[nearest], wanted), keyframe, gap, count - moving)


def _one_of_both(source_fps: Fraction, rate: float, fps: float | str | Fraction) -> str:
    """What to type instead of both; the wish behind it is mostly slow motion."""
    try:
        slow = float(Fraction(rate) * source_fps / exact_fps(fps))
    except (ValueError, OverflowError, RibError):
        slow = 1.0
    if slow <= 1.001:
        return f"type one of them: rate={rate:g} (a multiple) or fps={fps} (the target)"
    return (
        f"for slow motion type slow={slow:.4g} fps={fps}; for the same duration type one of them, "
        f"rate={rate:g} or fps={fps}"
    )
