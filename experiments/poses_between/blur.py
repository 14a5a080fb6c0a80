"""Does the blur around a joint tell how fast it moves, beyond what the keyframes beside it tell?

PYTHONPATH=.:experiments/people python experiments/poses_between/blur.py DATA OUT

OUT holds the cache that `measure.py` filled. Around elbows, wrists, knees and ankles of every true frame, at
`SCALE` times the size that cases are scored at, the energy of derivatives along and across the way from the
keyframe before to the one after is taken, at three widths. What a blurred edge lacks is the finest; so the
features are logarithms of the finest's share along, across, the difference, and all of that against the mean
of the same joint over the keyframes. What is to be told is by how much the joint is faster along that way
than the way is long. A linear regression weighs every clip alike and leaves one recording out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from looks import torso_px
from measure import PEOPLE, SETTINGS, all_frames
from run import scored_frames, truth

from rib.video import open_frame_source, subclip

JOINTS = (3, 6, 10, 13, 4, 7, 11, 14)
SCALE, PATCH, SLOWEST = 2, 0.18, 0.01
"""The patch reaches so many torsos each way; a joint goes so many at least from frame to frame."""
WIDTHS_PX = (0.0, 1.2, 2.4)


def tensors(grey: np.ndarray, centre_px: np.ndarray, reach_px: float) -> np.ndarray:
    """(3, 3) mean products xx, xy and yy of derivatives in a patch, at each width; NaN at the edge."""
    left, top = (centre_px - reach_px).astype(int)
    side, height, width = int(2 * reach_px), *grey.shape
    if left < 2 or top < 2 or left + side + 2 > width or top + side + 2 > height:
        return np.full((3, 3), np.nan)
    found = []
    for sigma in WIDTHS_PX:
        part = grey[top - 1 : top + side + 1, left - 1 : left + side + 1]
        part = cv2.GaussianBlur(part, (0, 0), sigma) if sigma else part
        x, y = (part[1:-1, 2:] - part[1:-1, :-2]) / 2, (part[2:, 1:-1] - part[:-2, 1:-1]) / 2
        found.append([(x * x).mean(), (x * y).mean(), (y * y).mean()])
    return np.array(found)


def energies(tensor: np.ndarray, way: np.ndarray) -> np.ndarray:
    """(..., 2) log share of the finest derivatives along a way (2,) and across it."""
    x, y = way
    sides = [(x, y), (-y, x)]
    logs = [np.log(tensor @ np.array([a * a, 2 * a * b, b * b]) + 0.5) for a, b in sides]
    return np.stack([one[..., 0] - one[..., 2] for one in logs], -1)


def samples(data: Path, out: Path, name: str, strides: list[int]) -> Iterator[list[float]]:
    """Speed along the way less the way's, the way's, its change, and six features, by joint and frame."""
    case = json.loads((PEOPLE / "cases.json").read_text())[name]
    whole = truth(data, case, max(strides))
    tracks, count = all_frames(whole, out / "cache"), len(whole)
    joints, seen = tracks.keypoints_px[:, 0], tracks.confidence[:, 0]
    first = case["first"] + (case["count"] - scored_frames(case["count"], max(strides))) // 2
    size = SCALE * case["size_wh"][0], SCALE * case["size_wh"][1]
    crop = tuple(case["crop_xywh"]) if case["crop_xywh"] else None
    part = subclip(open_frame_source(data / case["video"]), first, count, crop, size)
    torso = float(np.median(torso_px(joints[seen[:, 1] > 0])))
    patches = np.stack([
        [tensors(grey, SCALE * joints[t, j], PATCH * torso * SCALE) for j in JOINTS]
        for t, frame in enumerate(part)
        for grey in [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)]
    ])  # fmt: skip
    for stride in strides:
        for t in range(stride, count - stride):
            for number, j in enumerate(JOINTS):
                near = [t - stride, t - 1, t, t + 1, t + stride]
                before, earlier, here, later, after = joints[near, j] / torso
                way = (after - before) / (2 * stride)
                length = float(np.linalg.norm(way))
                jump = np.linalg.norm(here - (earlier + later) / 2)
                if seen[near, j].min() < 0.6 or length < SLOWEST or jump > 0.15:
                    continue
                along = way / length
                own = energies(patches[t, number], along)
                same = energies(patches[t % stride :: stride, number], along)
                against = own - np.nanmean(same, axis=0)
                speed = (later - earlier) @ along / 2
                change = (after - 2 * here + before) @ along / stride
                features = [*own, own[0] - own[1], *against, against[0] - against[1]]
                if np.isfinite(features).all():
                    yield [speed - length, length, change, *features]


def main() -> None:
    """Print correlations, and errors without and with blur."""
    data, out = Path(sys.argv[1]), Path(sys.argv[2])
    cases = json.loads((PEOPLE / "cases.json").read_text())
    strides: dict[str, list[int]] = {}
    for setting in SETTINGS:
        strides.setdefault(setting.rsplit("_", 1)[0], []).append(int(setting.rsplit("_", 1)[1]))
    found = {name: np.array(list(samples(data, out, name, some))) for name, some in strides.items()}
    found = {name: rows for name, rows in found.items() if len(rows)}
    table = np.concatenate(list(found.values()))
    recording = np.concatenate([[cases[name]["recording"]] * len(rows) for name, rows in found.items()])
    weight = np.concatenate([np.full(len(rows), 1 / len(rows)) for rows in found.values()])
    faster, length, change, blur = table[:, 0], table[:, 1], table[:, 2], table[:, 3:]
    blur = (blur - blur.mean(0)) / blur.std(0)
    print(len(table), "samples; correlation of each feature")
    print("  with log speed       ", [round(float(np.corrcoef(f, np.log(length))[0, 1]), 2) for f in blur.T])
    print("  with the share faster", [round(float(np.corrcoef(f, faster / length)[0, 1]), 2) for f in blur.T])
    ways = np.column_stack([length, change, np.abs(change), length * np.sign(change)])
    for told, x in {
        "nothing": ways[:, :0], "the way": ways,
        "the way and blur": np.c_[ways, blur, blur * length[:, None]],
        "blur": np.c_[blur, blur * length[:, None]],
    }.items():  # fmt: skip
        x, predicted = np.c_[x, np.ones(len(x))], np.zeros(len(x))
        for name in np.unique(recording):
            own, others = recording == name, recording != name
            scaled = x[others] * weight[others, None]
            inverse = np.linalg.inv(scaled.T @ x[others] + 1e-6 * np.eye(x.shape[1]))
            predicted[own] = x[own] @ (inverse @ (scaled.T @ faster[others]))
        error = np.average(np.abs(faster - predicted), weights=weight)
        print(f"  mean error of the speed from {told}: {error:.4f} torsos a frame")


if __name__ == "__main__":
    main()
