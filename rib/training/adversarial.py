"""One adversarial step, whatever the nets: a discriminator's logits, and the losses of both sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from rib.io.errors import RibError
from rib.io.recipe import did_you_mean


class AdversarialLoss(NamedTuple):
    """Losses of logits, element by element.

    Attributes:
        real: The discriminator's on true examples.
        made: The discriminator's on generated ones.
        generator: The generator's on generated ones.
    """

    real: Callable[[Tensor], Tensor]
    made: Callable[[Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


ADVERSARIAL_LOSSES = {
    # Lim and Ye, "Geometric GAN", 2017
    "hinge": AdversarialLoss(lambda s: F.relu(1 - s), lambda s: F.relu(1 + s), lambda s: -s),
    # Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017
    "lsgan": AdversarialLoss(lambda s: (s - 1).square(), torch.square, lambda s: (s - 1).square()),
    # Goodfellow et al., NeurIPS 2014
    "nonsaturating": AdversarialLoss(lambda s: F.softplus(-s), F.softplus, lambda s: F.softplus(-s)),
}


def adversarial_loss_named(kind: str) -> AdversarialLoss:
    """Look up an adversarial loss by its name in `ADVERSARIAL_LOSSES`.

    Raises:
        RibError: There is no such loss.
    """
    if kind not in ADVERSARIAL_LOSSES:
        raise RibError(f"{kind!r} is no adversarial loss", did_you_mean(kind, list(ADVERSARIAL_LOSSES)))
    return ADVERSARIAL_LOSSES[kind]


class DiscriminatorOutputs(NamedTuple):
    """Outputs of a discriminator in one step.

    Attributes:
        real: On true examples; the discriminator learns from it.
        made: On generated ones with the generator's gradient cut; the discriminator learns from it too.
        held: On generated ones with the discriminator's weights held; the generator learns from it. None
            where it was not asked for.
    """

    real: Any
    made: Any
    held: Any


def run_discriminator(
    discriminator: nn.Module, real: Sequence[Tensor], made: Sequence[Tensor], generator: bool = True
) -> DiscriminatorOutputs:
    """Run a discriminator so that one backward pass serves it and the generator.

    Args:
        discriminator: Called with the tensors of an example.
        real: A true example.
        made: A generated one.
        generator: Whether the generator learns from it.
    """
    outputs = discriminator(*real), discriminator(*(tensor.detach() for tensor in made))
    if not generator:
        return DiscriminatorOutputs(*outputs, None)
    held = {name: parameter.detach() for name, parameter in discriminator.named_parameters()}
    return DiscriminatorOutputs(*outputs, functional_call(discriminator, held, tuple(made)))
