"""The renderer's losses besides the adversarial ones: named, unweighted terms.

Letters: N frames, H and W the picture's height and width.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any

import torch
from torch import Tensor

from rib.io.errors import RibError
from rib.io.recipe import build_recipe, did_you_mean
from rib.io.settings.ranges import NonNegative, Range
from rib.metrics.lpips import Lpips
from rib.render.training.perceptual import PerceptualLoss
from rib.structures.windows import largest_around

Term = Callable[["RenderPair"], Tensor]


class RenderPair:
    """N predicted frames beside the targets.

    Args:
        pred: (N, 3, H, W) in 0..1, the finished frames.
        foreground: (N, 3, H, W), the person before it was laid over anything.
        alpha: (N, 1, H, W), its share in the finished frames.
        target: (N, 3, H, W) in 0..1.
        mask: (N, 1, H, W) in 0..1, the person's matte.
    """

    def __init__(self, pred: Tensor, foreground: Tensor, alpha: Tensor, target: Tensor, mask: Tensor) -> None:
        self.pred, self.foreground, self.alpha, self.target, self.mask = pred, foreground, alpha, target, mask


class RenderLoss:
    """The terms `l1 l1_person lpips perceptual perceptual_person mask_variation mask_size`.

    Args:
        person_emphasis: Times that a pixel of the person counts more in `l1_person`.
        prior_margin_px: How far beyond the matte the mask may reach without paying `mask_size`.
        perceptual: Recipe of `PerceptualLoss`.
    """

    def __init__(
        self,
        person_emphasis: NonNegative,
        prior_margin_px: Annotated[int, Range(0, 4096)],
        perceptual: Mapping[str, Any],
    ) -> None:
        self.person_emphasis, self.prior_margin_px = person_emphasis, prior_margin_px
        self.perceptual: PerceptualLoss = build_recipe(perceptual)
        self._lpips: Lpips | None = None
        self.terms: dict[str, Term] = {
            "l1": lambda x: (x.pred - x.target).abs().mean(),
            "l1_person": self.l1_person,
            "lpips": self.lpips,
            "perceptual": lambda x: self.perceptual(x.pred, x.target),
            "perceptual_person": lambda x: self.perceptual(x.foreground * x.mask, x.target * x.mask),
            "mask_variation": mask_total_variation,
            "mask_size": self.mask_size,
        }

    def __call__(self, frames: RenderPair, names: Collection[str]) -> dict[str, Tensor]:
        """Those of the terms that are named, each a mean over the frames."""
        return {name: term(frames) for name, term in self.terms.items() if name in names}

    def l1_person(self, x: RenderPair) -> Tensor:
        """Absolute difference of the person before it is laid over anything, weighted by the matte."""
        weight = x.mask * (1 + self.person_emphasis)
        return ((x.foreground - x.target).abs() * weight).sum() / (3 * weight.sum()).clamp(min=1)

    def lpips(self, x: RenderPair) -> Tensor:
        """LPIPS-AlexNet of the finished frames; read when first needed, no part of a checkpoint."""
        if self._lpips is None:
            self._lpips = Lpips("alexnet")
        return self._lpips.to(x.target.device)(x.pred, x.target).mean()

    def mask_size(self, x: RenderPair) -> Tensor:
        """Mean of the mask where the prior, the matte widened by the margin, has no person."""
        prior = largest_around(x.mask, self.prior_margin_px)
        return (x.alpha * (1 - prior)).mean()


def mask_total_variation(x: RenderPair) -> Tensor:
    """Total variation of the mask, a pixel."""
    across, down = x.alpha.diff(dim=-1).abs().mean(), x.alpha.diff(dim=-2).abs().mean()
    return across + down


def weighted_render_loss(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """The sum of the terms times their weights; terms without a weight do not count."""
    return torch.stack([weights[name] * term for name, term in terms.items() if name in weights]).sum()


def check_render_loss_names(weights: Mapping[str, float], known: Collection[str]) -> None:
    """Refuse a weight of a term that there is not.

    Raises:
        RibError: The first such name.
    """
    for name in weights:
        if name not in known:
            raise RibError(f"weights.{name}: the loss has no such term", did_you_mean(name, sorted(known)))
