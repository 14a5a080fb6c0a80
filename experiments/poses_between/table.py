"""Tell how far poses between keyframes lie from the true ones, and what candidates from pixels would win.

python experiments/poses_between/table.py OUT

Errors are in torso lengths: means over a setting's joints, then over settings. A joint counts where the true
frames show it with a visibility of `SURE`, where it does not jump there by `JUMP` against the frames beside,
and where a second look at the true frame finds it again within `AGAIN`. What is mixed is chosen on the
recordings of `people` with one left out, and for the judges on all of `people`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

CASES = Path(__file__).parents[1] / "people" / "cases.json"
KINDS = {"trunk": (1, 2, 5, 8, 9, 12), "elbows, knees": (3, 6, 10, 13), "wrists, ankles": (4, 7, 11, 14)}
SURE, JUMP, AGAIN = 0.6, 0.15, 0.15
TRAVELS = (0.0, 0.25, 0.5, 1.0, np.inf)
"""Torso lengths that a joint goes between the two keyframes."""
MOST, NEAR = (0.1, 0.2, 0.35, 0.5), (0.05, 0.1, 0.2, 0.4)
"""Greatest weight of a measured joint, and torso lengths from the motion net's over which it falls."""
Rows = dict[str, np.ndarray]


@dataclass(frozen=True)
class Joints:
    """All joints that count, one after the other: columns of `measure.py`'s rows, and whose they are."""

    columns: Rows
    setting: np.ndarray
    recording: np.ndarray
    judge: np.ndarray
    kind: np.ndarray

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def apart(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Torso lengths between places."""
        return np.linalg.norm(a[:, :2] - b[:, :2], axis=1) / self["torso"]

    def error(self, places: np.ndarray) -> np.ndarray:
        """Torso lengths from the truth."""
        return self.apart(places, self["true"])

    def mean(self, errors: np.ndarray, chosen: np.ndarray) -> float:
        """Mean over settings of the means over their joints; what is not known does not count."""
        chosen = chosen & np.isfinite(errors)
        _, inverse = np.unique(self.setting[chosen], return_inverse=True)
        return float((np.bincount(inverse, errors[chosen]) / np.bincount(inverse)).mean())


def load(out: Path) -> Joints:
    """Everything that was measured."""
    cases, parts, names = json.loads(CASES.read_text()), [], []
    for path in sorted(out.glob("*.npz")):
        name, stride = path.stem.rsplit("_", 1)
        part = one_setting(dict(np.load(path)), float(stride))
        parts.append(part)
        names += [(path.stem, cases[name]["recording"], cases[name]["judge"])] * len(part["torso"])
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    setting, recording, judge = (np.array(column) for column in zip(*names, strict=True))
    kind = np.array([next(i for i, js in enumerate(KINDS.values()) if j in js) for j in columns["joint"]])
    return Joints(columns, setting, recording, judge, kind)


def one_setting(rows: Rows, stride: float) -> Rows:
    """The joints of a setting that count."""
    before, here, after = rows["true"].transpose(1, 0, 2, 3)
    torso = rows["torso"][:, None]
    far = lambda a, b: np.linalg.norm(a[..., :2] - b[..., :2], axis=-1) / torso  # noqa: E731
    counted = (rows["true_confidence"] >= SURE).all(1) & (rows["ends_confidence"] > 0).all(1)
    counted &= (far(here, (before + after) / 2) < JUMP) & (rows["net_confidence"] > 0)
    counted &= ~(far(rows["seen_in_truth"], here) > AGAIN)
    counted[:, [j for j in range(counted.shape[1]) if not any(j in js for js in KINDS.values())]] = False
    given = {name: value for name, value in rows.items() if value.shape[1:2] == counted.shape[1:]}
    flows = (rows["flow_a"] + rows["flow_b"]) / 2
    flows[..., 2] = far(rows["flow_a"], rows["flow_b"])
    given |= {"true": here, "travel": far(rows["ends"][:, 0], rows["ends"][:, 1]), "flows": flows}
    given |= {
        "velocities": with_true_velocities(rows, stride),
        "torso": np.broadcast_to(torso, here.shape[:2]),
    }
    given |= {"looks_apart": far(rows["seen_in_a"], rows["seen_in_b"])}
    row, joint = np.nonzero(counted)
    return {name: value[row, joint] for name, value in given.items()} | {"joint": joint}


def with_true_velocities(rows: Rows, stride: float) -> np.ndarray:
    """The cubic Hermite curve through the motion net's keyframes with the velocities of the true frames.

    NaN where the true joint jumps beside a keyframe.
    """
    (a, b), speed = (
        rows["net_ends"].transpose(1, 0, 2, 3),
        rows["true_ends"][:, :, 2] - rows["true_ends"][:, :, 0],
    )
    before, here, after = rows["true_ends"].transpose(2, 0, 1, 3, 4)
    jump = np.linalg.norm(here - (before + after) / 2, axis=-1) / rows["torso"][:, None, None]
    va, vb = np.where(jump < JUMP, speed.transpose(3, 0, 1, 2), np.nan).transpose(2, 1, 3, 0) / 2 * stride
    t = rows["share"][:, None, None]
    ends = (2 * t**3 - 3 * t**2 + 1) * a + (3 * t**2 - 2 * t**3) * b
    return ends + (t**3 - 2 * t**2 + t) * va + (t**3 - t**2) * vb


def mixed(joints: Joints, measured: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The motion net's joints drawn towards measured ones by weights; what is not known counts nothing."""
    known = np.isfinite(measured[:, :2]).all(1) & np.isfinite(weight)
    share = np.where(known, weight, 0.0)[:, None]
    return joints["net"] + share * (np.where(known[:, None], measured[:, :2], joints["net"]) - joints["net"])


def folds(joints: Joints) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What may choose, and what that is chosen for."""
    for name in np.unique(joints.recording[~joints.judge]):
        yield ~joints.judge & (joints.recording != name), joints.recording == name
    yield ~joints.judge, joints.judge


def mixed_by_distance(joints: Joints, measured: np.ndarray) -> np.ndarray:
    """Nearer to the motion net's joint a measured one weighs more; `MOST` and `NEAR` are chosen."""
    apart, ends = joints.apart(measured, joints["net"]), joints.kind == 2
    grid = [mixed(joints, measured, most * np.exp(-((apart / near) ** 2))) for most in MOST for near in NEAR]
    result = joints["net"].copy()
    for others, own in folds(joints):
        best = min(grid, key=lambda places: joints.mean(joints.error(places), others & ends))
        result[own] = best[own]
    return result


def signs(joints: Joints, measured: np.ndarray) -> Rows:
    """By name (n,) what may tell whether a measured joint is right; NaN where it is not known."""
    return {
        "from the motion net": joints.apart(measured, joints["net"]),
        "from the flows": joints.apart(measured, joints["flows"]),
        "spline from the motion net": joints.apart(joints["net"], joints["cubic"]),
        "warped keyframes differ": joints["seen_in_rife_residual"],
        "they differ at the motion net's": joints["net_residual"],
        "travel": joints["travel"],
        "flows apart": joints["flows"][:, 2],
        "looks at warped keyframes apart": joints["looks_apart"],
        "look's visibility": 1 - joints["seen_in_rife"][:, 2],
    }


def features(joints: Joints, measured: np.ndarray) -> np.ndarray:
    """(n, 10) logarithms of the signs, and one."""
    found = np.stack([np.log(np.nan_to_num(x, nan=1.0) + 0.01) for x in signs(joints, measured).values()], 1)
    return np.c_[(found - found.mean(0)) / found.std(0), np.ones(len(found))]


def areas(joints: Joints, measured: np.ndarray) -> dict[str, float]:
    """Area under the curve of each sign for measured wrists and ankles of `people` nearer than the net's."""
    chosen = ~joints.judge & (joints.kind == 2) & np.isfinite(measured[:, :2]).all(1)
    better = (joints.error(measured) < joints.error(joints["net"]))[chosen]
    found = {}
    for name, sign in signs(joints, measured).items():
        rank = np.argsort(np.argsort(-np.nan_to_num(sign, nan=1.0)[chosen]))
        found[name] = round(float((rank[better].mean() - (better.sum() - 1) / 2) / (~better).sum()), 2)
    return found


def mixed_by_regression(joints: Joints, measured: np.ndarray, decay: float = 1e-3) -> np.ndarray:
    """A logistic weight of all `features`, fitted to the mean error itself."""
    known, x = np.isfinite(measured[:, :2]).all(1), torch.tensor(features(joints, measured))
    step = torch.tensor((measured[:, :2] - joints["net"]) / joints["torso"][:, None])
    wanted = torch.tensor((joints["true"] - joints["net"]) / joints["torso"][:, None])
    _, inverse, count = np.unique(joints.setting, return_inverse=True, return_counts=True)
    weight = torch.tensor(1 / count[inverse])
    result = joints["net"].copy()
    for others, own in folds(joints):
        rows = torch.tensor(others & known)
        b = torch.zeros(x.shape[1], dtype=torch.float64)
        b[-1] = -2
        b.requires_grad_()
        optimiser = torch.optim.LBFGS([b], max_iter=100, line_search_fn="strong_wolfe")

        def loss(
            rows: torch.Tensor = rows, b: torch.Tensor = b, optimiser: torch.optim.Optimizer = optimiser
        ):
            optimiser.zero_grad()
            off = torch.sigmoid(x[rows] @ b)[:, None] * step[rows] - wanted[rows]
            cost = (weight[rows] * (off.square().sum(1) + 1e-4).sqrt()).sum() / weight[rows].sum()
            cost = cost + decay * b[:-1].square().sum()
            cost.backward()
            return cost

        optimiser.step(loss)
        share = torch.sigmoid(x @ b).detach().numpy()
        result[own] = mixed(joints, measured, share)[own]
    return result


def nearest(joints: Joints, *names: str) -> np.ndarray:
    """(n,) the least error of the motion net and of these."""
    return np.nanmin([joints.error(joints[name]) for name in ("net", *names)], axis=0)


def candidates(joints: Joints) -> Iterator[tuple[str, np.ndarray]]:
    """Names and errors."""
    plain = {
        "motion net": "net", "`motion=cubic`": "cubic", "`motion=linear`": "linear",
        "carried by flow from a": "flow_a", "carried by flow from b": "flow_b", "mean of both": "flows",
        "look at RIFE's frame": "seen_in_rife", "look at a warped": "seen_in_a",
        "look at b warped": "seen_in_b",
        "look at the true frame": "seen_in_truth",
    }  # fmt: skip
    for told, name in plain.items():
        yield told, joints.error(joints[name])
    measured = {"flow": "flows", "look": "seen_in_rife", "cubic": "cubic", "linear": "linear"}
    for told, name in measured.items():
        yield f"net + {told}, by distance", joints.error(mixed_by_distance(joints, joints[name]))
        yield f"net + {told}, regression", joints.error(mixed_by_regression(joints, joints[name]))
    for near in ("0.1", "0.2", "inf"):
        yield f"net fed with looks nearer than {near}", joints.error(joints[f"fed_{near}"])
    for share in (0.5, 1.0):
        yield f"net + {share} turned in depth", joints.error(joints["net"] + share * joints["in_depth"])
    yield "true velocities at the keyframes", joints.error(joints["velocities"])
    yield "net + those, regression", joints.error(mixed_by_regression(joints, joints["velocities"]))
    for told, names in {
        "cubic, linear": ("cubic", "linear"), "flow": ("flows",), "look": ("seen_in_rife",),
        "all": ("cubic", "linear", "flow_a", "flow_b", "flows", "seen_in_rife", "seen_in_a", "seen_in_b"),
    }.items():  # fmt: skip
        yield f"oracle of net and {told}", nearest(joints, *names)


def main() -> None:
    """Print the tables."""
    joints = load(Path(sys.argv[1]))
    groups = {"people": ~joints.judge, "judges": joints.judge}
    heads = [f"{group}: {kind}" for group in groups for kind in KINDS]
    heads += [f"{low:g} to {high:g}" for low, high in pairwise(TRAVELS)]
    print(
        "joints:", [int((g & (joints.kind == k)).sum()) for g in groups.values() for k in range(len(KINDS))]
    )
    print("settings:", [len(np.unique(joints.setting[g])) for g in groups.values()])
    print("| pose |", " | ".join(heads), "|\n|---|" + "---|" * len(heads))
    for name, errors in candidates(joints):
        cells = [
            joints.mean(errors, g & (joints.kind == k)) for g in groups.values() for k in range(len(KINDS))
        ]
        for low, high in pairwise(TRAVELS):
            chosen = (joints.kind == 2) & (joints["travel"] >= low) & (joints["travel"] < high)
            cells.append(float(np.nanmean(errors[chosen])))
        print(f"| {name} |", " | ".join(f"{cell:.3f}" for cell in cells), "|")
    print("\nwhat tells that a look is nearer, area under the curve:", areas(joints, joints["seen_in_rife"]))
    ends = joints.kind == 2
    step, missing = joints["in_depth"][ends], (joints["true"] - joints["net"])[ends]
    print(
        "turned in depth, correlation:",
        (step * missing).sum() / np.sqrt((step**2).sum() * (missing**2).sum()),
    )


if __name__ == "__main__":
    main()
