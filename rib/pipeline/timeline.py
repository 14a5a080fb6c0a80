"""Timeline of the output: the time of each frame, and the frames that are keyframes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from rib.io.errors import RibError
from rib.video import FrameSource, exact_fps

SAME_TIME_S = 1e-6
"""Two moments closer than this are one."""

SAME_STEP = 0.05
"""An output moment this near to a keyframe, in output steps, is that keyframe: nobody sees 1 ms, everybody
sees one frame in two a little softer than its neighbours."""

MAX_RATE = 100
"""More frames than this for each one given is a slip of the keyboard."""


@dataclass(frozen=True)
class OutputTimeline:
    """The output's moments against the input's.

    Attributes:
        fps: The output's frame rate.
        times_s: (N,) float64 seconds of the input, strictly increasing; a copy has its keyframe's time.
        keyframe: (N,) int64, the keyframe that an output frame copies, or -1.
        interval: (N,) int64, the keyframe that begins an output frame's interval; it never falls.
        held: How many frames at the end hold the last keyframe after its moment.
        stamps_s: (N,) when each frame is shown in the output, or None where frame n is shown at n / fps.
    """

    fps: Fraction
    times_s: np.ndarray
    keyframe: np.ndarray
    interval: np.ndarray
    held: int = 0
    stamps_s: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def duration_s(self) -> float:
        """Duration of the output."""
        if self.stamps_s is None:
            return float(len(self) / self.fps)
        return float(self.stamps_s[-1] + 1 / self.fps)

    def frames(self, interval: int) -> range:
        """Numbers of the output frames that belong to an interval, in O(log N)."""
        start, stop = np.searchsorted(self.interval, [interval, interval + 1])
        return range(int(start), int(stop))

    def wanted(self, interval: int) -> np.ndarray:
        """Numbers of the output frames to be made strictly inside an interval."""
        frames = self.frames(interval)
        return frames.start + np.flatnonzero(self.keyframe[frames.start : frames.stop] < 0)


def target_output_fps(
    source_fps: Fraction, rate: float | None, fps: float | str | Fraction | None
) -> Fraction:
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


def constant_rate_timeline(
    keyframe_times_s: np.ndarray, fps: Fraction, end_s: float | None = None
) -> OutputTimeline:
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
    is_held = np.arange(count) >= moving
    past_last = (wanted > times[-1]) & ~is_held  # within SAME_STEP, but for what rounding adds to it
    is_copy = (np.abs(times[nearest] - wanted) * rate < SAME_STEP) | past_last
    interval = np.clip(np.searchsorted(times, wanted, side="right") - 1, 0, len(times) - 2)
    interval = np.where(is_copy, np.minimum(nearest, len(times) - 2), interval)
    keyframe = np.where(is_copy | is_held, nearest, -1)
    return OutputTimeline(fps, np.where(is_copy, times[nearest], wanted), keyframe, interval, count - moving)


def variable_rate_timeline(
    keyframe_times_s: np.ndarray, fps: Fraction, end_s: float | None = None
) -> OutputTimeline:
    """Moments that part each interval evenly, so that every keyframe keeps its own time: a variable rate.

    Args:
        keyframe_times_s: (K,) strictly increasing seconds, K >= 2.
        fps: The rate that the steps come nearest to; each interval has at least one.
        end_s: As for `constant_rate_timeline`.
    """
    times = np.asarray(keyframe_times_s, dtype=np.float64)
    ends = times if end_s is None else np.append(times, max(end_s, times[-1] + 1e-6))
    counts = np.maximum(np.rint(np.diff(ends) * float(fps)).astype(int), 1)
    first = np.repeat(np.arange(len(counts)), counts)
    inside = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    moments = ends[first] + inside * (np.diff(ends) / counts)[first]
    held = int(counts[-1]) - 1 if end_s is not None else 0
    if end_s is None:
        moments, first, inside = (
            np.append(moments, times[-1]),
            np.append(first, len(counts)),
            np.append(inside, 0),
        )
    keyframe = np.where((inside == 0) | (first == len(times) - 1), first, -1)
    interval = np.minimum(first, len(times) - 2)
    return OutputTimeline(fps, moments, keyframe, interval, held, moments - times[0])


def output_fps(
    source_fps: Fraction, rate: float | None, fps: float | str | None, slow: float | None
) -> Fraction:
    """The output's frame rate as `target_output_fps` gives it; with `slow` alone it is the input's.

    Raises:
        RibError: As for `target_output_fps`, slow motion that is none, or too many frames for each one given.
    """
    if slow is not None and not 1 <= slow <= MAX_RATE:
        raise RibError(f"slow={slow:g}: expected a number from 1 to {MAX_RATE}", "type slow=4")
    target = source_fps if slow and rate is None and fps is None else target_output_fps(source_fps, rate, fps)
    share = float(target / source_fps) * (slow or 1)
    if share > MAX_RATE:
        raise RibError(
            f"slow={slow:g} asks for {share:g} frames for each one given",
            f"choose at most {MAX_RATE}: type a smaller slow, rate or fps",
        )
    return target


def output_timeline_as_asked(
    source: FrameSource, fps: Fraction, slow: float | None, whole: bool, even: bool
) -> OutputTimeline:
    """The moments that the settings of `rib interpolate` ask for.

    Args:
        source: The clip.
        fps: The output's frame rate.
        slow: How many times longer the output lasts, or None.
        whole: Whether the last keyframe is held for its own time.
        even: Whether the output's rate is constant; else keyframes keep their own times.
    """
    factor = Fraction(slow or 1).limit_denominator(1001)
    make = constant_rate_timeline if even else variable_rate_timeline
    moments = make(source.times_s, fps * factor, source.duration_s if whole else None)
    stamps_s = None if moments.stamps_s is None else moments.stamps_s * float(factor)
    return replace(moments, fps=fps, stamps_s=stamps_s)


def _one_of_both(source_fps: Fraction, rate: float, fps: float | str | Fraction) -> str:
    """Explain what to type instead of both; the wish behind it is mostly slow motion."""
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
