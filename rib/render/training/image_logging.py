"""Pictures for the logger: what the net makes of a validation clip, beside what it saw and the truth."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from rib.io.images import to_pictures
from rib.io.settings.ranges import Range
from rib.render.clip_batch import RendererClipBatch
from rib.render.training.module import RendererModule, predicted_and_target_frames

TITLE = "val/images"


class ImageLogging(Callback):
    """Gives W&B and TensorBoard images of the first validation batch; does nothing where neither logs.

    A row is a frame: background, made, truth, foreground, mask, pose.

    Args:
        rows: Greatest number of frames.
    """

    def __init__(self, rows: Annotated[int, Range(1, 1000)]) -> None:
        self.rows = rows

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: RendererClipBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        """Draw the images after the first batch."""
        takers = [logger for logger in trainer.loggers if takes_renderer_images(logger)]
        if batch_idx or not takers or not isinstance(pl_module, RendererModule):
            return
        images = render_validation_sheet(pl_module, batch, self.rows)
        for logger in takers:
            _hand_over(logger, images, trainer.global_step)


@torch.no_grad()
def render_validation_sheet(module: RendererModule, batch: RendererClipBatch, rows: int) -> np.ndarray:
    """The first frames of a batch below each other, (rows * H, 6 * W, 3) uint8."""
    frames = predicted_and_target_frames(module(batch), batch)
    maps = module.conditioning(batch["poses"][:, 1:-1].flatten(0, 1), frames.target.shape[-2:])
    mask = frames.alpha.expand(-1, 3, -1, -1)
    columns = [
        batch["backgrounds"].flatten(0, 1), frames.pred, frames.target, frames.foreground, mask, maps[:, :3]
    ]  # fmt: skip
    images: Tensor = torch.cat([column[:rows].float() for column in columns], -1)
    return np.concatenate(to_pictures(images))


def takes_renderer_images(logger: Any) -> bool:
    """Whether a logger of Lightning can log pictures: W&B and TensorBoard can."""
    return hasattr(logger, "log_image") or hasattr(getattr(logger, "experiment", None), "add_image")


def _hand_over(logger: Any, images: np.ndarray, step: int) -> None:
    if hasattr(logger, "log_image"):
        logger.log_image(TITLE, [images], step=step)
    else:
        logger.experiment.add_image(TITLE, images, step, dataformats="HWC")
