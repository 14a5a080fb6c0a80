"""What an ideal choice could gain over what ships, by kind of interval: the table that says where to push.

    python experiments/renderer_choice/oracle.py people.h5 oracle.csv [CLIP_PATTERN ...]

The middle moment of every stored interval: RIFE, `render=warp`, the better of RIFE and the drawing in an
interval (by LPIPS), the nearer of the two to the truth in every window of 9 px, and the nearest of all five
sources in windows of 9 and of 33 px.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import torch
from sources import PictureScores, nearest, sources, stored_intervals, warped, write_rows

SMALL_PX, LARGE_PX = 9, 33
METHODS = ("rife", "warp", "drawing", "two, 9 px", "all, 9 px", "all, 33 px")
MEASURES = ("alexnet", "db")


@torch.inference_mode()
def measure(store: Path, patterns: list[str], table: Path) -> None:
    """A row an interval."""
    scores, rows = PictureScores(["alexnet"]), []
    for interval in stored_intervals(store, patterns):
        inputs, truth = interval.moment(len(interval.sample.channels) // 2)
        if min(truth.shape[-2:]) < 32:
            continue
        every = sources(inputs)
        made = [
            every[0], warped(inputs, interval.sample.gate), warped(inputs),
            nearest(every[:2], truth, SMALL_PX),
            *(nearest(every, truth, side_px) for side_px in (SMALL_PX, LARGE_PX)),
        ]  # fmt: skip
        row = {
            "clip": interval.clip,
            "number": interval.number,
            "kind": interval.kind,
            "gate": round(interval.sample.gate, 3),
        }
        for method, found in zip(METHODS, scores(made, truth, inputs), strict=True):
            row |= {f"{method} {name}": round(value, 5) for name, value in found.items()}
        rows.append(row)
    write_rows(table, rows)


def tell(table: Path) -> None:
    """A line a kind: means over the intervals, and changes against the warp."""
    rows = list(csv.DictReader(table.open()))
    print("| intervals | | RIFE | warp | better of both | two, 9 px | all, 9 px | all, 33 px |")
    print("|---|---|---|---|---|---|---|---|")
    for kind in (*sorted({row["kind"] for row in rows}), "all"):
        some = [row for row in rows if kind in (row["kind"], "all")]
        lpips, db = (
            {method: np.array([float(row[f"{method} {name}"]) for row in some]) for method in METHODS}
            for name in MEASURES
        )
        ours = lpips["drawing"] < lpips["rife"]
        lpips["better"], db["better"] = (np.where(ours, x["drawing"], x["rife"]) for x in (lpips, db))
        base = lpips["warp"].mean()
        cells = [
            f"{lpips[name].mean():.4f} ({lpips[name].mean() / base - 1:+.0%}), {db[name].mean():.2f} dB"
            for name in ("rife", "warp", "better", *METHODS[3:])
        ]
        print(f"| {kind} | {len(some)} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    torch.set_num_threads(1)
    store, table, *patterns = sys.argv[1:]
    measure(Path(store), patterns, Path(table))
    tell(Path(table))
