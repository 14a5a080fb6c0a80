"""Now and then during training: a clip as skeletons, the truth beside the net and the spline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytorch_lightning as pl
import torch

from rib.io.files.whole import write_file_whole
from rib.io.settings.ranges import Count, Range
from rib.motion.evaluation.protocol import FPS
from rib.motion.evaluation.skeleton_video import motion_video_frames, write_motion_video
from rib.motion.training.module import spline_of_motion_batch
from rib.motion.training.windows import MotionBatch

SkeletonsByMethod = dict[str, np.ndarray]


class SkeletonLogging(pl.Callback):
    """Writes skeletons/<condition>_<step>.mp4 and .png, and hands them to loggers that show them.

    The first clip of a validation batch is shown: the truth as it is known at the query times, then what the
    net and the natural cubic spline make of its keyframes.

    Args:
        folder: The run folder.
        check: The condition of validation whose clip is shown.
        every_num_validations: How often.
        size_px: Width and height of each skeleton's picture.
        codec: Encoder of the video.
        crf: Its constant rate factor.
    """

    def __init__(
        self,
        folder: str,
        check: str,
        every_num_validations: Count,
        size_px: Annotated[int, Range(16, 4096)],
        codec: str,
        crf: Annotated[int, Range(0, 63)],
    ) -> None:
        self.folder, self.check = Path(folder) / "skeletons", check
        self.every_num_validations = every_num_validations
        self.size_px, self.codec, self.crf = size_px, codec, crf
        self._count = 0

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write and log, on rank 0."""
        self._count += 1
        due = (self._count - 1) % self.every_num_validations == 0
        if trainer.sanity_checking or not trainer.is_global_zero or not due:
            return
        checks = list(pl_module.checks)  # type: ignore[arg-type]
        if self.check not in checks:
            return
        loader: Any = trainer.val_dataloaders[checks.index(self.check)]  # type: ignore[index]
        with torch.inference_mode():
            skeletons, stride = skeletons_by_method(pl_module, loader.dataset[0])
        stem = self.folder / f"{self.check}_{trainer.global_step}"
        video, picture = stem.with_suffix(".mp4"), stem.with_suffix(".png")
        write_motion_video(video, skeletons, stride, self.size_px, self.codec, self.crf)
        _write_middle(picture, skeletons, stride, self.size_px)
        for logger in trainer.loggers:
            for name, file in (("log_video", video), ("log_image", picture)):
                if hasattr(logger, name):
                    getattr(logger, name)(f"skeletons/{self.check}_{name[4:]}", [str(file)])


def skeletons_by_method(module: Any, batch: MotionBatch) -> tuple[SkeletonsByMethod, int]:
    """The first clip's truth, net and spline as (N, 19, 2) px at every frame, and its keyframes' stride.

    Args:
        module: A `MotionModule`, or anything that is called like one.
        batch: On the CPU.
    """
    one: Any = {k: v[:1] if isinstance(v, torch.Tensor) and v.dim() else v for k, v in batch.items()}
    device = next(module.parameters()).device
    keys = [one[k].to(device) for k in ("times_s", "keypoints_px", "confidence")]
    times_s = one["times_s"][0]
    moments = (
        torch.arange(0, float(times_s[-1] - times_s[0]) + 1e-6, 1 / FPS, dtype=torch.float64) + times_s[0]
    )
    net = module(*keys).at(moments[None].to(device))[0][0].float().cpu()
    spline = spline_of_motion_batch(one).at(moments[None])[0][0]
    known_s = torch.cat([times_s, one["query_times_s"][0].flatten()]).numpy()
    known_px = torch.cat([one["target_px"][0], one["query_px"][0].flatten(0, 1)]).flatten(1).numpy()
    order = np.argsort(known_s, kind="stable")
    columns = [np.interp(moments.numpy(), known_s[order], column[order]) for column in known_px.T]
    truth = np.stack(columns, 1).reshape(len(moments), -1, 2)
    stride = max(1, round(float(times_s.diff().mean()) * FPS))
    return {"truth": truth, "net": net.numpy(), "spline": spline.numpy()}, stride


def _write_middle(path: Path, skeletons: SkeletonsByMethod, stride: int, size_px: int) -> None:
    """The moment midway between two keyframes in the middle of the clip."""
    from PIL import Image

    number = len(skeletons["truth"]) // 2 // stride * stride + stride // 2
    last = len(skeletons["truth"]) - 1
    frames = motion_video_frames(skeletons, stride, size_px)
    frame = next(f for i, f in enumerate(frames) if i == min(number, last))
    with write_file_whole(path) as temporary:
        Image.fromarray(frame).save(temporary)
