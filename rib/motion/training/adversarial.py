"""The published model's optional discriminator: a discriminator of 2-D motion, trained by least squares.

Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017. Letters: B clips, K keyframes,
N moments: the keyframes and one between each two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from rib.io.recipe import build_recipe
from rib.io.settings.ranges import Count, Range, Share, Weight, Whole
from rib.motion.nets.curve import MotionCurve
from rib.motion.training.module import MotionModule
from rib.motion.training.windows import NUM_QUERIES, MotionBatch
from rib.structures.skeleton import BODY19
from rib.training.adversarial import ADVERSARIAL_LOSSES, run_discriminator

HIP = BODY19.index("mid_hip")
NUM_VALUES = 2 * len(BODY19) + 1
LOSS = ADVERSARIAL_LOSSES["lsgan"]


class MotionDiscriminator(nn.Module):
    """Tells real motion from generated motion at every moment, by the moments around it.

    Args:
        width: Channels.
        num_layers: Convolutions over five moments each.
    """

    def __init__(
        self,
        width: Annotated[int, Range(1, 4096)],
        num_layers: Annotated[int, Range(1, 64)],
    ) -> None:
        super().__init__()
        sizes = [NUM_VALUES, *[width] * num_layers]
        layers: list[nn.Module] = []
        for inside, out in pairwise(sizes):
            layers += [nn.Conv1d(inside, out, 5, padding=2, padding_mode="replicate"), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv1d(width, 1, 1))

    def forward(self, joints: Tensor, times_s: Tensor) -> Tensor:
        """Scores (B, N) of joints (B, N, 19, 2), in heights, at times (B, N): 1 is real, 0 is made."""
        hip = joints[:, :, HIP : HIP + 1]
        relative = torch.cat([joints[:, :, :HIP], joints[:, :, HIP + 1 :]], 2) - hip
        travel = hip - hip[:, :1]
        step = torch.cat([times_s[:, :1] * 0, times_s.diff(dim=1)], 1).to(joints)
        values = torch.cat([relative.flatten(2), travel.flatten(2), step[..., None]], -1)
        return self.layers(values.transpose(1, 2))[:, 0]


class AdversarialMotionModule(MotionModule):
    """A `MotionModule` whose net also has to convince a discriminator.

    Both are trained in one step and by one optimizer: the net's term goes through the discriminator with its
    weights held, the discriminator's term through the net's answer with its gradient cut. Steps, schedules,
    checkpoints and processes so stay those of plain training; gradients are clipped by the norm of both.

    Args:
        net: See `MotionModule`.
        loss: See `MotionModule`.
        weights: Weight of each term of the loss, among them `adversarial` (the net's) and `discriminator`.
        optimizer: See `MotionModule`.
        warmup_steps: See `MotionModule`.
        total_steps: See `MotionModule`.
        min_lr_ratio: See `MotionModule`.
        ema_decay: See `MotionModule`.
        checks: See `MotionModule`.
        discriminator: Recipe of the discriminator.
    """

    shardable = False
    """The discriminator runs on weights that it is handed (`rib.engine.distributed.sharded`)."""

    def __init__(
        self,
        net: Mapping[str, Any],
        loss: Mapping[str, Any],
        weights: Mapping[str, Weight],
        optimizer: Mapping[str, Any],
        warmup_steps: Whole,
        total_steps: Count,
        min_lr_ratio: Share,
        ema_decay: Annotated[float, Range(0, below=1)],
        checks: Sequence[str],
        discriminator: Mapping[str, Any],
    ) -> None:
        super().__init__(
            net, loss, weights, optimizer, warmup_steps, total_steps, min_lr_ratio, ema_decay, checks
        )
        self.save_hyperparameters()
        self.discriminator: nn.Module = build_recipe(discriminator)

    def losses(self, curve: MotionCurve, batch: MotionBatch) -> dict[str, Tensor]:
        """The terms of `MotionLoss`, the net's against the discriminator, and the discriminator's."""
        middle = slice(NUM_QUERIES // 2, NUM_QUERIES // 2 + 1)
        queries_s = batch["query_times_s"][:, :, middle]
        made = _interleaved(curve.position_px, curve.between(queries_s)) / batch["height_px"]
        real = _interleaved(batch["target_px"], batch["query_px"][:, :, middle]) / batch["height_px"]
        times_s = _interleaved(batch["times_s"], queries_s)
        outputs, loss = run_discriminator(self.discriminator, (real, times_s), (made, times_s)), LOSS
        return {
            **super().losses(curve, batch),
            "adversarial": loss.generator(outputs.held).mean(),
            "discriminator": 0.5 * (loss.real(outputs.real).mean() + loss.made(outputs.made).mean()),
        }

    def training_step(self, batch: MotionBatch, batch_idx: int) -> Tensor:
        """See `MotionModule.training_step`; logs the loss without what the discriminator says too."""
        total = super().training_step(batch, batch_idx)
        if self.logs_terms:
            theirs = sum(
                self.weights.get(name, 0.0) * self.terms[name] for name in ("adversarial", "discriminator")
            )
            self.log("train/reconstruction_loss", total.detach() - theirs, batch_size=len(batch["times_s"]))
        return total

    def groups(self) -> list[dict[str, Any]]:
        """The discriminator's weights beside the net's."""
        return [*super().groups(), {"params": list(self.discriminator.parameters()), "weight_decay": 0.0}]


def _interleaved(keys: Tensor, between: Tensor) -> Tensor:
    """(B, K, ...) and (B, K - 1, 1, ...) in the order of time: (B, 2 K - 1, ...)."""
    pairs = torch.stack([keys[:, :-1], between[:, :, 0]], 2).flatten(1, 2)
    return torch.cat([pairs, keys[:, -1:]], 1)
