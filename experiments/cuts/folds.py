"""Precision and recall with thresholds that were chosen on other recordings: prints a row a fold.

python experiments/cuts/folds.py FOLDER [FOLDER ...] --kept SMALL [--each 4] [--folds 3]

A recording (a place, see `edits.ROOMS`) lies in one fold with all of its clips; edits are made of the clips
of one fold alone, and are judged with the thresholds that do best (F1) on the other folds' edits.
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import product
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from clips import small_clips
from edits import ROOMS, Edit, edits

from rib.video.cuts import find_scene_cuts

RESIDUALS, CONTRASTS = (0.09, 0.12, 0.16), (1.75, 2.25, 3.0)
SHIPPED = (0.12, 2.25)


class Count(NamedTuple):
    """Cuts that were found, those that are none, and those there are."""

    right: int
    false: int
    total: int

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.right / max(self.right + self.false + self.total, 1)

    def __str__(self) -> str:
        precision, recall = self.right / max(self.right + self.false, 1), self.right / max(self.total, 1)
        return f"{precision:.3f} | {recall:.3f}"


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--kept", type=Path, default=Path(tempfile.gettempdir()) / "small_clips")
    parser.add_argument("--each", type=int, default=4)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=21)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    folds = _folds(small_clips(given.folders, given.kept), given.folds)
    grid = list(product(RESIDUALS, CONTRASTS))
    counts = []
    for number, clips in enumerate(folds):
        made = list(edits(clips, given.each, given.seed + number))
        counts.append({setting: _count(made, *setting) for setting in grid})
        print(f"fold {number}: {len(clips)} clips, {len(made)} edits", flush=True)
    chosen, shipped = [], []
    print("| fold | residual | contrast | precision | recall | shipped precision | shipped recall |")
    for number, here in enumerate(counts):
        others = [one for k, one in enumerate(counts) if k != number]
        best = max(grid, key=lambda setting: _sum([one[setting] for one in others]).f1)
        chosen.append(here[best])
        shipped.append(here[SHIPPED])
        print(f"| {number} | {best[0]} | {best[1]} | {here[best]} | {here[SHIPPED]} |")
    print(f"| all | | | {_sum(chosen)} | {_sum(shipped)} |")


def _folds(clips: dict[str, np.ndarray], count: int) -> list[dict[str, np.ndarray]]:
    """Clips by turns, those of one recording together."""
    recordings: dict[str, list[str]] = {}
    for name in sorted(clips):
        recordings.setdefault(next((room for room in ROOMS if name.startswith(room)), name), []).append(name)
    folds: list[dict[str, np.ndarray]] = [{} for _ in range(count)]
    for names in sorted(recordings.values(), key=len, reverse=True):
        smallest = min(folds, key=len)
        smallest.update({name: clips[name] for name in names})
    return folds


def _count(made: list[Edit], residual: float, contrast: float) -> Count:
    right = false = 0
    for edit in made:
        cuts = find_scene_cuts(edit.frames, residual, contrast)
        right += edit.cut in cuts
        false += sum(cut != edit.cut for cut in cuts)
    return Count(right, false, sum(edit.cut is not None for edit in made))


def _sum(counts: list[Count]) -> Count:
    return Count(*(sum(values) for values in zip(*counts, strict=True)))


if __name__ == "__main__":
    main()
