"""Refiner samples for Lightning: crops of hidden frames that were rendered once and kept on disk.

Letters: B crops, C channels of `RefinerInput`, S the crop's side.
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
from rib.io.recipe import build_recipe
from rib.io.settings.ranges import Count, Range, Seed, Share, Whole
from rib.render.clip_batch import RendererClipBatch
from rib.render.refine.crops import RefinerCropRecipe
from rib.render.refine.dataset import RefinerBatch
from rib.render.refine.on_disk import StoredRefinerSample, refiner_samples_on_disk
from rib.render.refine.refiner_input import RefinerInput
from rib.training.epochs import EpochSampler, training_rank_and_world_size


class RefinerClipBatch(RendererClipBatch):
    """Crops of refiner samples as windows of three frames, for a net that need not render them again.

    The frames before and after are the person as each keyframe alone gives it; the matte is the rendered one;
    joints are left at 0.

    Keys:
        channels: (B, C, S, S), `RefinerInput.channels` of the frame in the middle.
    """

    channels: Tensor


def refiner_crops_to_clips(batch: RefinerBatch) -> RefinerClipBatch:
    """Convert a batch of crops to a batch of windows."""
    inputs, truth = RefinerInput.of(batch["channels"]), batch["truth"]
    before, after = inputs.per_keyframe[:, :3], inputs.per_keyframe[:, 4:7]
    num = len(truth)
    return RefinerClipBatch(
        frames=torch.stack([before, truth, after], 1),
        poses=truth.new_zeros(num, 3, 19, 3),
        masks=inputs.alpha[:, None].expand(-1, 3, -1, -1, -1),
        backgrounds=inputs.interpolated[:, None],
        times_s=torch.tensor([[0.0, 0.5, 1.0]], dtype=torch.float64).repeat(num, 1),
        names=[""] * num,
        channels=batch["channels"],
    )


class RefinerCropBatches(Dataset[RefinerClipBatch]):
    """Item `epoch * num_batches + place` is a batch, a function of the seed and of that number.

    Args:
        samples: Intervals to crop from.
        crops: Size and augmentation.
        num_batches: Batches an epoch.
        seed: The run's seed.
    """

    def __init__(
        self, samples: Sequence[StoredRefinerSample], crops: RefinerCropRecipe, num_batches: int, seed: int
    ) -> None:
        self.samples, self.crops, self.num_batches, self.seed = samples, crops, num_batches, seed

    def __len__(self) -> int:
        return self.num_batches

    def __getitem__(self, index: int) -> RefinerClipBatch:
        """A batch of windows; see the class."""
        return refiner_crops_to_clips(self.crops.batch(self.samples, self.seed, index))


class RefinerDataModule(pl.LightningDataModule):
    """Crops of a refiner dataset, as `RefinerClipBatch`; its pixels stay on disk until a crop needs them.

    Args:
        samples: A file that `rib prepare data=refiner` wrote.
        held_out: Names or patterns (walk_*) of clips that are never trained on; they choose the checkpoint.
        crops: Recipe of `RefinerCropRecipe` for training.
        min_gate: Intervals that are trusted less (0..1) are left out.
        batches_per_epoch: Batches in an epoch.
        validation_batches: Batches of validation; 0 for none.
        seed: The run's seed.
        num_workers: Processes that crop; 0 crops in the training process.
    """

    def __init__(
        self,
        samples: str,
        held_out: Sequence[str],
        crops: Mapping[str, Any],
        min_gate: Share,
        batches_per_epoch: Count,
        validation_batches: Whole,
        seed: Seed,
        num_workers: Annotated[int, Range(0, 256)],
    ) -> None:
        super().__init__()
        self.path, self.held_out, self.min_gate = Path(samples), list(held_out), min_gate
        self.crops: RefinerCropRecipe = build_recipe(crops)
        self.batches_per_epoch, self.validation_batches = batches_per_epoch, validation_batches
        self.seed, self.num_workers = seed, num_workers

    def setup(self, stage: str | None = None) -> None:
        """List the samples and split the clips into training and validation.

        Raises:
            RibError: The file cannot be read, or no sample is left to train on.
        """
        clips = refiner_samples_on_disk(self.path.expanduser())
        held = {name for name in clips for some in self.held_out if fnmatch.fnmatchcase(name, some)}
        self.training = [
            sample for name in clips if name not in held for sample in self._trusted(clips[name])
        ]
        checked = [sample for name in sorted(held) for sample in self._trusted(clips[name])]
        self.checked = checked or self.training
        if not self.training:
            raise RibError(
                f"no sample of {self.path} is left to train on", "hold fewer clips out, or lower min_gate"
            )

    def _trusted(self, samples: Sequence[StoredRefinerSample]) -> list[StoredRefinerSample]:
        return [sample for sample in samples if sample.gate >= self.min_gate]

    def train_dataloader(self) -> DataLoader[RefinerClipBatch]:
        """One epoch, shared out between the ranks."""
        crops = RefinerCropBatches(self.training, self.crops, self.batches_per_epoch, self.seed)
        sampler = EpochSampler(crops, *training_rank_and_world_size(self.trainer), self.trainer)
        return DataLoader(
            crops, batch_size=None, sampler=sampler, num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
        )  # fmt: skip

    def val_dataloader(self) -> DataLoader[RefinerClipBatch]:
        """The same batches each time, without augmentation."""
        crops = RefinerCropBatches(self.checked, self.crops.plain(), self.validation_batches, self.seed + 1)
        sampler: Sampler[int] = DistributedSampler(
            crops, *training_rank_and_world_size(self.trainer), shuffle=False
        )
        return DataLoader(crops, batch_size=None, sampler=sampler)
