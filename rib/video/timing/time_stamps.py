"""Time stamps of frames: from a container's rounded, missing or repeated ticks to exact times."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from rib.io.errors import RibError
from rib.video.timing.nominal_rate import LARGEST_DENOMINATOR, find_nominal_rate

FINE_TICKS = 4
"""With fewer ticks a frame, rounding and a dropped frame look alike: only equal steps count as constant."""
LONGEST_LAST_S = 60
"""A last frame that is said to be shown for longer than this, in seconds, is taken for a slip."""
UNSTEADY_S = 0.0005
"""Frames that are moved by less than this are not worth a note."""


@dataclass(frozen=True)
class FrameTimes:
    """Times of the K frames of a clip.

    Attributes:
        times_s: (K,) float64 from 0, strictly increasing.
        fps: Frames a second: exact where the rate is constant, else nominal.
        notes: What had to be mended, in sentences.
        fps_assumed: Whether nothing said the rate.
        last_s: How long the last frame is shown; None for one step of the rate.
    """

    times_s: np.ndarray
    fps: Fraction
    notes: list[str] = field(default_factory=list)
    fps_assumed: bool = False
    last_s: float | None = None

    @property
    def duration_s(self) -> float:
        """End of the last frame."""
        return float(self.times_s[-1]) + (float(1 / self.fps) if self.last_s is None else self.last_s)


FPS_RANGE = (0.001, 100_000.0)
"""Frames a second that a clip may have: one in a quarter of an hour, and the fastest cameras' own."""


def exact_fps(value: float | str | Fraction | None, name: str = "fps") -> Fraction:
    """A frame rate as the fraction that was meant.

    "30000/1001" is itself and 7.5 is 15/2, but 23.976, 23.98, 29.97, 59.94, 119.88 and their kin are what
    SMPTE ST 170 and its heirs call so: n * 1000 / 1001.

    Raises:
        RibError: It is no number of `FPS_RANGE`.
    """
    low, high = FPS_RANGE
    try:
        text = str(value).replace(" ", "")
        if isinstance(value, Fraction) or "/" in text[:40]:
            fps = Fraction(value if isinstance(value, Fraction) else text)
        else:  # a number with a million digits is never written out
            fps = Fraction(text) if low <= float(text) <= high else Fraction(0)
    except (ValueError, ZeroDivisionError):
        fps = Fraction(0)
    if not low <= fps <= high:
        raise RibError(
            f"{name}={str(value)[:40]} is not a frame rate between {low:g} and {high:g}",
            f"give a number above 0, e.g. {name}=30 or {name}=30000/1001",
        )
    return fps if isinstance(value, Fraction) or "/" in str(value) else _broadcast_rate(fps)


def _broadcast_rate(fps: Fraction) -> Fraction:
    """The rate n * 1000 / 1001 where a decimal number is that, rounded to two or more digits."""
    if fps.denominator == 1:
        return fps
    exact = Fraction(round(fps * 1001 / 1000) * 1000, 1001)
    digits = max(2, len(str(float(fps)).partition(".")[2]))
    return exact if abs(fps - exact) <= Fraction(501, 1000) / 10**digits else fps


def constant_rate_times(num_frames: int, fps: Fraction) -> np.ndarray:
    """(K,) float64: k / fps, each the nearest float to the exact quotient."""
    return np.arange(num_frames, dtype=np.int64) * fps.denominator / fps.numerator


def frame_times_from_seconds(times_s: np.ndarray) -> FrameTimes:
    """Times that are known already, moved to start at 0; the rate is exact where they are k / fps.

    Raises:
        RibError: There are fewer than two, or they do not increase.
    """
    times_s = np.asarray(times_s, dtype=np.float64)
    if times_s.ndim != 1 or len(times_s) < 2:
        raise RibError(
            f"times of shape {times_s.shape} were given", "a clip needs at least two frames' times"
        )
    times_s = times_s - times_s[0]
    if not (np.isfinite(times_s).all() and (np.diff(times_s) > 0).all()):
        raise RibError("the frames' times do not increase", "give seconds, each above the one before")
    mean = Fraction((len(times_s) - 1) / float(times_s[-1]))
    constant = constant_rate_times(len(times_s), mean.limit_denominator(1001))
    if np.allclose(times_s, constant, rtol=1e-12, atol=1e-9):
        return FrameTimes(constant, mean.limit_denominator(1001))
    return FrameTimes(times_s, mean.limit_denominator(LARGEST_DENOMINATOR))


def frame_times_from_ticks(
    ticks: Sequence[int | None],
    tick_s: Fraction,
    rates: Sequence[Fraction],
    last_ticks: int = 0,
    unsteady: bool = False,
) -> FrameTimes:
    """Times from a container's clock.

    Args:
        ticks: The frames' time stamps in showing order; None where the container has none.
        tick_s: Length of a tick in seconds.
        rates: Frame rates that the container declares, likeliest first; the first is libav's guess, which an
            unsteady clock leads astray by a thousandth.
        last_ticks: How long the container shows the last frame; 0 where it does not say.
        unsteady: Leave the stamps of an unsteady clock where they are.

    Returns:
        Exactly k / fps where the ticks are those of a constant rate, rounded; otherwise moments of the
        nominal rate (see `find_nominal_rate`), with a note. Stamps that are missing, repeated or run backward
        are replaced between their neighbours, with a note.
    """
    mended, num_mended = _mend(ticks)
    if mended is None:
        fps = rates[0] if rates else Fraction(30)
        note = f"the file holds no frame times; {float(fps):g} frames a second were assumed"
        return FrameTimes(constant_rate_times(len(ticks), fps), fps, [note], fps_assumed=True)
    notes = []
    if num_mended:
        notes.append(
            f"{num_mended} of {len(ticks)} frames had missing, repeated or backward times, now interpolated"
        )
    last = last_ticks * tick_s
    mean = Fraction(len(mended) - 1) / (Fraction(float(mended[-1])) * tick_s)
    constant = _constant_rate(mended, tick_s, [*rates, *_round_rates(mean)])
    if constant is not None:
        return FrameTimes(
            constant_rate_times(len(mended), constant), constant, notes, last_s=_last(last, constant)
        )
    times_s = mended * tick_s.numerator / tick_s.denominator
    found = find_nominal_rate(times_s, rates[1:])
    if found is None or unsteady:
        fps = found.fps if found else mean.limit_denominator(LARGEST_DENOMINATOR)
        notes.append(f"the frame rate varies; its mean is {float(mean):.4g} frames a second")
        return FrameTimes(times_s, fps, notes, last_s=_last(last, fps))
    if found.farthest_s > UNSTEADY_S:
        notes.append(
            f"the frames' times are unsteady; {float(found.fps):.4g} frames a second were taken and frames "
            f"moved by at most {found.farthest_s * 1000:.1f} ms (video.timestamps=source keeps the times)"
        )
    missing = int(found.moments[-1]) + 1 - len(found.moments)
    if missing:
        notes.append(
            f"{missing} frames are missing between the others, which keep their distance at "
            f"{float(found.fps):.4g} frames a second"
        )
    moments_s = found.moments * found.fps.denominator / found.fps.numerator
    return FrameTimes(moments_s, found.fps, notes, last_s=_last(last, found.fps))


def _last(declared_s: Fraction, fps: Fraction) -> float | None:
    """Measure the last frame's duration where that is longer than a step, in whole steps."""
    steps = math.floor(declared_s * fps + Fraction(1, 4))
    return float(steps / fps) if steps > 1 and declared_s <= LONGEST_LAST_S else None


def _round_rates(mean: Fraction) -> list[Fraction]:
    """Rates that are usual near a measured mean: whole, NTSC's whole * 1000 / 1001, any small fraction."""
    whole, ntsc = Fraction(round(mean)), Fraction(round(mean * 1001 / 1000) * 1000, 1001)
    return [rate for rate in (whole, ntsc, mean.limit_denominator(1001)) if rate > 0]


def _constant_rate(ticks: np.ndarray, tick_s: Fraction, rates: Sequence[Fraction]) -> Fraction | None:
    """The first rate whose k / fps, rounded or cut to whole ticks, gives all of `ticks` (K,)."""
    if ticks[-1] >= FINE_TICKS * (len(ticks) - 1):
        for fps in rates:
            error = ticks - constant_rate_times(len(ticks), fps * tick_s)
            if np.ptp(error) <= 1 + 1e-6:
                return fps
    steps = np.diff(ticks)
    if np.ptp(steps) == 0:
        return 1 / (Fraction(float(steps[0])) * tick_s)
    return None


def _mend(ticks: Sequence[int | None]) -> tuple[np.ndarray | None, int]:
    """(K,) float64 increasing ticks from 0 and how many were replaced; None without two good ones."""
    known = [(k, tick) for k, tick in enumerate(ticks) if tick is not None]
    good = [known[i] for i in _longest_increasing([tick for _, tick in known])]
    if len(good) < 2:
        return None, len(ticks)
    index = np.array([k for k, _ in good])
    value = np.array([tick - good[0][1] for _, tick in good], dtype=np.float64)
    step = float(np.median(np.diff(value) / np.diff(index)))
    frames = np.arange(len(ticks))
    mended = np.interp(frames, index, value)
    mended += step * (np.minimum(frames - index[0], 0) + np.maximum(frames - index[-1], 0))
    return mended - mended[0], len(ticks) - len(good)


def _longest_increasing(values: Sequence[int]) -> list[int]:
    """Indices of a longest strictly increasing subsequence (patience sorting, O(n log n))."""
    tails: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for i, value in enumerate(values):
        pile = bisect_left(tails, value)
        previous.append(ends[pile - 1] if pile else -1)
        if pile == len(tails) or value < tails[pile]:  # of equal ones the first counts
            tails[pile : pile + 1] = [value]
            ends[pile : pile + 1] = [i]
    chain = [ends[-1]] if ends else []
    while chain and previous[chain[-1]] >= 0:
        chain.append(previous[chain[-1]])
    return chain[::-1]
