"""Score motion weights on the held-out clips with the scorer `motion_eval.py`, and write the tables of README.md.

    python score.py --scorer FOLDER_OF_MOTION_EVAL --mocap MOCAP_JOINTS --detections OPENPOSE_JSON --out results/

Conditions: those of the scorer, and its detector noise halved and doubled.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from scorer_plugin import methods

HELD_OUT = ("cmu_05_", "cmuasf_05_", "cmu_09_", "cmuasf_09_", "cmu_12_", "cmuasf_12_", "cmu_salsa_")
BASELINES = ("linear", "pchip", "cubic_natural", "hampel+linear", "hampel+cubic", "hampel+gauss0.04s+cubic")
NOISES = {"detector": 1.0, "half": 0.5, "double": 2.0}
Rows = list[dict[str, Any]]


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("scorer", "mocap", "detections", "out"):
        ask.add_argument(f"--{name}", required=True, type=Path)
    ask.add_argument("--every", type=int, default=1, help="score every n-th sequence only")
    given = ask.parse_args()
    sys.path.insert(0, str(given.scorer))
    scorer = importlib.import_module("motion_eval")
    chosen = {name: scorer.BASE[name] for name in BASELINES} | methods()
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(given.mocap.glob("*.npz")):
            if path.name.startswith(HELD_OUT):
                (Path(folder) / path.name).symlink_to(path.resolve())
        sequences = scorer.build(folder)[:: given.every]
    tracks = scorer.load_tracks(str(given.detections))
    rows: Rows = scorer.run(chosen, sequences, ("clean", "real"), bank=scorer.residual_bank(tracks))
    for name, factor in NOISES.items():
        with noise_times(scorer, factor):
            rows += [row | {"cond": name} for row in scorer.run(chosen, sequences, ("detector",))]
    result = {"rows": rows, "tracks": scorer.run_tracks(chosen, tracks), "bends": bends(scorer, chosen, tracks)}
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "tables.md").write_text(report(result), encoding="utf-8")
    (given.out / "summary.json").write_text(json.dumps(summary(result), indent=1), encoding="utf-8")
    print(report(result))


@contextmanager
def noise_times(scorer: ModuleType, factor: float) -> Iterator[None]:
    """The scorer's detector noise with its gaussian part times `factor`; everything else stays."""

    class Scaled:
        def __init__(self, rng: np.random.Generator) -> None:
            self.rng = rng

        def __getattr__(self, name: str) -> Any:
            return getattr(self.rng, name)

        def normal(self, loc: float = 0.0, scale: float = 1.0, size: Any = None) -> Any:
            keypoint_noise = np.isclose(scale, 0.015 * scorer.HPX)
            return self.rng.normal(loc, scale * (factor if keypoint_noise else 1.0), size)

    plain = scorer.corrupt
    scorer.corrupt = lambda xy, t, cond, rng, bank=None: plain(xy, t, cond, Scaled(rng), bank)
    try:
        yield
    finally:
        scorer.corrupt = plain


def bends(scorer: ModuleType, chosen: dict[str, Callable[..., Any]], tracks: Rows) -> dict[str, dict[int, float]]:
    """Mean acceleration of each method's motion on real tracks, px per frame squared at 250 px."""
    found: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for track in tracks:
        size, times = scorer.HPX / track["H"], np.arange(len(track["x"])) / track["fps"]
        for rate in scorer.RATES:
            stride = max(2, round(rate * track["fps"] / 60))
            last = (len(times) - 1) // stride * stride
            keys, query = slice(0, last + 1, stride), times[: last + 1]
            seen = (track["c"][: last + 1] > 0).any(0)
            for name, method in chosen.items():
                y = np.asarray(method(times[keys], track["x"][keys] * size, track["c"][keys], query))
                found[name][rate].append(float(np.linalg.norm(np.diff(y, 2, axis=0), axis=-1)[:, seen].mean()))
    return {name: {rate: float(np.mean(v)) for rate, v in by.items()} for name, by in found.items()}


def summary(result: dict[str, Any]) -> dict[str, Any]:
    """Means over sequences of every measure, by condition, method and stride."""
    cells: dict[str, Any] = defaultdict(list)
    for row in result["rows"]:
        for measure in ("between", "key", "acc", "pck05", "torso"):
            cells[f"{measure}/{row['cond']}/{row['method']}/{row['R']}"].append(row[measure])
    means = {name: round(float(np.nanmean(values)), 4) for name, values in cells.items()}
    for row in result["tracks"]:
        cells[f"tracks/{row['clip']}/{row['method']}/{row['R']}"].append((row["sum"], row["n"]))
        cells[f"tracks/all/{row['method']}/{row['R']}"].append((row["sum"], row["n"]))
    for name, values in cells.items():
        if name.startswith("tracks"):
            total, count = np.sum(values, axis=0)
            means[name] = round(float(total / count), 4)
    return means


def report(result: dict[str, Any]) -> str:
    """The tables as Markdown."""
    means, ours = summary(result), "motion_base"
    cell = lambda *words: means["/".join(map(str, words))]  # noqa: E731
    strides = (4, 8, 16)
    trio = lambda f: " / ".join(f"{f(R):.3f}" for R in strides)  # noqa: E731
    lines = ["| condition | against | in-between error, ratio | acceleration error, ratio |", "|---|---|---|---|"]
    for condition in ("clean", "detector", "half", "double", "real"):
        for other in ("cubic_natural", "linear", "best"):
            best = {
                R: min(BASELINES, key=lambda m: cell("between", condition, m, R)) if other == "best" else other
                for R in strides
            }
            ratio = lambda measure, R: cell(measure, condition, ours, R) / cell(measure, condition, best[R], R)  # noqa: B023, E731, E501
            name = "best classical: " + ", ".join(best.values()) if other == "best" else other
            lines.append(
                f"| {condition} | {name} | {trio(lambda R: ratio('between', R))} | {trio(lambda R: ratio('acc', R))} |"  # noqa: B023, E501
            )
    lines += ["", "| method | " + " | ".join(f"{c}, px" for c in ("clean", "detector", "half", "double", "real")) + " | tracks, px | tracks, acceleration |", "|---|---|---|---|---|---|---|---|"]  # noqa: E501
    for method in (*BASELINES, ours):
        columns = [trio(lambda R: cell("between", c, method, R)) for c in ("clean", "detector", "half", "double", "real")]  # noqa: B023, E501
        columns.append(trio(lambda R: cell("tracks", "all", method, R)))  # noqa: B023
        columns.append(trio(lambda R: result["bends"][method][R]))  # noqa: B023
        lines.append(f"| {method} | " + " | ".join(columns) + " |")
    lines += ["", "Real tracks one by one, px against the left-out detections:", ""]
    for clip in sorted({row["clip"] for row in result["tracks"]}):
        told = [f"{m} {trio(lambda R: cell('tracks', clip, m, R))}" for m in ("linear", "cubic_natural", ours)]  # noqa: B023
        lines.append(f"- {clip}: {'; '.join(told)}")
    lines += ["", "Worst clips on clean input, ratio to the natural cubic spline:", ""]
    for R in strides:
        sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for row in result["rows"]:
            if row["cond"] == "clean" and row["R"] == R:
                sums[row["clip"]][row["method"]] += row["between"]
        worst = sorted(((s[ours] / s["cubic_natural"], clip) for clip, s in sums.items()), reverse=True)[:3]
        lines.append(f"- R = {R}: " + ", ".join(f"{clip.removesuffix('.npz')} {value:.3f}" for value, clip in worst))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
