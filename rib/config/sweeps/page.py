"""sweep.html: parallel coordinates of a sweep's runs and how much each setting matters; opens from disk."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping

import numpy as np

from rib.config.sweeps.table import SweepTable

WIDTH_PX, HEIGHT_PX, MARGIN_PX = 1000, 360, 60
STYLE = """body{font:14px system-ui,sans-serif;margin:2em auto;max-width:1040px;color:#222}
table{border-collapse:collapse;font-size:13px}
td,th{padding:2px 10px;text-align:left;border-bottom:1px solid #ddd}
svg{width:100%;height:auto}svg text{font-size:11px}path{fill:none;stroke-width:1.6;opacity:.75}
path:hover{stroke-width:5;opacity:1}line{stroke:#999}.bar{background:#4477aa;height:12px;display:inline-block}
"""


def sweep_page(table: SweepTable, title: str) -> str:
    """The page as HTML that refers to nothing outside itself.

    Args:
        table: The runs; those without a score stand in the table alone.
        title: The sweep's name.
    """
    rows = table.rows()
    cells = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}' for cell in row)}" for row in rows[1:])
    head = "".join(f"<th>{html.escape(name)}" for name in rows[0])
    judged_by = ", ".join(f"{name} ({mode})" for name, mode in table.objectives.items())
    best = ", ".join(map(str, table.best())) or "none yet"
    return (
        f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title><style>{STYLE}</style>"
        f"<h1>{html.escape(title)}</h1><p>Judged by {html.escape(judged_by)}; best run: {best}.</p>"
        f"{_parallel(table)}{_importance(table)}<table><tr>{head}{cells}</table>\n"
    )


def setting_importance(table: SweepTable) -> dict[str, float]:
    """How much of the score's ranking a setting explains by itself, 0..1, the greatest first.

    For numbers it is the square of Spearman's rank correlation, for words the share of the ranks' variance
    that lies between groups.
    """
    judged = table.judged()
    if len(judged) < 3:
        return {}
    ranks = _ranks([values[0] for values in judged.values()])
    found = {}
    for name, values in table.varied.items():
        typed = [values[number] for number in judged]
        numbers = _numbers(typed)
        if numbers is not None:
            of_setting = _ranks(numbers)
            spread = of_setting.std() * ranks.std()
            covariance = np.mean((of_setting - of_setting.mean()) * (ranks - ranks.mean()))
            found[name] = float((covariance / spread) ** 2) if spread else 0.0
        elif ranks.std():
            groups = [ranks[[value == one for value in typed]] for one in set(typed)]
            between = sum(len(g) * (g.mean() - ranks.mean()) ** 2 for g in groups)
            found[name] = float(between / (len(ranks) * ranks.var()))
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _importance(table: SweepTable) -> str:
    shares = setting_importance(table)
    if not shares:
        return ""
    rows = "".join(
        f"<tr><td>{html.escape(name)}<td>{share:.2f}"
        f"<td><span class=bar style='width:{300 * share:.0f}px'></span>"
        for name, share in shares.items()
    )
    title = "Share of the score's ranking that a setting explains by itself"
    return f"<h2>{title}</h2><table>{rows}</table><h2>Runs</h2>"


def _parallel(table: SweepTable) -> str:
    """An axis a setting and an objective, a line a run, blue for the best score and red for the worst."""
    judged = table.judged()
    if not judged:
        return ""
    axes: dict[str, Mapping[int, str]] = dict(table.varied)
    for index, name in enumerate(table.objectives):
        axes[name] = {number: f"{values[index]:.6g}" for number, values in judged.items()}
    step = (WIDTH_PX - 2 * MARGIN_PX) / max(len(axes) - 1, 1)
    heights = {name: _heights([values[number] for number in judged]) for name, values in axes.items()}
    goodness = _ranks([values[0] for values in judged.values()]) / max(len(judged) - 1, 1)
    if next(iter(table.objectives.values())) == "max":
        goodness = 1 - goodness
    drawn = []
    for index, number in enumerate(judged):
        points = [f"{MARGIN_PX + step * i:.1f},{heights[name][0][index]:.1f}" for i, name in enumerate(axes)]
        told = f"run {number}: " + ", ".join(f"{name}={values[number]}" for name, values in axes.items())
        hue = 220 - 220 * goodness[index]
        drawn.append(
            f"<path d='M{' L'.join(points)}' stroke='hsl({hue:.0f} 70% 45%)'>"
            f"<title>{html.escape(told)}</title></path>"
        )
    for i, name in enumerate(axes):
        x, (low, high) = MARGIN_PX + step * i, heights[name][1]
        label = html.escape(name if len(name) <= 28 else f"…{name[-27:]}")
        drawn.append(
            f"<line x1='{x}' x2='{x}' y1='{MARGIN_PX}' y2='{HEIGHT_PX - MARGIN_PX}'/>"
            f"<text x='{x}' y='{MARGIN_PX - 24}' text-anchor='middle'>{label}</text>"
            f"<text x='{x}' y='{MARGIN_PX - 8}' text-anchor='middle'>{html.escape(high)}</text>"
            f"<text x='{x}' y='{HEIGHT_PX - MARGIN_PX + 18}' text-anchor='middle'>{html.escape(low)}</text>"
        )
    return f"<svg viewBox='0 0 {WIDTH_PX} {HEIGHT_PX}'>{''.join(drawn)}</svg>"


def _heights(typed: list[str]) -> tuple[np.ndarray, tuple[str, str]]:
    """Where values lie on an axis, px from the top, and what its lower and upper ends are called.

    Positive numbers over more than a factor of twenty lie on a logarithmic axis, words at equal distances.
    """
    numbers = _numbers(typed)
    if numbers is None:
        words = sorted(set(typed))
        values, ends = np.array([words.index(one) for one in typed], float), (words[0], words[-1])
    else:
        values = np.array(numbers)
        ends = (typed[int(values.argmin())], typed[int(values.argmax())])
        if values.min() > 0 and values.max() > 20 * values.min():
            values = np.log(values)
    span = float(np.ptp(values)) or 1.0
    share = (values - values.min()) / span
    return HEIGHT_PX - MARGIN_PX - share * (HEIGHT_PX - 2 * MARGIN_PX), ends


def _numbers(typed: list[str]) -> list[float] | None:
    try:
        values = [float(one) for one in typed]
    except ValueError:
        return None
    return values if all(map(math.isfinite, values)) else None


def _ranks(values: list[float]) -> np.ndarray:
    """Ranks from 0; equal values share the mean of theirs."""
    unique, inverse, counts = np.unique(np.array(values), return_inverse=True, return_counts=True)
    starts = np.cumsum(counts) - counts
    return (starts + (counts - 1) / 2)[inverse] if len(unique) else np.zeros(0)
