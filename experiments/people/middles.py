"""Score the frame in the middle of every interval against RIFE: a quarter of a minute of one core a setting.

python experiments/people/middles.py DATA middles.csv [people=all] [CASE_STRIDE ...]

Without settings one a clip is chosen, whose keyframe rate is nearest to 7.5 a second. RIFE's frame is the one
that the chain drew over, so nothing is interpolated twice; a frame in which nobody is drawn counts as a
difference of 0. Rows of other settings stay; after `LONGEST_S` none is begun any more (exit code 75), and
the same command goes on.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from run import truth

from rib.config.compose import compose
from rib.io.images import to_pictures, to_tensor
from rib.metrics.lpips import SMALLEST_PX, Lpips
from rib.metrics.person import MetricLandmarker, scored_person_region
from rib.pipeline.chain import Chain
from rib.pipeline.synthesis.synthesiser import SynthesisedMoments
from rib.pipeline.timeline import OutputTimeline
from rib.video import ArraySource, open_frame_source, subsample_frames

HERE = Path(__file__).parent
RATE = 7.5
"""Keyframes a second."""
LONGEST_S = 150


def middles(clip: ArraySource, stride: int) -> OutputTimeline:
    """The keyframes and, in every interval, the hidden frame nearest to its middle."""
    keys = np.arange(0, len(clip), stride)
    numbers = np.sort(np.concatenate([keys, keys[:-1] + stride // 2]))
    keyframe = np.where(numbers % stride == 0, numbers // stride, -1)
    interval = np.minimum(numbers // stride, len(keys) - 2)
    return OutputTimeline(
        Fraction(2 * clip.fps, stride), np.asarray(clip.times_s)[numbers], keyframe, interval
    )


class MiddleScores:
    """An observer that scores every interval's picture beside RIFE's."""

    def __init__(self, clip: ArraySource, stride: int) -> None:
        self.frames, self.stride = list(clip), stride
        self.detect, self.lpips = MetricLandmarker(), Lpips("alexnet")
        self.intervals = self.people = self.drawn = 0
        self.gains: list[tuple[float, float]] = []

    def __call__(self, made: SynthesisedMoments) -> None:
        """See `rib.pipeline.synthesis.synthesiser.SynthesisObserver`."""
        true = self.frames[made.interval.a.index * self.stride + self.stride // 2]
        found = self.detect(true)
        region = scored_person_region(found) if found else None
        self.intervals += 1
        self.drawn += bool(made.people)
        if region is None or min(true[region.box].shape[:2]) < SMALLEST_PX:
            return
        self.people += 1
        rife = to_pictures(made.background.interpolated)[0]
        if made.people and (made.pictures[0] != rife).any():
            ours, theirs = (self._scores(one, true, region) for one in (made.pictures[0], rife))
            self.gains.append((ours[0] - theirs[0], ours[1] - theirs[1]))

    def _scores(self, picture: np.ndarray, true: np.ndarray, region: Any) -> tuple[float, float]:
        error = np.square((true.astype(np.float32) - picture) / 255).mean(-1)[region.mask].mean()
        with torch.no_grad():
            lpips = self.lpips(*(to_tensor(one[region.box])[None] for one in (picture, true)))
        return -10 * float(np.log10(max(float(error), 1e-9))), float(lpips)


def score_setting(data: Path, name: str, case: dict[str, Any], stride: int, people: str) -> dict[str, Any]:
    """One row of the table."""
    clip = truth(data, case)
    chain = Chain.from_config(
        compose("benchmark", "input=x", "output=y", "cache.dir=null", f"people={people}", "device=cpu")
    )
    keyframes, start = subsample_frames(clip, stride), time.process_time()
    analysis, scores = chain.analyse(keyframes, middles(clip, stride)), MiddleScores(clip, stride)
    for _ in chain.frames(keyframes, analysis, scores):
        pass
    db, lpips = (sum(gain) for gain in zip(*scores.gains, strict=True)) if scores.gains else (0.0, 0.0)
    return {
        "setting": f"{name}_{stride}", **{key: case[key] for key in ("kind", "judge", "recording")},
        "people": people, "tracks": len(analysis.keyframe_tracks.track_ids), "intervals": scores.intervals,
        "drawn": scores.drawn, "person_db": round(db / max(scores.people, 1), 3),
        "person_lpips": round(lpips / max(scores.people, 1), 5),
        "cpu_s": round(time.process_time() - start, 1),
    }  # fmt: skip


def nearest_stride(case: dict[str, Any], data: Path) -> int:
    """The stride that gives the keyframe rate nearest to `RATE`."""
    fps = float(open_frame_source(data / case["video"]).fps)
    return min(case["strides"], key=lambda stride: abs(np.log(fps / stride / RATE)))


def main() -> None:
    """Score the settings that are named, or one a clip, and those only that the table lacks."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    data, table, *chosen = Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]
    people = next((one.removeprefix("people=") for one in chosen if one.startswith("people=")), "largest")
    cases, start = json.loads((HERE / "cases.json").read_text()), time.monotonic()
    settings = [one for one in chosen if "=" not in one]
    settings = settings or [f"{name}_{nearest_stride(case, data)}" for name, case in cases.items()]
    rows = list(csv.DictReader(table.open())) if table.exists() else []
    for setting in settings:
        name, stride = setting.rsplit("_", 1)
        if any(row["setting"] == setting and row["people"] == people for row in rows):
            continue
        if time.monotonic() - start > LONGEST_S:
            sys.exit(75)
        rows.append(score_setting(data, name, cases[name], int(stride), people))
        with table.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[-1])
            writer.writeheader()
            writer.writerows(rows)
        print(rows[-1], flush=True)


if __name__ == "__main__":
    main()
