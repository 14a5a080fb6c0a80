"""Make the file that comes with the package out of a run, and its curve.

python ship.py --run RUN --weights motion_base.safetensors --curve results/curve.csv
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import torch

from rib.motion.nets.checkpoint import load_motion_net, save_motion_net

NOTES = {
    "data": "CMU Graphics Lab Motion Capture Database, 122 clips of subjects 01 02 03 06 07 08 10 35 94, "
    "through random cameras; errors of two real detector tracks",
    "command": "rib train experiment=motion_base; then experiment=motion_refined restore=finetune",
    "licence": "Apache-2.0",
}


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("run", "weights", "curve"):
        ask.add_argument(f"--{name}", required=True, type=Path)
    given = ask.parse_args()
    ckpt = given.run / "checkpoints/last.ckpt"
    held = torch.load(ckpt, map_location="cpu", weights_only=True)
    notes = NOTES | {"steps": str(held["global_step"])}
    save_motion_net(given.weights, load_motion_net(ckpt), held["hyper_parameters"]["net"], notes)
    write_curve(given.run / "metrics.csv", given.curve)


def write_curve(metrics: Path, target: Path) -> None:
    """One row a step, one column a number; every 150th step, and all that were validated."""
    rows: dict[int, dict[str, str]] = {}
    with metrics.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if not row["name"].startswith(("train/steps", "train/data")):
                step = int(row["step"])
                rows.setdefault(step, {"step": str(step)})[row["name"]] = f"{float(row['value']):.5g}"
    names = sorted({name for row in rows.values() for name in row} - {"step"})
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["step", *names])
        writer.writeheader()
        writer.writerows(
            rows[step] for step in sorted(rows) if step % 150 == 149 or "val/ratio" in rows[step]
        )


if __name__ == "__main__":
    main()
