"""Adversarial losses of both sides of a GAN, from the discriminator's logits.

Letters: N pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from rib.io.errors import RibError
from rib.io.recipe import did_you_mean
from rib.render.nets.discriminators import PatchOutput

Scores = Callable[[Tensor], Tensor]

KINDS: dict[str, tuple[Scores, Scores, Scores]] = {
    # Lim and Ye, "Geometric GAN", 2017
    "hinge": (lambda s: F.relu(1 - s), lambda s: F.relu(1 + s), lambda s: -s),
    # Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017
    "lsgan": (lambda s: (s - 1).square(), torch.square, lambda s: (s - 1).square()),
    # Goodfellow et al., NeurIPS 2014
    "nonsaturating": (lambda s: F.softplus(-s), F.softplus, lambda s: F.softplus(-s)),
}
"""By name: the discriminator's loss on real scores and on made ones, and the generator's on made ones."""


class GanLoss:
    """Means over patches and scales; pictures count by their weight.

    Args:
        kind: "hinge", "lsgan" or "nonsaturating".

    Raises:
        RibError: There is no such loss.
    """

    def __init__(self, kind: str) -> None:
        if kind not in KINDS:
            raise RibError(f"{kind!r} is no adversarial loss", did_you_mean(kind, list(KINDS)))
        self._real, self._made, self._convincing = KINDS[kind]

    def discriminator(
        self, real: Sequence[PatchOutput], made: Sequence[PatchOutput], weight: Tensor
    ) -> Tensor:
        """The discriminator's loss; `weight` (N,) of each picture, 0 leaves it out."""
        return 0.5 * (_mean(real, self._real, weight) + _mean(made, self._made, weight))

    def generator(self, made: Sequence[PatchOutput], weight: Tensor) -> Tensor:
        """The generator's loss."""
        return _mean(made, self._convincing, weight)


def feature_matching_loss(real: Sequence[PatchOutput], made: Sequence[PatchOutput], weight: Tensor) -> Tensor:
    """Mean absolute difference of the discriminator's activations (Wang et al., CVPR 2018)."""
    terms = [
        weighted_loss_mean((a.detach() - b).abs().flatten(1).mean(1), weight)
        for one, other in zip(real, made, strict=True)
        for a, b in zip(one.features, other.features, strict=True)
    ]
    return torch.stack(terms).mean()


def weighted_loss_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Of values (N,) with weights (N,); 0 where nothing has a weight."""
    return (values * weight).sum() / weight.sum().clamp(min=1e-6)


def _mean(outputs: Sequence[PatchOutput], loss: Scores, weight: Tensor) -> Tensor:
    scores = [weighted_loss_mean(loss(j.score.float()).flatten(1).mean(1), weight) for j in outputs]
    return torch.stack(scores).mean()
