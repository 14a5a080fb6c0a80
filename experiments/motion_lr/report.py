"""A sweep folder as a table and a plot.

python report.py SWEEP_FOLDER results
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

from rib.config.sweeps.results import runs_of_sweep
from rib.config.sweeps.table import SweepTable, objectives_of_sweep
from rib.engine.loggers.csv_logger import read_metrics

RATE, DECAY = "task.module.optimizer.lr", "task.module.optimizer.weight_decay"


def main(source: Path, target: Path) -> None:
    header, *rows = SweepTable.of(runs_of_sweep(source), objectives_of_sweep(source)).rows()
    table = [dict(zip(header, row, strict=True)) for row in rows]
    lines = ["| run | learning rate | weight decay | error / spline's | seconds |", "|---|---|---|---|---|"]
    for r in table:
        settings = f"{float(r[RATE]):.2e} | {float(r[DECAY]):.2e}"
        lines.append(f"| {r['run']} | {settings} | {r['score'] or r['state']} | {r['seconds']} |")
    target.mkdir(exist_ok=True)
    (target / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (target / "sweep.csv").write_bytes((source / "sweep.csv").read_bytes())
    figure, (scores, losses) = plt.subplots(1, 2, figsize=(10, 3.5), layout="constrained")
    done = [r for r in table if r["score"]]
    scores.scatter([float(r[RATE]) for r in done], [float(r["score"]) for r in done], c="C0")
    for r in done:
        scores.annotate(r["run"], (float(r[RATE]), float(r["score"])), (4, 4), textcoords="offset points")
        points = read_metrics(source / r["run"] / "metrics.csv")["train/loss"]
        losses.plot(*zip(*points, strict=True), label=f"{r['run']}: {float(r[RATE]):.1e}", lw=0.9)
    scores.set(xscale="log", xlabel="learning rate", ylabel="error / spline's, after 100 steps")
    losses.set(xlabel="step", ylabel="training loss, weighted")
    losses.legend(fontsize=7)
    figure.savefig(target / "sweep.png", dpi=90)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
