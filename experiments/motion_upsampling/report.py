"""The tables of README.md from the rows of score.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

STRIDES = (4, 8, 16)
MUST = {
    ("clean", "cubic_natural"): (1.05, 1.00, 0.95),
    ("detector", "cubic_natural"): (0.60, 0.73, 0.87),
    ("detector", "linear"): (0.70, 0.77, 0.89),
    ("real", "cubic_natural"): (0.87, 1.00, 0.97),
}
"""The ratios asked for; half and double noise are held against those of the detector's noise."""


def trio(value: Callable[[int], float]) -> str:
    return " / ".join(f"{value(R):.3f}" for R in STRIDES)


def report(result: dict[str, Any], ours: str) -> tuple[str, dict[str, float]]:
    """Markdown, and means over sequences of every measure by condition, method and stride."""
    cells: dict[str, Any] = defaultdict(list)
    for row in result["rows"]:
        for measure in ("between", "key", "acc", "pck05"):
            cells[f"{measure}/{row['cond']}/{row['method']}/{row['R']}"].append(row[measure])
    means = {name: round(float(np.nanmean(values)), 4) for name, values in cells.items()}
    parts = [ratios(means, ours), classical(result["baseline"], means, ours), real_tracks(result, ours)]
    return "\n\n".join([*parts, worst_clips(result["rows"], ours)]) + "\n", means


def ratios(means: dict[str, float], ours: str) -> str:
    lines = [
        "| condition / against | in-between error, ratio | must | acceleration error, ratio |",
        "|---|---|---|---|",
    ]
    for condition in ("clean", "detector", "half", "double", "real"):
        for other in ("cubic_natural", "linear"):
            by = lambda m, R: means[f"{m}/{condition}/{ours}/{R}"] / means[f"{m}/{condition}/{other}/{R}"]  # noqa: B023, E731
            asked = MUST.get(("detector" if condition in ("half", "double") else condition, other))
            must = " / ".join(f"{v:.2f}" for v in asked) if asked else ""
            cells = trio(lambda R: by("between", R)), must, trio(lambda R: by("acc", R))  # noqa: B023
            lines.append(f"| {condition} / {other} | {' | '.join(cells)} |")
    return "\n".join(lines)


def classical(baseline: dict[str, Any], means: dict[str, float], ours: str) -> str:
    """In-between error in px beside every classical row of the published baseline."""
    conditions = ("clean", "detector", "real")
    lines = ["| in-between error, px | clean | detector | real |", "|---|---|---|---|"]
    for method in baseline["between"]["clean"]:
        told = [trio(lambda R: baseline["between"][c][method][str(R)]) for c in conditions]  # noqa: B023
        lines.append(f"| {method} | {' | '.join(told)} |")
    told = [trio(lambda R: means[f"between/{c}/{ours}/{R}"]) for c in conditions]  # noqa: B023
    return "\n".join([*lines, f"| **{ours}** | {' | '.join(told)} |"])


def real_tracks(result: dict[str, Any], ours: str) -> str:
    sums: dict[tuple[str, str, int], list[tuple[float, int]]] = defaultdict(list)
    for row in result["tracks"]:
        for clip in (row["clip"], "all three"):
            sums[clip, row["method"], row["R"]].append((row["sum"], row["n"]))
    px = {key: float(np.divide(*np.sum(values, axis=0))) for key, values in sums.items()}
    lines = ["| real tracks | left-out detections, px | acceleration, px per frame^2 |", "|---|---|---|"]
    for clip in sorted({clip for clip, _, _ in px}):
        for method in ("linear", "cubic_natural", "hampel+linear", ours):
            bent = trio(lambda R: result["bends"][method][R]) if clip == "all three" else ""  # noqa: B023
            lines.append(f"| {clip}: {method} | {trio(lambda R: px[clip, method, R])} | {bent} |")  # noqa: B023
    return "\n".join(lines)


def worst_clips(rows: list[dict[str, Any]], ours: str) -> str:
    lines = ["Worst clips on clean input, ratio to the natural cubic spline:"]
    for R in STRIDES:
        sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for row in rows:
            if row["cond"] == "clean" and row["R"] == R:
                sums[row["clip"]][row["method"]] += row["between"]
        worst = sorted(((s[ours] / s["cubic_natural"], clip) for clip, s in sums.items()), reverse=True)[:4]
        lines.append(f"- R = {R}: " + ", ".join(f"{clip.removesuffix('.npz')} {v:.3f}" for v, clip in worst))
    return "\n".join(lines)
