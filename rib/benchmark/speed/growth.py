"""Growth of cost with one factor at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

FACTORS = ("pixels", "rate", "people", "keyframes")


def growth_exponents(rows: Sequence[Mapping[str, float]], cost: str) -> dict[str, float]:
    """Fit `cost = c * factor ** exponent` over the rows that differ in this factor alone.

    Args:
        rows: The factors and the cost of each measurement.
        cost: Name of the cost, e.g. "cpu_s".

    Returns:
        By factor the least-squares exponent in logarithms; nothing for a factor that was not varied.
    """
    found = {}
    for factor in FACTORS:
        others = [other for other in FACTORS if other != factor]
        slopes = [
            _slope([row[factor] for row in group], [row[cost] for row in group])
            for group in _groups(rows, others)
            if len({row[factor] for row in group}) > 1 and all(row[cost] > 0 for row in group)
        ]
        if slopes:
            found[factor] = round(sum(slopes) / len(slopes), 3)
    return found


def _slope(factors: Sequence[float], costs: Sequence[float]) -> float:
    """Slope of a line through points in logarithms."""
    x, y = np.log(factors), np.log(costs)
    return float(((x - x.mean()) * (y - y.mean())).sum() / np.square(x - x.mean()).sum())


def _groups(
    rows: Iterable[Mapping[str, float]], alike: Sequence[str]
) -> Iterable[Sequence[Mapping[str, float]]]:
    groups: dict[tuple[float, ...], list[Mapping[str, float]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in alike), []).append(row)
    return groups.values()
