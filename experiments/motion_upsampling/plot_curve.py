"""The learning curve of a run's metrics.csv as a picture.

python plot_curve.py results/curve.csv results/curve.png
"""

from __future__ import annotations

import csv
import sys

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt


def main(source: str, target: str) -> None:
    with open(source, encoding="utf-8", newline="") as file:  # noqa: PTH123 (the csv module wants an open file)
        rows = list(csv.DictReader(file))
    figure, (losses, ratios) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for name in sorted(rows[0]):
        points = [(int(r["step"]), float(r[name])) for r in rows if r[name] and name not in ("epoch", "step")]
        if points and name.startswith("train/") and name.endswith("_loss"):
            losses.plot(*zip(*points, strict=True), label=name[6:-5], linewidth=0.8)
        elif points and name.endswith("_ratio"):
            ratios.plot(*zip(*points, strict=True), label=name[4:-6])
    losses.set(xlabel="step", yscale="log", title="training losses, unweighted")
    ratios.set(xlabel="step", title="validation: in-between error / natural cubic spline")
    for axes in (losses, ratios):
        axes.legend(fontsize=8)
        axes.grid(alpha=0.3)
    figure.savefig(target, dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
