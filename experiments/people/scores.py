"""Differences of pictures to RIFE's: over the person, the frame, and somebody else who was drawn."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch

from rib.io.images import to_tensor
from rib.metrics.frames import FrameScorer
from rib.metrics.lpips import SMALLEST_PX
from rib.metrics.person import (
    HIPS,
    LIMB_ENDS,
    SHOULDERS,
    ScoredPerson,
    limb_error_metric,
    scored_person_region,
)
from rib.metrics.pictures import flicker

RIFE = "rife"


@cache
def frame_scorer() -> FrameScorer:
    """One for all settings: its detector's memory is never given back."""
    return FrameScorer("cpu")


class Scores:
    """Collects a setting's frames.

    A frame in which a method does not differ from RIFE counts as a difference of 0 and is not scored. In the
    frame in the middle of every interval joints are looked for, and RIFE's own LPIPS is kept. Flicker is that
    over the person from each frame to the next, wherever a method differs from RIFE in one of them.

    Args:
        methods: Names of the methods besides `RIFE`.
        stride: Frames from one keyframe to the next.
    """

    def __init__(self, methods: tuple[str, ...], stride: int) -> None:
        self.scorer, self.stride = frame_scorer(), stride
        self.rows: dict[str, list[dict[str, float]]] = {method: [] for method in methods}
        self.middles: list[dict[str, float]] = []
        self.travel: list[float] = []
        self.flicker: list[dict[str, float]] = []
        self.hidden = self.looked = self.with_person = 0
        self._before: ScoredPerson | None = None
        self._last: tuple[np.ndarray, dict[str, np.ndarray], np.ndarray | None] | None = None

    def keyframe(self, index: int, true: np.ndarray, made: dict[str, np.ndarray]) -> None:
        """Measure how far the person's limbs went since the last keyframe, in torso lengths."""
        found = self.scorer.detect(true)
        if found and self._before:
            self.travel.append(round(limb_travel(self._before, found), 3))
        self._before = found
        self._add_flicker(index, true, made, scored_person_region(found) if found else None)

    def _add_flicker(self, index: int, true: np.ndarray, made: dict[str, np.ndarray], region: Any) -> None:
        mask = None if region is None else region.mask
        last, self._last = self._last, (true, made, mask)
        if last is None or last[2] is None or mask is None:
            return
        both = [{name: (x != one[RIFE]).any() for name, x in one.items()} for one in (last[1], made)]
        if not any(changed for one in both for changed in one.values()):
            return
        where = torch.from_numpy(last[2] | mask)
        truth = torch.stack([to_tensor(x) for x in (last[0], true)])
        row: dict[str, float] = {"frame": index}
        for name in (RIFE, *self.rows):
            pair = torch.stack([to_tensor(x[name]) for x in (last[1], made)])
            row[name] = round(flicker(pair, truth, where), 6)
        self.flicker.append(row)

    def add(self, index: int, true: np.ndarray, made: dict[str, np.ndarray]) -> None:
        """Score one hidden frame."""
        self.hidden += 1
        changed = {name: (made[name] != made[RIFE]).any(-1) for name in self.rows}
        middle = index % self.stride == self.stride // 2
        if not middle and not any(where.any() for where in changed.values()):
            self._last = true, made, None if self._last is None else self._last[2]
            return
        person = self.scorer.detect(true)
        region = scored_person_region(person) if person else None
        self._add_flicker(index, true, made, region)
        if middle:
            self.looked += 1
            self.with_person += region is not None
        if middle and person and region:
            self._middle(index, true, made, changed, person, region)
        known: list[tuple[np.ndarray, dict[str, float]]] = []
        for name, where in changed.items():
            if where.any():
                same = next((row for picture, row in known if (picture == made[name]).all()), None)
                row = same or self._row(index, true, made[RIFE], made[name], where, region)
                known.append((made[name], row))
                self.rows[name].append(row)

    def _middle(
        self, index: int, true: np.ndarray, made: Any, changed: Any, person: ScoredPerson, region: Any
    ) -> None:
        rife = limb_error_metric(self.scorer.detect(made[RIFE]), person)
        row: dict[str, float] = {"frame": index, RIFE: round(rife, 4)}
        if min(true[region.box].shape[:2]) >= SMALLEST_PX:
            row["rife_lpips"] = round(self._lpips(true[region.box], made[RIFE][region.box])[0], 5)
        for name, where in changed.items():
            error = limb_error_metric(self.scorer.detect(made[name]), person) if where.any() else rife
            row[name] = round(error, 4)
        self.middles.append(row)

    def _row(
        self, index: int, true: Any, rife: Any, ours: Any, where: np.ndarray, region: Any
    ) -> dict[str, float]:
        row = {"frame": index} | self._differences("full", true, rife, ours, None, None)
        if region is not None:
            row |= self._differences("person", true, rife, ours, region.mask, region.box)
        if region is None or not (region.mask & where).any():
            rows, columns = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
            box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
            row |= self._differences("changed", true, rife, ours, where, box)
        return row

    @torch.no_grad()
    def _lpips(self, true: np.ndarray, *pictures: np.ndarray) -> list[float]:
        planes = [to_tensor(np.ascontiguousarray(one))[None] for one in (true, *pictures)]
        features = self.scorer.lpips.features(planes[0])
        return [float(self.scorer.lpips(one, features)) for one in planes[1:]]

    def _differences(
        self, name: str, true: Any, rife: Any, ours: Any, mask: Any, box: Any
    ) -> dict[str, float]:
        """Ours less RIFE's: PSNR in dB and LPIPS."""
        errors = [np.square((true.astype(np.float32) - one) / 255).mean(-1) for one in (ours, rife)]
        db = [-10 * np.log10(max(float(e.mean() if mask is None else e[mask].mean()), 1e-9)) for e in errors]
        found = {f"{name}_db": round(db[0] - db[1], 4), f"{name}_rife_db": round(db[1], 3)}
        parts = [one if box is None else one[box] for one in (ours, rife, true)]
        if min(parts[0].shape[:2]) >= SMALLEST_PX:
            lpips = self._lpips(parts[2], parts[0], parts[1])
            found[f"{name}_lpips"] = round(lpips[0] - lpips[1], 5)
            found[f"{name}_rife_lpips"] = round(lpips[1], 5)
        return found

    def summary(self) -> dict[str, Any]:
        """Means over the frames with a person (over all, for the frame), unchanged ones counted as 0."""
        share = self.with_person / max(self.looked, 1)
        means: dict[str, dict[str, float]] = {}
        for name, rows in self.rows.items():
            means[name] = {"changed_frames": len(rows) / max(self.hidden, 1)}
            for score in ("person_db", "person_lpips", "full_lpips", "changed_db", "changed_lpips"):
                values = [row[score] for row in rows if score in row]
                counted = {"person": share * self.hidden, "full": self.hidden}
                of = max(counted.get(score.split("_")[0], 0), len(values), 1)
                means[name][score] = round(sum(values) / of, 5)
            for of_whom, key in ((name, "flicker"), (RIFE, "rife_flicker")):
                changes = [row[of_whom] for row in self.flicker]
                means[name][key] = round(sum(changes) / max(len(changes), 1), 6)
        return {
            "hidden": self.hidden, "with_person": round(share, 3), "means": means, "travel": self.travel,
            "joints": self.middles, "frames": self.rows, "flicker": self.flicker,
        }  # fmt: skip


def limb_travel(before: ScoredPerson, after: ScoredPerson) -> float:
    """Torso lengths by which the furthest limb's end or middle moved against the trunk."""
    moved = []
    for points in (before.landmarks_px, after.landmarks_px):
        shoulders, hips = points[list(SHOULDERS)].mean(0), points[list(HIPS)].mean(0)
        torso = np.linalg.norm(shoulders - hips) + 1e-6
        moved.append((points[list(LIMB_ENDS)], torso))
    seen = np.ones(len(LIMB_ENDS), bool)
    for points, _ in moved:
        height, width = before.mask.shape
        seen &= (points >= 0).all(1) & (points[:, 0] <= width) & (points[:, 1] <= height)
    if not seen.any():
        return 0.0
    torso = (moved[0][1] + moved[1][1]) / 2
    return float((np.linalg.norm(moved[1][0] - moved[0][0], axis=1) / torso)[seen].max())
