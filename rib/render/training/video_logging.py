"""Films of validation during training: what the net made beside what it had and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from rib.io.images import to_pictures
from rib.io.settings.ranges import Count, Range
from rib.render.clip_batch import RendererClipBatch
from rib.render.refine.refiner_input import RefinerInput, RefinerOutput
from rib.render.training.module import RendererModule, predicted_and_target_frames
from rib.video import VideoWriter

TITLE = "val/video"


class VideoLogging(Callback):
    """Writes videos/<step>.mp4 into the run folder, and hands it to loggers that show videos.

    The windows of the first validation batches follow one another. Side by side: made, truth, and what the
    net began with, which is the rendered person where refiner samples are learnt from and else the
    interpolated background.

    Args:
        folder: The run folder.
        every_num_validations: How often.
        frames: Greatest number of frames.
        fps: Frames a second; slow, to see what flickers.
        codec: Encoder of the video.
        crf: Its constant rate factor; lower is better and larger.
    """

    def __init__(
        self,
        folder: str,
        every_num_validations: Count,
        frames: Count,
        fps: Annotated[float, Range(above=0, most=1000)],
        codec: str,
        crf: Annotated[int, Range(0, 63)],
    ) -> None:
        self.folder, self.every_num_validations = Path(folder) / "videos", every_num_validations
        self.fps, self.codec, self.crf = Fraction(fps).limit_denominator(1001), codec, crf
        self.frames = frames
        self._count = 0
        self._frames: list[np.ndarray] = []

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: RendererClipBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        """Keep frames of the first batches, on rank 0 and where a video is due."""
        due = self._count % self.every_num_validations == 0 and not trainer.sanity_checking
        room = self.frames - len(self._frames)
        if due and room and trainer.is_global_zero and isinstance(pl_module, RendererModule):
            self._frames += render_validation_video(pl_module, batch)[:room]

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write and log."""
        if trainer.sanity_checking:
            return
        self._count += 1
        frames, self._frames = self._frames, []
        if not frames:
            return
        path = self.folder / f"{trainer.global_step}.mp4"
        height, width = frames[0].shape[:2]
        with VideoWriter(path, self.fps, (width, height), self.codec, self.crf, "yuv420p") as writer:
            for frame in frames:
                writer.write(frame)
        for logger in trainer.loggers:
            _hand_over(logger, path, frames, float(self.fps), trainer.global_step)


@torch.no_grad()
def render_validation_video(module: RendererModule, batch: RendererClipBatch) -> list[np.ndarray]:
    """(H, 3 * W, 3) uint8 for every learnt frame: made, true, and what the net began with."""
    frames = predicted_and_target_frames(module(batch), batch)
    row = torch.cat([frames.pred.float(), frames.target.float(), _before(batch).float()], -1)
    return list(to_pictures(row))


def _before(batch: RendererClipBatch) -> Tensor:
    """(N, 3, H, W), the picture without the net's work."""
    channels: Tensor | None = batch.get("channels")  # type: ignore[assignment]
    if channels is None:
        return batch["backgrounds"].flatten(0, 1)
    inputs = RefinerInput.of(channels)
    return RefinerOutput(inputs.colour, inputs.alpha, inputs.trust).over(inputs)


def _hand_over(logger: Any, path: Path, frames: Sequence[np.ndarray], fps: float, step: int) -> None:
    """W&B takes the file; TensorBoard makes its own, which needs moviepy; others have the run folder."""
    if hasattr(logger, "log_video"):
        logger.log_video(TITLE, [str(path)], step=step)
    elif hasattr(getattr(logger, "experiment", None), "add_video") and find_spec("moviepy"):
        clip = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)[None]
        logger.experiment.add_video(TITLE, clip, step, fps=fps)
