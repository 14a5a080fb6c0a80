"""Batches of drawings for Lightning: what was drawn for hidden frames of real clips, once, and kept on disk.

Letters: B crops, C planes of `Drawn`, S the crop's side.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, DistributedSampler, Sampler

from rib.io.errors import RibError
from rib.io.ranges import Count, Range, Seed, Share, Whole
from rib.io.recipe import build
from rib.render.clip_batch import ClipBatch
from rib.render.refine.crops import CropRecipe
from rib.render.refine.drawings import DrawnBatch, Gap, read_gaps
from rib.render.refine.drawn import Drawn
from rib.training.epochs import EpochSampler, ranks


class DrawnClips(ClipBatch):
    """Crops of drawings as windows of three frames, for a net that need not draw them again.

    The frames before and after are the person as each keyframe alone gives it; the matte is the drawn one;
    joints are not told.

    Keys:
        planes: (B, C, S, S), `Drawn.planes` of the frame in the middle.
    """

    planes: Tensor


def as_clips(batch: DrawnBatch) -> DrawnClips:
    """A batch of drawings as a batch of windows."""
    drawn, truth = Drawn.of(batch["planes"]), batch["truth"]
    before, after = drawn.each[:, :3], drawn.each[:, 4:7]
    num = len(truth)
    return DrawnClips(
        frames=torch.stack([before, truth, after], 1),
        poses=truth.new_zeros(num, 3, 19, 3),
        masks=drawn.alpha[:, None].expand(-1, 3, -1, -1, -1),
        backgrounds=drawn.floor[:, None],
        times_s=torch.tensor([[0.0, 0.5, 1.0]], dtype=torch.float64).repeat(num, 1),
        names=[""] * num,
        planes=batch["planes"],
    )


class DrawnCrops(Dataset[DrawnClips]):
    """Item `epoch * num_batches + place` is a batch, a function of the seed and of that number.

    Args:
        gaps: What is drawn from.
        crops: How.
        num_batches: Batches an epoch.
        seed: The run's seed.
    """

    def __init__(self, gaps: Sequence[Gap], crops: CropRecipe, num_batches: int, seed: int) -> None:
        self.gaps, self.crops, self.num_batches, self.seed = gaps, crops, num_batches, seed

    def __len__(self) -> int:
        return self.num_batches

    def __getitem__(self, index: int) -> DrawnClips:
        """A batch of windows; see the class."""
        return as_clips(self.crops.batch(self.gaps, self.seed, index))


class DrawnDataModule(pl.LightningDataModule):
    """Crops of the drawings in a file, as `DrawnClips`.

    Args:
        drawings: A file that `rib prepare data=drawings` wrote.
        held_out: Names or patterns (walk_*) of clips that are never trained on; they choose the checkpoint.
        crops: Recipe of `CropRecipe` for training.
        least_gate: Gaps that are trusted less (0..1) are left out.
        batches_per_epoch: Batches drawn in an epoch.
        validation_batches: Batches of validation; 0 for none.
        seed: The run's seed.
        num_workers: Processes that draw; 0 draws in the training process.
    """

    def __init__(
        self,
        drawings: str,
        held_out: Sequence[str],
        crops: Mapping[str, Any],
        least_gate: Share,
        batches_per_epoch: Count,
        validation_batches: Whole,
        seed: Seed,
        num_workers: Annotated[int, Range(0, 256)],
    ) -> None:
        super().__init__()
        self.drawings, self.held_out, self.least_gate = Path(drawings), list(held_out), least_gate
        self.crops: CropRecipe = build(crops)
        self.batches_per_epoch, self.validation_batches = batches_per_epoch, validation_batches
        self.seed, self.num_workers = seed, num_workers

    def setup(self, stage: str | None = None) -> None:
        """Read the drawings and share the clips out.

        Raises:
            RibError: The file cannot be read, or no gap is left to train on.
        """
        clips = read_gaps(self.drawings.expanduser())
        held = {name for name in clips for some in self.held_out if fnmatch.fnmatchcase(name, some)}
        self.training = [gap for name in clips if name not in held for gap in self._trusted(clips[name])]
        checked = [gap for name in sorted(held) for gap in self._trusted(clips[name])]
        self.checked = checked or self.training
        if not self.training:
            raise RibError(
                f"no gap of {self.drawings} is left to train on", "hold fewer clips out, or lower least_gate"
            )

    def _trusted(self, gaps: Sequence[Gap]) -> list[Gap]:
        return [gap for gap in gaps if gap.gate >= self.least_gate]

    def train_dataloader(self) -> DataLoader[DrawnClips]:
        """One epoch, shared out between the ranks."""
        crops = DrawnCrops(self.training, self.crops, self.batches_per_epoch, self.seed)
        sampler = EpochSampler(crops, *ranks(self.trainer), self.trainer)
        return DataLoader(
            crops, batch_size=None, sampler=sampler, num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
        )  # fmt: skip

    def val_dataloader(self) -> DataLoader[DrawnClips]:
        """The same batches each time, without augmentation."""
        crops = DrawnCrops(self.checked, self.crops.plain(), self.validation_batches, self.seed + 1)
        sampler: Sampler[int] = DistributedSampler(crops, *ranks(self.trainer), shuffle=False)
        return DataLoader(crops, batch_size=None, sampler=sampler)
