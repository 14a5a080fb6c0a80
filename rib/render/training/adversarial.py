"""Adversarial losses of both sides of a GAN, from the discriminator's logits.

Letters: N pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from rib.render.nets.discriminators import PatchOutput
from rib.training.adversarial import adversarial_loss_named


class RendererGanLoss:
    """Means over patches and scales; pictures count by their weight.

    Args:
        kind: A name of `rib.training.adversarial.ADVERSARIAL_LOSSES`.

    Raises:
        RibError: There is no such loss.
    """

    def __init__(self, kind: str) -> None:
        self._loss = adversarial_loss_named(kind)

    def discriminator(
        self, real: Sequence[PatchOutput], made: Sequence[PatchOutput], weight: Tensor
    ) -> Tensor:
        """The discriminator's loss; `weight` (N,) of each picture, 0 leaves it out."""
        return 0.5 * (_mean(real, self._loss.real, weight) + _mean(made, self._loss.made, weight))

    def generator(self, made: Sequence[PatchOutput], weight: Tensor) -> Tensor:
        """The generator's loss."""
        return _mean(made, self._loss.generator, weight)


def feature_matching_loss(real: Sequence[PatchOutput], made: Sequence[PatchOutput], weight: Tensor) -> Tensor:
    """Mean absolute difference of the discriminator's activations (Wang et al., CVPR 2018)."""
    terms = [
        weighted_render_loss_mean((a.detach() - b).abs().flatten(1).mean(1), weight)
        for one, other in zip(real, made, strict=True)
        for a, b in zip(one.features, other.features, strict=True)
    ]
    return torch.stack(terms).mean()


def weighted_render_loss_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Of values (N,) with weights (N,); 0 where nothing has a weight."""
    return (values * weight).sum() / weight.sum().clamp(min=1e-6)


def _mean(outputs: Sequence[PatchOutput], loss: Callable[[Tensor], Tensor], weight: Tensor) -> Tensor:
    scores = [weighted_render_loss_mean(loss(j.score.float()).flatten(1).mean(1), weight) for j in outputs]
    return torch.stack(scores).mean()
