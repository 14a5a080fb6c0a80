"""Random numbers of a corruption: tensors of one batch, and groups of joints.

Letters: B clips, K keyframes.
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor

from rib.io.settings.ranges import Positive, RisingList
from rib.structures.skeleton import BODY19

Pair = Annotated[tuple[Positive, Positive], RisingList()]
"""Least and greatest of what is drawn log-uniformly."""


def _joints(*names: str) -> list[int]:
    return [i for i, name in enumerate(BODY19) if any(n in name for n in names)]


def _mask(*groups: list[int]) -> Tensor:
    out = torch.zeros(len(groups), len(BODY19), dtype=torch.bool)
    for row, group in zip(out, groups, strict=True):
        row[group] = True
    return out


ARM, LEG = ("elbow", "wrist", "hand"), ("knee", "ankle", "big_toe")
LIMBS = _mask(
    *([BODY19.index(f"{side}_{n}") for n in names] for side in ("left", "right")
      for names in (ARM, LEG, ARM[1:], LEG[1:], ARM[2:], LEG[2:]))
)  # fmt: skip
"""Runs of joints that a detector loses or misplaces together: whole limbs, their lower halves, their ends."""
SIDES = _mask(
    _joints("_hip", "knee", "ankle", "toe")[1:],
    _joints("shoulder", "elbow", "wrist", "hand"),
    _joints("left", "right"),
)
"""What is swapped left for right: legs, arms, the whole body."""
ABSENT = _mask(
    _joints("hand"), _joints("hand"), _joints("hand"), _joints("hand", "toe"), _joints("toe"),
    _joints("nose"), _joints("right_wrist", "right_hand"), _joints("left_wrist", "left_hand"), _joints("knee",
    "ankle", "toe", "hand"),
)  # fmt: skip
"""Sets of joints that a detector or a framing never gives."""


class CorruptionSampler:
    """Random tensors of one batch."""

    def __init__(self, generator: torch.Generator, B: int, K: int) -> None:
        self.generator, self.B, self.K = generator, B, K
        self.limbs, self.sides, self.absent = (m.to(generator.device) for m in (LIMBS, SIDES, ABSENT))

    def uniform(self, *shape: int) -> Tensor:
        """Draws from 0..1."""
        return torch.rand(shape, generator=self.generator, device=self.generator.device)

    def normal(self, *shape: int) -> Tensor:
        """Draws of mean 0 and standard deviation 1."""
        return torch.randn(shape, generator=self.generator, device=self.generator.device)

    def integers(self, below: int, *shape: int) -> Tensor:
        """Draws from 0 to `below` - 1."""
        return torch.randint(below, shape, generator=self.generator, device=self.generator.device)

    def log_uniform(self, between: tuple[float, float], *shape: int) -> Tensor:
        """Draws whose logarithm is even between those of the two ends."""
        low, high = (math.log(v) for v in between)
        return torch.exp(low + (high - low) * self.uniform(*shape))
