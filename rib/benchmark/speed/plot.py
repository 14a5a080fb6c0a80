"""Stacked bars: the stages of every case, beside the interpolator alone."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

DPI = 110


def speed_plot_png(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw CPU seconds a frame by stage, a bar a run, loading left out.

    Args:
        rows: Of speed.csv.

    Returns:
        A PNG file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    bars: dict[str, dict[str, float]] = {}
    for row in rows:
        if row["stage"].startswith("load ") or (row["stage"] == "total") != (row["run"] == "rife"):
            continue
        size = f"{row['height_px']}p x{row['rate']:g}"
        name = f"{size}, {row['people']} people, {row['keyframes']} keyframes: {row['run']}"
        stage = "RIFE alone" if row["run"] == "rife" else row["stage"]
        bars.setdefault(name, {})[stage] = row["cpu_seconds"]
    stages = list(dict.fromkeys(stage for bar in bars.values() for stage in bar))
    figure = Figure(figsize=(9, 1 + 0.3 * len(bars)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    left = [0.0] * len(bars)
    for stage in stages:
        widths = [bar.get(stage, 0.0) for bar in bars.values()]
        axes.barh(list(bars), widths, left=left, label=stage)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel("CPU seconds a frame made")
    axes.legend(fontsize=7, ncols=2)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DPI)
    return content.getvalue()
