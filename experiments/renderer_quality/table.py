"""The table of what `score.py` left: every method of every case against the training-free renderer.

    python table.py out=OUT[,OUT2...]

Markdown on the screen, numbers in OUT/table.csv. Changes of LPIPS and of joint error are shares of the
warp's; a case of several folders is told once a method.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

COLUMNS = (
    "case", "method", "person_db", "person_lpips", "lpips_change", "joint_error", "joint_change",
    "full_lpips", "net_intervals", "s_a_frame",
)  # fmt: skip
BASE = "warp"


def stored_scores(out: list[Path]) -> dict[str, dict[str, dict[str, Any]]]:
    """By case, then by method: what the benchmark wrote."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for folder in out:
        for path in sorted(folder.glob("*/metrics.json")):
            found.setdefault(path.parent.name, {}).update(json.loads(path.read_text())["methods"])
    return found


def rows(case: str, methods: dict[str, dict[str, Any]]) -> list[list[str]]:
    """A row a method, in the order of `COLUMNS`."""
    base = methods.get(BASE, {}).get("summary", {})
    made = []
    for name, method in methods.items():
        summary = method["summary"]
        changes = {
            key: f"{100 * (summary[key] / base[key] - 1):+.1f} %" if base.get(key) else ""
            for key in ("lpips_person", "joint_error")
        }
        share = method.get("net_intervals", method.get("net_gaps"))
        used = "" if share is None else f"{share:.2f}"
        made.append([
            case, name, f"{summary['psnr_person']:.3f}", f"{summary['lpips_person']:.4f}",
            changes["lpips_person"], f"{summary['joint_error']:.4f}", changes["joint_error"],
            f"{summary['lpips_full']:.4f}", used, f"{method['seconds_a_frame']:.2f}",
        ])  # fmt: skip
    return made


def main(arguments: list[str]) -> None:
    """See the module."""
    given = dict(argument.split("=", 1) for argument in arguments)
    out = [Path(folder) for folder in given["out"].split(",")]
    table = [row for case, methods in stored_scores(out).items() for row in rows(case, methods)]
    with (out[0] / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *table])
    for row in [COLUMNS, ["---"] * len(COLUMNS), *table]:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])
