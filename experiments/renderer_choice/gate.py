"""Could a small learned gate open the right intervals? One recording left out, against rule and oracle.

    python experiments/renderer_choice/gate.py features.csv people.h5 [judges.h5 ...]

Of the moment in the middle of every stored interval: what `learned_trust.py` sees, and by how much the
drawing's LPIPS is above or below RIFE's. Five nets of 24 hidden units learn it from all recordings but one
and decide that one. The table is kept: run again it is only read. Hold-outs are not stored with the
intervals, so neither the rule nor the nets know them here.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from learned_trust import FEATURES, DrawnBesideInterpolated, LearnedTrust, trust_features
from sources import OPEN, PictureScores, StoredInterval, stored_intervals, warped, write_rows

from rib.render.refine.refiner_input import RefinerInput

SMALLEST_PX = 40
BAD, MUCH = 0.006, 0.02
"""LPIPS that an interval must not lose, and one from which on its change counts as a share."""
RECORDINGS = {"walk_s": "sports2d", "jacks_s": "sports2d"}
"""By how clips' names begin; any other clip is of the recording that its first two words name."""


def recording(clip: str) -> str:
    """The recording that a clip is of."""
    for start, name in RECORDINGS.items():
        if clip.startswith(start):
            return name
    words = clip.partition("_o")[0].rsplit("_s", 1)[0].split("_")
    return "_".join(words[:2]) if words[0] in ("gmdcsa", "edgetam") else words[0]


def features(inputs: RefinerInput) -> tuple[float, ...]:
    """What the nets see of a stored moment."""
    flow_a, matte_a, flow_b, matte_b = inputs.carried.split([3, 1, 3, 1], 1)
    differs = [(flow_a - flow_b).abs().mean(1, keepdim=True), (matte_a - matte_b).abs()]
    outline, colour, undecided = inputs.evidence[0, :, 0, 0].tolist()
    beside = DrawnBesideInterpolated(
        inputs.interpolated, inputs.colour, inputs.alpha, inputs.trust, torch.maximum(matte_a, matte_b),
        torch.cat(differs, 1), inputs.differs,
    )  # fmt: skip
    return trust_features((outline, colour, undecided), beside)


def row(interval: StoredInterval, scores: PictureScores) -> dict[str, float | str] | None:
    """Features and answer of an interval; None where its box is too small."""
    inputs, truth = interval.moment(len(interval.sample.channels) // 2)
    if min(truth.shape[-2:]) < SMALLEST_PX:
        return None
    rife, drawn = scores([inputs.interpolated, warped(inputs)], truth, inputs)
    return {
        "clip": interval.clip, "number": interval.number, "gate": interval.sample.gate,
        "rife": rife["alexnet"], "drawn": drawn["alexnet"], "rife_db": rife["db"], "drawn_db": drawn["db"],
        **dict(zip(FEATURES, features(inputs), strict=True)),
    }  # fmt: skip


def taught(known: np.ndarray, answers: np.ndarray) -> LearnedTrust:
    """Five small nets that say what drawing changes of LPIPS, as a share, from (R, K) features."""
    mean, scale = known.mean(0), known.std(0)
    x, y = (torch.from_numpy(one).float() for one in ((known - mean) / scale, answers))
    hidden, answer = [], []
    for seed in range(5):
        torch.manual_seed(seed)
        net = torch.nn.Sequential(
            torch.nn.Linear(known.shape[1], 24), torch.nn.Tanh(), torch.nn.Linear(24, 1)
        )
        optimizer = torch.optim.AdamW(net.parameters(), 1e-2, weight_decay=0.1)
        for _ in range(400):
            loss = F.huber_loss(net(x)[:, 0], y.clamp(-1, 1), delta=0.2)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        first, last = (torch.cat([net[i].weight, net[i].bias[:, None]], 1).detach() for i in (0, 2))
        hidden.append(first.numpy())
        answer.append(last[0].numpy())
    return LearnedTrust(mean, scale, np.stack(hidden), np.stack(answer))


def known_of(rows: list[dict[str, str]]) -> tuple[np.ndarray, np.ndarray]:
    """Features (R, K), and by which share drawing changes LPIPS; small ones count less."""
    x = np.array([[float(one[name]) for name in FEATURES] for one in rows])
    rife, drawn = (np.array([float(one[key]) for one in rows]) for key in ("rife", "drawn"))
    return x, (drawn - rife) / (rife + MUCH)


def tell(table: Path) -> None:
    """A line a gate: how often it opens, LPIPS and PSNR against RIFE, intervals that lose."""
    rows = list(csv.DictReader(table.open()))
    x, answers = known_of(rows)
    names = np.array([recording(one["clip"]) for one in rows])
    gate, rife, drawn, rife_db, drawn_db = (
        np.array([float(one[key]) for one in rows])
        for key in ("gate", "rife", "drawn", "rife_db", "drawn_db")
    )
    said = np.zeros(len(rows))
    for name in np.unique(names):
        out = names == name
        said[out] = taught(x[~out], answers[~out])(x[out])
    rule = gate >= OPEN
    gates = {"none": rule & False, "rule": rule, "all": rule | True, "the better": drawn < rife}
    gates |= {f"learned < {least:+.2f}": said < least for least in (0.0, -0.05, -0.1)}
    gates |= {f"rule and learned < {least:+.2f}": rule & (said < least) for least in (0.05, 0.0, -0.05)}
    print(f"{len(rows)} intervals of {len(np.unique(names))} recordings\n")
    print("| opened by | share | LPIPS | PSNR, dB | lose more than .006 | recording that loses most |")
    print("|---|---|---|---|---|---|")
    for told, opened in gates.items():
        lpips, won_db = np.where(opened, drawn, rife), np.where(opened, drawn_db - rife_db, 0)
        worst = max(lpips[names == name].mean() / rife[names == name].mean() - 1 for name in np.unique(names))
        print(
            f"| {told} | {opened.mean():.0%} | {lpips.mean():.5f} ({lpips.mean() / rife.mean() - 1:+.1%}) | "
            f"{won_db.mean():+.2f} | {int((lpips - rife > BAD).sum())} | {worst:+.1%} |"
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    path, *stores = map(Path, sys.argv[1:])
    if not path.is_file():
        judge = PictureScores(["alexnet"])
        with torch.inference_mode():
            found = [row(one, judge) for store in stores for one in stored_intervals(store, [])]
        write_rows(path, [one for one in found if one is not None])
    tell(path)
