"""Trained nets against `render=warp` and RIFE on clips that they never saw, from the stored intervals.

    python experiments/renderer_choice/judge.py STORE OUT.csv NAME=CKPT[,NAME=CKPT...] [CLIP_PATTERN ...]

Of the moment in the middle of an interval: LPIPS of AlexNet (trained on) and of VGG16 (not), PSNR near the
limbs; and flicker, the error of the difference between an interval's first and last stored moments. A net is
judged behind the gate of the warp, as the chain uses it, and alone, as if it decided by itself; one that
weighs trust is told the gate.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sources import OPEN, PictureScores, StoredInterval, stored_intervals, warped, write_rows

from rib.metrics.lpips import SMALLEST_PX
from rib.metrics.pictures import flicker
from rib.render.nets.checkpoint import load_renderer_net
from rib.render.refine.refiner_input import RefinerInput

MEASURES = ("alexnet", "vgg16", "db", "flicker")
BASE = "rib.render.nets.base.RendererBase"


def pictures(inputs: RefinerInput, gate: float, nets: dict[str, torch.nn.Module]) -> dict[str, torch.Tensor]:
    """(1, 3, H, W) of every method."""
    made = {"rife": inputs.interpolated, "warp": warped(inputs, gate)}
    for name, net in nets.items():
        given = inputs.gated(gate) if net.weighs_trust else inputs
        refined = net.refine(given).over(given)  # type: ignore[operator]
        made[name], made[f"{name} behind the gate"] = refined, refined if gate >= OPEN else made["warp"]
    return made


@torch.inference_mode()
def judge(
    interval: StoredInterval, nets: dict[str, torch.nn.Module], scores: PictureScores
) -> list[dict[str, Any]]:
    """A row a method."""
    moments = [interval.moment(number) for number in range(len(interval.sample.channels))]
    made = [pictures(inputs, interval.sample.gate, nets) for inputs, _ in moments]
    middle = len(moments) // 2
    inputs, truth = moments[middle]
    found = dict(zip(made[middle], scores(list(made[middle].values()), truth, inputs), strict=True))
    rows: list[dict[str, Any]] = []
    for method, row in found.items():
        ends = torch.cat([made[0][method], made[-1][method]])
        row["flicker"] = flicker(ends, torch.cat([moments[0][1], moments[-1][1]]))
        rows.append(
            {"clip": interval.clip, "number": interval.number, "kind": interval.kind, "method": method, **row}
        )
    return rows


def tell(table: Path) -> None:
    """A table by kind of interval, changes against the warp."""
    rows = list(csv.DictReader(table.open()))
    print("| intervals | | method | LPIPS AlexNet | LPIPS VGG16 | PSNR, dB | flicker |")
    print("|---|---|---|---|---|---|---|")
    for kind in (*sorted({row["kind"] for row in rows}), "all"):
        some = [row for row in rows if kind in (row["kind"], "all")]
        methods = list(dict.fromkeys(row["method"] for row in some))
        means = {
            m: [np.mean([float(row[name]) for row in some if row["method"] == m]) for name in MEASURES]
            for m in methods
        }
        for method, values in means.items():
            change = [value / base - 1 for value, base in zip(values, means["warp"], strict=True)]
            cells = [f"{values[0]:.4f} ({change[0]:+.1%})", f"{values[1]:.4f} ({change[1]:+.1%})",
                     f"{values[2]:.2f} ({values[2] - means['warp'][2]:+.2f})",
                     f"{values[3]:.4f} ({change[3]:+.1%})"]  # fmt: skip
            print(f"| {kind} | {len(some) // len(methods)} | {method} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    torch.set_num_threads(1)
    store, table, ckpts, *patterns = sys.argv[1:]
    named = (one.split("=", 1) for one in ckpts.split(","))
    trained = {name: load_renderer_net(ckpt, BASE) for name, ckpt in named}
    judges = PictureScores(["alexnet", "vgg16"])
    write_rows(
        Path(table),
        [
            row
            for interval in stored_intervals(Path(store), patterns)
            if min(interval.sample.truth.shape[2:]) >= SMALLEST_PX  # of smaller people LPIPS says nothing
            for row in judge(interval, trained, judges)
        ],
    )
    tell(Path(table))
