"""The frame rate that an unsteady clock means, and the moment of each frame on its grid."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy.optimize import isotonic_regression

WHOLE_RATES = (
    *(1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 16, 18, 20, 24, 25, 30, 48, 50, 60, 72, 75, 90, 100, 120, 144, 165),
    *(180, 200, 240, 300, 360, 400, 480, 500, 600, 720, 960, 1000),
)
"""Frame rates that cameras, screens and editors have."""
NTSC_RATES = (12, 15, 24, 30, 48, 60, 72, 90, 96, 120, 240, 480)
"""Those that are also used times 1000 / 1001."""
FITS_STEP = 0.25
"""A stamp fits a rate when it lies this near to a moment of its grid, in steps; one in two does by chance."""
MOST = 0.9
"""Share of the stamps that have to fit."""
SINGLE_STEPS = 0.1
"""Share of the steps that have to be single ones: a grid that is finer than all steps is none."""
FARTHEST_STEP = 1.0
"""No frame is moved by more than this, in steps of the nominal rate."""
NEARBY = Fraction(11, 10)
CLEARLY = 0.25
"""Of rates that are a tenth apart the one with less than this share of the other's deviation is meant."""
TWIN = Fraction(1002, 1000)
"""Nearer than this n and n * 1000 / 1001 are."""
LARGEST_DENOMINATOR = 1_000_000
"""Bound on a measured rate's denominator, so that containers hold it and its multiples in 32 bits."""


class NominalRate(NamedTuple):
    """A nominal rate and where the frames stand on its grid.

    Attributes:
        fps: The rate.
        moments: (K,) int64 from 0, strictly increasing; frame k stands at moments[k] / fps.
        farthest_s: How far a frame was moved at most, in seconds.
    """

    fps: Fraction
    moments: np.ndarray
    farthest_s: float


def find_nominal_rate(times_s: np.ndarray, declared: Sequence[Fraction] = ()) -> NominalRate | None:
    """Find the usual rate that fits most time stamps, else the one of the median step.

    The lowest rate wins of those that fit, and of n and n * 1000 / 1001 the one that the container declares
    or that fits clearly better. Every frame takes its nearest free moment: least squares under strict order
    (isotonic regression), so that a pause keeps its length and a burst spreads evenly to both sides.

    Args:
        times_s: (K,) float64 strictly increasing seconds, K >= 3.
        declared: Rates that the container declares.

    Returns:
        None where no rate fits without moving a frame by more than `FARTHEST_STEP`.
    """
    step = float(np.median(np.diff(times_s)))
    usual = [rate for rate in _usual_rates() if 0.8 <= float(rate) * step <= 8]
    fitting = [rate for rate in usual if _fits(times_s, rate)]
    if fitting:
        return _on_grid(times_s, _likelier(times_s, fitting, declared))
    measured = Fraction(1 / step).limit_denominator(LARGEST_DENOMINATOR)
    refined = _refined(times_s, measured)
    for rate in (refined, measured, *(rate for rate in usual if rate > measured)):
        found = _on_grid(times_s, rate)
        if found.farthest_s * float(rate) <= FARTHEST_STEP:
            return found
    return None


def _usual_rates() -> list[Fraction]:
    """Every usual rate, in order."""
    ntsc = [Fraction(n * 1000, 1001) for n in NTSC_RATES]
    return sorted([*(Fraction(n) for n in WHOLE_RATES), *ntsc, Fraction(15, 2), Fraction(25, 2)])


def _errors(times_s: np.ndarray, fps: Fraction) -> tuple[np.ndarray, np.ndarray]:
    """(K,) the nearest moment of each stamp and how far it is, in steps; the grid's phase is the stamps'."""
    steps = times_s * float(fps)
    phase = np.angle(np.exp(2j * np.pi * steps).mean()) / (2 * np.pi)
    nearest = np.rint(steps - phase)
    return nearest, steps - phase - nearest


def _fits(times_s: np.ndarray, fps: Fraction) -> bool:
    nearest, error = _errors(times_s, fps)
    fitting = np.unique(nearest[np.abs(error) <= FITS_STEP])
    single = np.mean(np.diff(nearest) == 1)
    return len(fitting) >= MOST * len(times_s) and bool(single >= SINGLE_STEPS)


def _likelier(times_s: np.ndarray, fitting: Sequence[Fraction], declared: Sequence[Fraction]) -> Fraction:
    """The lowest rate, or its neighbour a thousandth away where that is declared or fits clearly better.

    A short clip fits rates a few per cent apart: then the one that leaves far less of the stamps over.
    """
    near = [rate for rate in fitting if rate <= fitting[0] * NEARBY]
    left = [float(np.std(_errors(times_s, rate)[1])) for rate in near]
    best = near[int(np.argmin(left))]
    lowest = best if min(left) < CLEARLY * left[0] else fitting[0]
    twins = [rate for rate in fitting if lowest / TWIN < rate < lowest * TWIN]
    for rate in declared:
        if rate in twins:
            return rate
    whole = [rate for rate in twins if rate.denominator == 1] or twins
    spread = {rate: float(np.std(_errors(times_s, rate)[1])) for rate in twins}
    best = min(twins, key=spread.__getitem__)
    return best if spread[best] < 0.8 * spread[whole[0]] else whole[0]


def _refined(times_s: np.ndarray, fps: Fraction) -> Fraction:
    """The rate whose grid lies nearest to the stamps, by least squares from a measured one on."""
    moments = np.concatenate([[0], np.cumsum(np.maximum(np.rint(np.diff(times_s) * float(fps)), 1))])
    slope = float(np.polyfit(moments, times_s, 1)[0])
    return Fraction(1 / slope).limit_denominator(LARGEST_DENOMINATOR) if slope > 0 else fps


def _on_grid(times_s: np.ndarray, fps: Fraction) -> NominalRate:
    """Every frame at its nearest free moment."""
    order = np.arange(len(times_s))
    phase = _errors(times_s, fps)
    steps = phase[0] + phase[1]
    moments = np.rint(isotonic_regression(steps - order).x).astype(np.int64) + order
    shifts = steps - moments
    return NominalRate(fps, moments - moments[0], float(np.abs(shifts).max() / fps))
