"""Train a motion net: named losses, an EMA of the weights, errors against the spline's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from rib.io.errors import RibError
from rib.io.recipe import build_recipe
from rib.io.settings.ranges import Count, Range, Share, Weight, Whole
from rib.motion.nets.base import natural_spline_of_keyframes
from rib.motion.nets.checkpoint import FORMAT, facts_of_motion_net, shipped_motion_weights
from rib.motion.nets.curve import MotionCurve
from rib.motion.nets.keyframe_features import normalise_keyframes
from rib.motion.training.losses import MIDDLE, MotionLoss, curve_at_query_times, weighted_motion_loss
from rib.motion.training.windows import MotionBatch
from rib.training.ema import ema_of, rename_old_ema_state, update_ema
from rib.training.schedules import WarmupCosine

PX = 250.0
"""Errors are logged in px at a person this tall, as `experiments/motion_upsampling` reports them."""


class MotionModule(pl.LightningModule):
    """Fits a net to `MotionBatch`es; the EMA of its weights is validated and shipped.

    Args:
        net: Recipe of the net.
        loss: Recipe of `MotionLoss`.
        weights: Weight of each term of the loss.
        optimizer: Recipe of the optimizer, without parameters.
        warmup_steps: Steps in which the learning rate rises from 0.
        total_steps: Steps after which the learning rate has come down along a cosine; it stays there.
        min_lr_ratio: The share of its peak that it comes down to.
        ema_decay: Decay of the EMA of the weights, a step.
        checks: Names of the validation loaders, as in `MotionDataModule`.
    """

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
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net: nn.Module = build_recipe(net)
        self.ema = ema_of(self.net)
        self.loss: MotionLoss = build_recipe(loss)
        self.weights = dict(weights)
        self.checks = list(checks)
        self.ratios: list[Tensor] = []
        self.terms: dict[str, Tensor] = {}
        self.logs_terms = True

    @staticmethod
    def shipped_weights() -> Path:
        """The weights that come with rib, which restore=finetune begins from where no others are named."""
        return shipped_motion_weights()

    def forward(
        self, times_s: Tensor, keypoints_px: Tensor, confidence: Tensor, present: Tensor | None = None
    ) -> MotionCurve:
        """The curve of the EMA weights (`rib.motion.nets.base.MotionBase`)."""
        return self.ema(times_s, keypoints_px, confidence, present)

    def on_fit_start(self) -> None:
        """Hold `checks` against the data's.

        Raises:
            RibError: They differ in name or order, and the numbers would bear the wrong names.
        """
        given = getattr(getattr(self.trainer, "datamodule", None), "checks", None)
        if given is not None and list(given) != self.checks:
            raise RibError(
                f"task.module.checks=[{','.join(self.checks)}], but the data has {', '.join(given)}",
                f"type task.module.checks=[{','.join(given)}]",
            )

    def on_train_batch_start(self, batch: MotionBatch, batch_idx: int) -> None:
        """Log the terms in steps that loggers write and in an epoch's last: all would cost a percent."""
        trainer: Any = self.trainer
        every, stepped = trainer.log_every_n_steps, trainer.fit_loop.epoch_loop._batches_that_stepped
        self.logs_terms = trainer.is_last_batch or (every > 0 and (stepped + 1) % every == 0)

    def training_step(self, batch: MotionBatch, batch_idx: int) -> Tensor:
        """Named losses, and their weighted sum."""
        curve = self.net(batch["times_s"], batch["keypoints_px"], batch["confidence"])
        terms = self.losses(curve, batch)
        total = weighted_motion_loss(terms, self.weights)
        self.terms = {name: term.detach() for name, term in terms.items()}
        size = len(batch["times_s"])
        if self.logs_terms:
            self.log_dict({f"train/{k}_loss": v for k, v in self.terms.items()}, batch_size=size)
        self.log("train/loss", total, batch_size=size, prog_bar=True)
        return total

    def losses(self, curve: MotionCurve, batch: MotionBatch) -> dict[str, Tensor]:
        """Named, unweighted terms."""
        return self.loss(curve, spline_of_motion_batch(batch), batch)

    def groups(self) -> list[dict[str, Any]]:
        """Weights for the optimizer: weight decay on matrices alone."""
        matrices = [p for p in self.net.parameters() if p.dim() > 1]
        vectors = [p for p in self.net.parameters() if p.dim() <= 1]
        return [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Step, and let the EMA follow at once: a checkpoint after this step holds both."""
        super().optimizer_step(*args, **kwargs)
        update_ema(self.ema, self.net, self.hparams["ema_decay"], self.trainer.global_step + 1)

    def train(self, mode: bool = True) -> MotionModule:
        """The EMA is never in training mode."""
        super().train(mode)
        self.ema.eval()
        return self

    def validation_step(self, batch: MotionBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """In-between error, and its ratio to the spline's."""
        self._check("val", batch, dataloader_idx)

    def test_step(self, batch: MotionBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """The same of held-out subjects."""
        self._check("test", batch, dataloader_idx)

    def _check(self, split: str, batch: MotionBatch, dataloader_idx: int) -> None:
        curve, spline = (
            self(batch["times_s"], batch["keypoints_px"], batch["confidence"]),
            spline_of_motion_batch(batch),
        )
        name = self.checks[dataloader_idx]
        ours, theirs = (error_between_keyframes_px(c, batch) for c in (curve, spline))
        # every batch weighs 1: between processes Lightning rounds mean batch sizes down to whole numbers
        options: dict[str, Any] = {"batch_size": 1, "add_dataloader_idx": False, "sync_dist": True}
        self.log(f"{split}/{name}_px", ours, **options)
        self.log(f"{split}/{name}_ratio", ours / theirs, **options)
        self.ratios.append(ours / theirs)

    def on_validation_epoch_end(self) -> None:
        """The mean over conditions chooses the checkpoint."""
        self._log_mean_ratio("val")

    def on_test_epoch_end(self) -> None:
        """The mean over conditions."""
        self._log_mean_ratio("test")

    def _log_mean_ratio(self, split: str) -> None:
        self.log(f"{split}/ratio", torch.stack(self.ratios).mean(), prog_bar=True, sync_dist=True)
        self.ratios.clear()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Say what the net fits (`rib.motion.nets.checkpoint`)."""
        checkpoint[FORMAT] = asdict(facts_of_motion_net(self.net))

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take checkpoints of earlier releases too."""
        rename_old_ema_state(checkpoint)

    def configure_optimizers(self) -> Any:
        """Warm-up, then a cosine."""
        optimizer = build_recipe(self.hparams["optimizer"], params=self.groups())
        share = WarmupCosine(*(self.hparams[k] for k in ("warmup_steps", "total_steps", "min_lr_ratio")))
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def error_between_keyframes_px(curve: MotionCurve, batch: MotionBatch) -> Tensor:
    """Mean error between keyframes of the joints seen, in px at a person `PX` tall."""
    error = (curve_at_query_times(curve, batch) - batch["query_px"])[:, :, MIDDLE].norm(dim=-1).mean((1, 2))
    return (error * curve.seen).sum() / curve.seen.sum() * (PX / batch["height_px"])


def spline_of_motion_batch(batch: MotionBatch) -> MotionCurve:
    """The natural cubic spline through a batch's keyframes."""
    present = torch.ones_like(batch["times_s"], dtype=torch.bool)
    with torch.no_grad():
        return natural_spline_of_keyframes(
            normalise_keyframes(batch["times_s"], batch["keypoints_px"], batch["confidence"], present)
        )
