"""Learning rates over a run."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class WarmupCosine:
    """A linear rise from 0, times a cosine that comes down to a share of the peak and stays there.

    Loshchilov and Hutter, "SGDR", ICLR 2017, without restarts.

    Attributes:
        warmup_steps: Steps of the rise; 0 begins at the peak.
        total_steps: Steps after which the cosine has come down.
        min_lr_ratio: What it comes down to, as a share of the peak, in 0..1.
    """

    warmup_steps: int
    total_steps: int
    min_lr_ratio: float = 0.0

    def __call__(self, step: int) -> float:
        """The share of the peak learning rate at a step, from 0."""
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, step / self.total_steps)))
        warm = min(1.0, (step + 1) / max(1, self.warmup_steps))
        return warm * (self.min_lr_ratio + (1 - self.min_lr_ratio) * cosine)
