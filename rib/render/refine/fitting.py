"""A small training loop that fits the refiner to a clip's own keyframes, in minutes on a CPU."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from rib.io.errors import RibError
from rib.io.settings.ranges import NonNegative, Positive, Range, Whole
from rib.metrics.lpips import Lpips
from rib.render.refine.crops import RefinerCropRecipe
from rib.render.refine.dataset import RefinerBatch, RefinerSample
from rib.render.refine.refiner_input import RefinerInput
from rib.training.ema import ema_of, update_ema
from rib.training.schedules import WarmupCosine

Report = Callable[[int, Mapping[str, float]], None]
"""Called after every step with its number, from 1, and the named terms of the loss."""


@dataclass(frozen=True)
class RefinerFitRecipe:
    """Loss, optimizer and schedule of the fit.

    Attributes:
        perceptual: Weight of LPIPS (AlexNet) between the finished picture and the truth.
        pixels: Weight of the mean absolute difference.
        lr: Peak learning rate of AdamW.
        warmup_steps: Steps over which it rises from 0; it then comes down along a cosine.
        weight_decay: Of AdamW.
        ema_decay: Decay of the EMA of the weights, a step; the EMA is what is given.
        clip_norm: Norm above which a step's gradient is scaled down.
    """

    perceptual: NonNegative
    pixels: NonNegative
    lr: Annotated[float, Range(0, 1000)]
    warmup_steps: Whole
    weight_decay: Annotated[float, Range(0, 1000)]
    ema_decay: Annotated[float, Range(0, below=1)]
    clip_norm: Positive

    def fit(
        self, net: nn.Module, samples: Sequence[RefinerSample], crops: RefinerCropRecipe, steps: int,
        seed: int, report: Report, device: str = "cpu",
    ) -> nn.Module:  # fmt: skip
        """Train, and give the EMA of the net's weights; the same for the same seed.

        Args:
            net: Where it starts; it is changed.
            samples: What it learns from.
            crops: Size and augmentation of crops.
            steps: Steps of the optimizer.
            seed: Seed of the crops.
            report: Called after every step.
            device: Where the net lies.

        Raises:
            RibError: A loss is not finite; the terms are told.
        """
        net.train()
        ema = ema_of(net)
        lpips = Lpips("alexnet").to(device)
        optimizer = torch.optim.AdamW(net.parameters(), self.lr, (0.9, 0.99), weight_decay=self.weight_decay)
        schedule = WarmupCosine(self.warmup_steps, steps)
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = self.lr * schedule(step)
            batch = crops.batch(samples, seed, step)
            terms = self.terms(net, lpips, batch, device)
            total = self.perceptual * terms["lpips"] + self.pixels * terms["l1"]
            told = {name: float(term.detach()) for name, term in terms.items()}
            if not math.isfinite(float(total.detach())):
                raise RibError(f"the loss at step {step + 1} is not finite ({told})", "lower render.fit's lr")
            optimizer.zero_grad(set_to_none=True)
            total.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), self.clip_norm)
            optimizer.step()
            update_ema(ema, net, self.ema_decay, step + 1)
            report(step + 1, told)
        return ema

    def terms(self, net: nn.Module, lpips: Lpips, batch: RefinerBatch, device: str) -> dict[str, Tensor]:
        """Compute the named, unweighted terms of the loss."""
        inputs = RefinerInput.of(batch["channels"].to(device))
        truth = batch["truth"].to(device)
        picture = net.refine(inputs).over(inputs)  # type: ignore[operator]
        return {"lpips": lpips(picture, truth).mean(), "l1": (picture - truth).abs().mean()}
