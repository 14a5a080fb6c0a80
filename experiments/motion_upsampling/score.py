"""Score motion weights on the held-out clips with the scorer `motion_eval.py`, and write the tables of
README.md.

    python score.py --scorer FOLDER --mocap MOCAP_JOINTS --detections OPENPOSE_JSON --baseline BASELINE.json
    --out DIR

`RIB_MOTION_WEIGHTS` names other weights than the shipped ones. Sequences, corruption and measures are the
scorer's; only the net is run in batches. Conditions: the scorer's, and its detector noise halved and doubled.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from report import report
from scorer_plugin import load, methods

HELD_OUT = ("cmu_05_", "cmuasf_05_", "cmu_09_", "cmuasf_09_", "cmu_12_", "cmuasf_12_", "cmu_salsa_")
CONDITIONS = {"clean": 1.0, "detector": 1.0, "real": 1.0, "half": 0.5, "double": 2.0}
"""And by how much the gaussian part of the detector's noise is multiplied."""
OURS, BATCH = "motion_base", 32
Sequences = list[dict[str, Any]]


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("scorer", "mocap", "detections", "baseline", "out"):
        ask.add_argument(f"--{name}", required=True, type=Path)
    ask.add_argument("--every", type=int, default=1, help="score every n-th sequence only")
    given = ask.parse_args()
    sys.path.insert(0, str(given.scorer))
    scorer = importlib.import_module("motion_eval")
    sequences = held_out(scorer, given.mocap)[:: given.every]
    tracks = scorer.load_tracks(str(given.detections))
    bank, net = scorer.residual_bank(tracks), load()
    rows = [
        row
        for condition in CONDITIONS
        for stride in scorer.RATES
        for row in scored(scorer, net, sequences, condition, stride, bank)
    ]
    chosen = {name: scorer.BASE[name] for name in ("linear", "cubic_natural", "hampel+linear")} | methods()
    result = {
        "rows": rows,
        "tracks": scorer.run_tracks(chosen, tracks),
        "bends": bends(scorer, chosen, tracks),
        "baseline": json.loads(given.baseline.read_text()),
    }
    given.out.mkdir(parents=True, exist_ok=True)
    text, summary = report(result, OURS)
    (given.out / "tables.md").write_text(text, encoding="utf-8")
    (given.out / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    print(text)


def held_out(scorer: ModuleType, mocap: Path) -> Sequences:
    """The scorer's sequences of the clips that were never trained on."""
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(mocap.glob("*.npz")):
            if path.name.startswith(HELD_OUT):
                (Path(folder) / path.name).symlink_to(path.resolve())
        return scorer.build(folder)


def scored(
    scorer: ModuleType, net: torch.nn.Module, sequences: Sequences, condition: str, stride: int, bank: Any
) -> Sequences:
    """A row for every sequence and method."""
    kind = condition if condition in scorer.COND else "detector"
    cases = []
    for sequence in sequences:
        rng = np.random.default_rng([*sequence["id"], scorer.COND[kind], stride])
        times = np.arange(len(sequence["xy"])) / 60.0
        noisy = Scaled(rng, 0.015 * scorer.HPX, CONDITIONS[condition])
        cases.append((times, *scorer.corrupt(sequence["xy"][::stride], times[::stride], kind, noisy, bank)))
    answers = {
        name: [scorer.BASE[name](t[::stride], x, c, t) for t, x, c in cases]
        for name in ("linear", "cubic_natural")
    }
    answers[OURS] = in_batches(net, cases, stride)
    return [
        {"method": name, "cond": condition, "R": stride, "clip": s["clip"], **scorer.score(s, stride, y)}
        for name, found in answers.items()
        for s, y in zip(sequences, found, strict=True)
    ]


def in_batches(net: torch.nn.Module, cases: list[tuple[np.ndarray, ...]], stride: int) -> list[np.ndarray]:
    """The net's answers, cases of like length together."""
    order = np.argsort([len(times) for times, _, _ in cases])
    found: list[np.ndarray] = [np.empty(0)] * len(cases)
    for part in np.split(order, range(BATCH, len(order), BATCH)):
        longest = max(len(cases[i][1]) for i in part)
        times = torch.arange(longest, dtype=torch.float64).expand(len(part), -1) * stride / 60
        keypoints, confidence = torch.zeros(len(part), longest, 19, 2), torch.zeros(len(part), longest, 19)
        present = torch.zeros(len(part), longest, dtype=torch.bool)
        for row, i in enumerate(part):
            K = len(cases[i][1])
            keypoints[row, :K], confidence[row, :K] = map(torch.as_tensor, cases[i][1:])
            present[row, :K] = True
        moments = torch.arange((longest - 1) * stride + 1, dtype=torch.float64).expand(len(part), -1) / 60
        with torch.inference_mode():
            poses = net(times, keypoints, confidence, present).at(moments)[0].double().numpy()
        for row, i in enumerate(part):
            found[i] = poses[row, : len(cases[i][0])]
    return found


class Scaled:
    """A generator whose draws of one standard deviation are multiplied: more or less noise, else the same."""

    def __init__(self, rng: np.random.Generator, sigma: float, factor: float) -> None:
        self.rng, self.sigma, self.factor = rng, sigma, factor

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rng, name)

    def normal(self, loc: float = 0.0, scale: float = 1.0, size: Any = None) -> Any:
        return self.rng.normal(loc, scale * (self.factor if np.isclose(scale, self.sigma) else 1.0), size)


def bends(
    scorer: ModuleType, chosen: dict[str, Callable[..., Any]], tracks: Sequences
) -> dict[str, dict[int, float]]:
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
                found[name][rate].append(
                    float(np.linalg.norm(np.diff(y, 2, axis=0), axis=-1)[:, seen].mean())
                )
    return {name: {rate: float(np.mean(v)) for rate, v in by.items()} for name, by in found.items()}


if __name__ == "__main__":
    main()
