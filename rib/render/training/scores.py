"""Errors of rendered frames while a net is trained: PSNR and LPIPS, over the frame and over the person."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rib.metrics.lpips import SMALLEST_PX, Lpips
from rib.metrics.pictures import LOWEST_ERROR
from rib.render.training.losses import RenderPair
from rib.structures.windows import largest_around

RIM_PX = 3
"""The person's region is the matte and a rim this wide."""


class RenderScores:
    """Means over frames; LPIPS is read when it is first needed and is no part of any checkpoint."""

    def __init__(self) -> None:
        self._lpips: nn.Module | None = None

    @torch.no_grad()
    def __call__(self, frames: RenderPair, person: bool = False) -> dict[str, Tensor]:
        """`psnr_db lpips person_psnr_db person_lpips`; the last with the truth put outside the person.

        Args:
            frames: The pictures.
            person: Whether the two of the person are enough.
        """
        if self._lpips is None:
            self._lpips = Lpips("alexnet")
        lpips = self._lpips.to(frames.target.device)
        made = frames.pred.float().clamp(0, 1)
        wide = largest_around(frames.mask, RIM_PX)
        region = (wide > 0.5).float()
        squared = (made - frames.target).square().mean(1, keepdim=True)
        error = (squared * region).sum((1, 2, 3)) / region.sum((1, 2, 3)).clamp(min=1)
        cut = frames.target + region * (made - frames.target)
        found = {"person_psnr_db": _db(error), "person_lpips": _distance(lpips, cut, frames.target)}
        if person:
            return found
        whole = _db(squared.mean((1, 2, 3)))
        return {"psnr_db": whole, "lpips": _distance(lpips, made, frames.target), **found}


def _distance(lpips: nn.Module, made: Tensor, true: Tensor) -> Tensor:
    """Pictures smaller than the classifier takes are enlarged."""
    scale = max(1.0, SMALLEST_PX / min(true.shape[-2:]))
    if scale > 1:
        made, true = (F.interpolate(x, scale_factor=scale, mode="nearest") for x in (made, true))
    return lpips(made, true).mean()


def _db(squared: Tensor) -> Tensor:
    return (-10 * squared.clamp(min=LOWEST_ERROR).log10()).mean()
