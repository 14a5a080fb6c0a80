"""Batches of clips for Lightning: drawn from (seed, epoch, index), augmented on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, DistributedSampler, Sampler

from rib.clips.augment import ClipAugmentation
from rib.clips.batches import ClipWindowBatches, RawClipBatch, RefusedClipBatch, WindowCurriculum
from rib.clips.clips import ClipStore, choose_clips
from rib.clips.store import Hdf5ClipStore
from rib.io.errors import RibError
from rib.io.images import to_float
from rib.io.recipe import build_recipe
from rib.io.settings.ranges import AtMostSetting, Count, ListSize, Range, Seed, Share, Whole
from rib.render.clip_batch import RendererClipBatch
from rib.training.epochs import EpochSampler, training_rank_and_world_size


class ClipDataModule(pl.LightningDataModule):
    """Windows of clips in 8 bit from the store, as `RendererClipBatch` on the device.

    Args:
        store: An HDF5 of `rib prepare data=humanslomo` or of the reference, or "synthetic".
        synthetic: Recipe of the painted clips that "synthetic" means.
        clips: Names or patterns of the clips to train on; [] takes all that are not named below.
        held_out: Names or patterns that are never trained on.
        validation: Names or patterns of the clips that choose the checkpoint; not trained on either. [] looks
            at the training clips, without augmentation.
        first_frames: Frames of a window at the start; of T frames T - 2 are learnt.
        grow_every_epochs: Windows grow by a frame every so many epochs.
        most_frames: They grow up to this.
        batch_size: Windows a batch.
        size_wh: Width and height of a window, px.
        scale: See `ClipWindowBatches`.
        reversed_share: See `ClipWindowBatches`.
        augment: Recipe of `ClipAugmentation`, or None for pictures as they are.
        batches_per_epoch: Batches drawn in an epoch.
        validation_batches: Batches of validation.
        seed: The run's seed.
        num_workers: Processes that draw; 0 draws in the training process.
    """

    def __init__(
        self,
        store: str,
        synthetic: Mapping[str, Any],
        clips: Sequence[str],
        held_out: Sequence[str],
        validation: Sequence[str],
        first_frames: Annotated[int, Range(3, 1000), AtMostSetting("most_frames")],
        grow_every_epochs: Count,
        most_frames: Annotated[int, Range(3, 1000)],
        batch_size: Annotated[int, Range(1, 4096)],
        size_wh: Annotated[Sequence[Annotated[int, Range(8, 8192)]], ListSize(2, 2)],
        scale: float | None,
        reversed_share: Share,
        augment: Mapping[str, Any] | None,
        batches_per_epoch: Count,
        validation_batches: Whole,
        seed: Seed,
        num_workers: Annotated[int, Range(0, 256)],
    ) -> None:
        super().__init__()
        if not 3 <= first_frames <= most_frames:
            raise RibError(
                f"windows of {first_frames} to {most_frames} frames were asked for",
                "give data.first_frames of at least 3 and data.most_frames of at least as many",
            )
        self.place, self.synthetic = store, dict(synthetic)
        self.clips, self.held_out, self.validation = list(clips), list(held_out), list(validation)
        self.growth = WindowCurriculum(first_frames, grow_every_epochs, most_frames)
        self.batch_size, self.size_wh, self.scale = batch_size, (size_wh[0], size_wh[1]), scale
        self.reversed_share = reversed_share
        self.augment: ClipAugmentation | None = build_recipe(augment) if augment else None
        self.batches_per_epoch, self.validation_batches = batches_per_epoch, validation_batches
        self.seed, self.num_workers = seed, num_workers
        self.store: ClipStore | None = None

    def setup(self, stage: str | None = None) -> None:
        """Open the store and share its clips out.

        Raises:
            RibError: The store cannot be read, a clip named is not in it or is shorter than a window, or none
                is left to train on.
        """
        if self.store is not None:
            return
        self.store = open_clip_store(self.place, self.synthetic)
        names = self.store.names
        checked, never = choose_clips(names, self.validation), choose_clips(names, self.held_out)
        wanted = choose_clips(names, self.clips) if self.clips else names
        self.training_names = [name for name in wanted if name not in {*checked, *never}]
        if not self.training_names:
            raise RibError(f"no clip of {len(names)} is left to train on", "hold fewer clips out")
        self.checked_names, self.tested_names = checked or self.training_names, never
        self._training = self._drawn(self.training_names, self.seed, training=True)
        self._checking = self._drawn(self.checked_names, self.seed + 1)

    def _drawn(self, names: Sequence[str], seed: int, training: bool = False) -> ClipWindowBatches:
        assert self.store is not None
        most = self.growth.most
        return ClipWindowBatches(
            self.store,
            names,
            self.growth if training else WindowCurriculum(most, 1, most),
            self.batch_size,
            self.batches_per_epoch if training else self.validation_batches,
            self.size_wh,
            self.scale,
            self.reversed_share if training else 0.0,
            training,
            seed,
        )

    def train_dataloader(self) -> DataLoader[RawClipBatch | RefusedClipBatch]:
        """One epoch, shared out between the ranks."""
        return DataLoader(
            self._training,
            batch_size=None,
            sampler=EpochSampler(self._training, *training_rank_and_world_size(self.trainer), self.trainer),
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
        )

    def val_dataloader(self) -> DataLoader[RawClipBatch | RefusedClipBatch]:
        """The same batches each time."""
        return self._in_order(self._checking)

    def test_dataloader(self) -> DataLoader[RawClipBatch | RefusedClipBatch]:
        """The same of the clips that are held out."""
        return self._in_order(self._drawn(self.tested_names, self.seed + 2))

    def _in_order(self, batches: ClipWindowBatches) -> DataLoader[RawClipBatch | RefusedClipBatch]:
        sampler: Sampler[int] = DistributedSampler(
            batches, *training_rank_and_world_size(self.trainer), shuffle=False
        )
        return DataLoader(batches, batch_size=None, sampler=sampler)

    def on_before_batch_transfer(
        self, batch: RawClipBatch | RefusedClipBatch, dataloader_idx: int = 0
    ) -> RawClipBatch:
        """Tell what a worker process could not draw.

        Raises:
            RibError: A clip is damaged.
        """
        if isinstance(batch, RefusedClipBatch):
            raise RibError(batch.what, batch.remedy)
        return batch

    def on_after_batch_transfer(self, batch: RawClipBatch, dataloader_idx: int = 0) -> RendererClipBatch:
        """From 8 bit to 0..1, and the augmentation, where the batch now lies."""
        shown = to_clip_batch(batch)
        if self.augment is None or batch["seed"] < 0:
            return shown
        return self.augment(shown, torch.Generator().manual_seed(batch["seed"]))


def open_clip_store(store: str, synthetic: Mapping[str, Any]) -> ClipStore:
    """The clips of an HDF5, or painted ones where `store` is "synthetic" (`ClipDataModule`).

    Raises:
        RibError: The file is absent or no store of clips.
    """
    if store == "synthetic":
        return build_recipe(synthetic)
    return Hdf5ClipStore(store)


def to_clip_batch(batch: RawClipBatch) -> RendererClipBatch:
    """The same pictures as float32 in 0..1."""
    return RendererClipBatch(
        frames=to_float(batch["frames"]),
        poses=batch["poses"],
        masks=to_float(batch["masks"]),
        backgrounds=to_float(batch["backgrounds"]),
        times_s=batch["times_s"],
        names=batch["names"],
    )
