"""Evidence of one interval for the rendered person or the interpolated one."""

from __future__ import annotations

import math
from dataclasses import dataclass

SMALLEST = 0.005
"""Differences (0..1) below this are noise."""


@dataclass(frozen=True)
class TrustEvidence:
    """Disagreement of outlines and colours in one interval, means over the person.

    Attributes:
        baseline_colour: Difference of the two keyframes' colours under the interpolator's flow, 0..1.
        skinned_colour: The same under the pose.
        outline: Difference of the interpolated person and the rendered one, in alpha.
        ghost: Difference of the two keyframes' silhouettes under the pose.
        undecided: Share of the person whose alpha is neither 0 nor 1, as the keyframes contradict each other;
            at the moment at which most is.
    """

    baseline_colour: float
    skinned_colour: float
    outline: float
    ghost: float
    undecided: float = 0.0

    @property
    def colour_log_ratio(self) -> float:
        """Above 0 where the pose brings the keyframes' colours together better than the flow does."""
        return math.log((self.baseline_colour + SMALLEST) / (self.skinned_colour + SMALLEST))

    @property
    def outline_log_ratio(self) -> float:
        """Above 0 where the flow's outline differs more from the rendered one than the keyframes' do."""
        return math.log((self.outline + SMALLEST) / (self.ghost + SMALLEST))

    @property
    def shares(self) -> tuple[float, float, float]:
        """The outlines' and the colours' ratio (1/2 where they are equal), and what is undecided: 0..1."""
        outline, colour = (
            1 / (1 + math.exp(-ratio)) for ratio in (self.outline_log_ratio, self.colour_log_ratio)
        )
        return outline, colour, min(self.undecided, 1.0)
