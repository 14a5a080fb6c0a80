"""The benchmark's scores of a picture, kept under the content of the two pictures that made them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import torch

from rib.io.files.whole import write_text_whole
from rib.metrics.lpips import SMALLEST_PX, Lpips
from rib.metrics.person import MetricLandmarker, limb_error_metric, scored_person_region
from rib.metrics.pictures import psnr_db


class KeptScores:
    """PSNR and LPIPS-AlexNet over the picture and over the person, and the error of the limbs' ends.

    The same figures as `rib.metrics.frames.FrameScorer` gives, without SSIM.

    Args:
        path: Where they are kept between runs (JSON).
        joints: Whether the limbs' ends are wanted.
    """

    def __init__(self, path: Path, joints: bool = True) -> None:
        self.path, self.joints = path, joints
        self.kept: dict[str, dict[str, float]] = json.loads(path.read_text()) if path.is_file() else {}
        self.detect: MetricLandmarker | None = None
        self.lpips: Lpips | None = None

    def score_many(self, true: np.ndarray, predictions: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
        """Scores of RGB pictures (H, W, 3) uint8 by name; those over the person only where there is one."""
        keys = {name: f"{_digest(true)}-{_digest(picture)}" for name, picture in predictions.items()}
        missing = {key: predictions[name] for name, key in keys.items() if key not in self.kept}
        if missing:
            self.kept |= zip(missing, self._score(true, list(missing.values())), strict=True)
        return {name: self.kept[key] for name, key in keys.items()}

    def save(self) -> None:
        """Keep what was found so far."""
        write_text_whole(self.path, json.dumps(self.kept) + "\n")

    @torch.no_grad()
    def _score(self, true: np.ndarray, pictures: list[np.ndarray]) -> list[dict[str, float]]:
        self.detect = self.detect or MetricLandmarker()
        self.lpips = self.lpips or Lpips("alexnet")
        person = self.detect(true)
        region = scored_person_region(person) if person else None
        planes = torch.from_numpy(np.stack([true, *pictures]).transpose(0, 3, 1, 2).copy()).float() / 255
        other, ones = planes[:1], planes[1:]
        found = [
            {"psnr_full": psnr_db(one, other[0]), "lpips_full": float(distance)}
            for one, distance in zip(ones, self.lpips(ones, other), strict=True)
        ]
        if not (person and region):
            return found
        rows, columns = region.box
        part = planes[..., rows, columns]
        near = self.lpips(part[1:], part[:1]).tolist() if min(part.shape[2:]) >= SMALLEST_PX else []
        for number, (scores, one) in enumerate(zip(found, ones, strict=True)):
            scores["psnr_person"] = psnr_db(one, other[0], torch.from_numpy(region.mask))
            if near:
                scores["lpips_person"] = near[number]
            if self.joints:
                scores["joint_error"] = limb_error_metric(self.detect(pictures[number]), person)
        return found


def _digest(picture: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest()[:24]
