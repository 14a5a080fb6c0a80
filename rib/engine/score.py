"""Score of a run: the logged number that its checkpoints, its early stopping and a sweep judge it by."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Pruner = Callable[[int, float], bool]
"""Takes a step and the metric's value at a validation, and says whether the run is to end there."""


@dataclass(frozen=True)
class RunScore:
    """One validation of a run.

    Attributes:
        value: The metric.
        step: Optimizer steps behind it.
        metrics: Every number logged then, by its name.
    """

    value: float
    step: int
    metrics: dict[str, float] = field(default_factory=dict)

    def objectives(self, also: Mapping[str, str]) -> list[float] | None:
        """The metric and further ones of the same validation; None where one of them was not logged."""
        values = [self.value, *(self.metrics.get(name, math.nan) for name in also)]
        return values if all(map(math.isfinite, values)) else None


def is_better(value: float, than: float, mode: str) -> bool:
    """Compare two values of a metric of which one wants the smallest ("min") or the largest ("max")."""
    return value < than if mode == "min" else value > than


def read_run_score(kept: Any) -> RunScore | None:
    """Read a score out of a checkpoint, which may be anybody's."""
    try:
        metrics = {str(name): float(value) for name, value in kept["metrics"].items()}
        return RunScore(float(kept["value"]), int(kept["step"]), metrics)
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
