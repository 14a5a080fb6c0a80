"""Trained nets against `render=warp` and RIFE on clips that they never saw, from the stored intervals.

    python experiments/renderer_choice/judge.py people.h5 judged.csv CKPT[,CKPT...] CLIP_PATTERN [...]

Over all stored moments: LPIPS of AlexNet (trained on) and of VGG16 (not), PSNR near the limbs, and flicker:
the error of the difference between the two stored moments of an interval. A net is judged behind the gate of
the warp, as the chain uses it, and alone, as if it decided by itself; one that weighs trust is told the gate.
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
    found = [
        dict(zip(one, scores(list(one.values()), truth, inputs), strict=True))
        for one, (inputs, truth) in zip(made, moments, strict=True)
    ]
    rows = []
    for method in made[0]:
        row = {name: float(np.mean([one[method][name] for one in found])) for name in MEASURES[:3]}
        true_change = moments[-1][1] - moments[0][1]
        row["flicker"] = float((made[-1][method] - made[0][method] - true_change).abs().mean())
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
    trained = {Path(ckpt).stem: load_renderer_net(ckpt, BASE) for ckpt in ckpts.split(",")}
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
