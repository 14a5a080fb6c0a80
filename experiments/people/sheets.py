"""Contact sheets: the keyframe before, RIFE's frame, ours, the trust in it, the plate and the true frame.

python experiments/people/sheets.py DATA OUT [rows=4] [OVERRIDE=...] CASE_STRIDE ...

A row is the frame in the middle of an interval, cut to where something was drawn; the intervals are those in
which most was. Rows of intervals in which nobody is drawn show the whole frame. OUT/CASE_STRIDE.png is
written.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from run import HERE, build_chains, scored_timeline, truth

from rib.io.images import to_pictures
from rib.pipeline.synthesis.compositor import composited_trust
from rib.pipeline.synthesis.synthesiser import SynthesisedMoments
from rib.video import ArraySource, subsample_frames

HEIGHT_PX, WIDTH_PX, MARGIN_PX = 320, 340, 12


@dataclass
class Middles:
    """An observer that keeps a row of pictures for the middle of every interval."""

    clip: ArraySource
    stride: int

    def __post_init__(self) -> None:
        """Begin without rows."""
        self.frames, self.rows = list(self.clip), dict[int, tuple[float, list[np.ndarray]]]()

    def __call__(self, made: SynthesisedMoments) -> None:
        """See `rib.pipeline.synthesis.synthesiser.SynthesisObserver`."""
        first = made.interval.a.index * self.stride
        one = len(made.interval) // 2
        middle = int(np.abs(np.asarray(self.clip.times_s) - made.interval.times_s[one]).argmin())
        rife = to_pictures(made.background.interpolated)[one]
        plate = made.background.plate
        behind = rife if plate is None else to_pictures(plate)[min(one, len(plate) - 1)]
        trust = composited_trust(made.people, made.background.interpolated)[one, 0].cpu().numpy()
        told = np.repeat((trust[..., None] * 255).astype(np.uint8), 3, 2)
        row = [self.frames[first], rife, made.pictures[one], told, behind, self.frames[middle]]
        self.rows[middle] = (float(trust.sum()), [np.ascontiguousarray(x) for x in _cut(row, trust)])


def _cut(row: list[np.ndarray], trust: np.ndarray) -> list[np.ndarray]:
    """The pictures where there is trust, and a little around it."""
    rows, columns = np.flatnonzero((trust > 0).any(1)), np.flatnonzero((trust > 0).any(0))
    if not len(rows):
        return row
    top, left = max(0, rows[0] - MARGIN_PX), max(0, columns[0] - MARGIN_PX)
    return [x[top : rows[-1] + MARGIN_PX, left : columns[-1] + MARGIN_PX] for x in row]


def sheet(found: Middles, count: int) -> np.ndarray:
    """The rows with most trust, in their order."""
    best = sorted(sorted(found.rows, key=lambda middle: -found.rows[middle][0])[:count])
    lines = []
    for middle in best:
        tiles = [_tile(picture) for picture in found.rows[middle][1]]
        line = np.concatenate(tiles, 1)
        cv2.putText(line, str(middle), (4, HEIGHT_PX - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 0), 2)
        lines.append(line)
    widest = max(line.shape[1] for line in lines)
    return np.concatenate([np.pad(line, ((0, 0), (0, widest - line.shape[1]), (0, 0))) for line in lines])


def _tile(picture: np.ndarray) -> np.ndarray:
    """A picture at the height of a row, or as wide as it may be."""
    height, width = picture.shape[:2]
    scale = min(HEIGHT_PX / height, WIDTH_PX / width)
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return np.pad(small, ((0, HEIGHT_PX - small.shape[0]), (0, 6), (0, 0)))


def middles(clip: ArraySource, stride: int, cache: Path, overrides: list[str]) -> Middles:
    """Make a clip's frames with everybody drawn who may be."""
    found, keyframes = Middles(clip, stride), subsample_frames(clip, stride)
    chain = build_chains(stride, cache, overrides)["all"]
    analysis = chain.analyse(keyframes, scored_timeline(clip, stride)[0])
    for _ in chain.frames(keyframes, analysis, found):
        pass
    return found


def main() -> None:
    """Draw the sheets that are named."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    data, out, *rest = sys.argv[1:]
    count = next((int(one.removeprefix("rows=")) for one in rest if one.startswith("rows=")), 4)
    overrides = [one for one in rest if "=" in one and not one.startswith("rows=")]
    cases: dict[str, Any] = json.loads((HERE / "cases.json").read_text())
    Path(out).mkdir(parents=True, exist_ok=True)
    for setting in (one for one in rest if "=" not in one):
        name, stride = setting.rsplit("_", 1)
        clip = truth(Path(data), cases[name], int(stride))
        picture = sheet(middles(clip, int(stride), Path(out) / "cache", overrides), count)
        cv2.imwrite(str(Path(out) / f"{setting}.png"), picture[..., ::-1])
        print(setting, picture.shape, flush=True)


if __name__ == "__main__":
    main()
