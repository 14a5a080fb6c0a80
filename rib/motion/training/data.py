"""Batches of motion for Lightning: every batch is a function of (seed, epoch, index)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any

import pytorch_lightning as pl
from torch.utils.data import DataLoader, Dataset, DistributedSampler, Sampler

from rib.io.errors import RibError
from rib.io.recipe import build_recipe
from rib.io.settings.ranges import Count, Range, Seed, Whole
from rib.mocap.stores.bank import MotionBank
from rib.motion.corruption.detector_errors import read_detector_errors
from rib.motion.corruption.detector_noise import DetectorNoise
from rib.motion.recordings import load_mocap_recordings
from rib.motion.training.windows import MotionBatch, MotionWindowRecipe, MotionWindows
from rib.pose.tracking.tracker import Tracker
from rib.training.epochs import EpochSampler, seeded_training_generator, training_rank_and_world_size


class MotionBatches(Dataset[MotionBatch]):
    """`num_batches` batches an epoch; item `epoch * num_batches + i` is drawn from (seed, epoch, i).

    Args:
        windows: Draws them.
        num_batches: Batches an epoch.
        seed: The run's seed.
    """

    def __init__(self, windows: MotionWindows, num_batches: int, seed: int) -> None:
        self.windows, self.num_batches, self.seed = windows, num_batches, seed

    def __len__(self) -> int:
        return self.num_batches

    def __getitem__(self, index: int) -> MotionBatch:
        epoch, place = divmod(index, self.num_batches)
        device = self.windows.bank.joints.device
        return self.windows.draw(seeded_training_generator(self.seed, epoch, place, device))


class MotionDataModule(pl.LightningDataModule):
    """Mocap in memory; windows, cameras and corruption are drawn on the fly.

    Args:
        folder: A store that `rib prepare` made, a folder of joint files, or "synthetic".
        held_out: Subjects that are never trained on.
        validation: Subjects that choose the checkpoint; they are not trained on either.
        fps: Frame rate of the bank, frames a second.
        windows: Recipe of `MotionWindowRecipe`.
        views: Recipe of the cameras.
        noise: Recipe of `DetectorNoise`.
        detector_tracks: Keypoint files of real detectors and their frame rates, whose errors are drawn from.
        tracker: Recipe of the `rib.pose.tracking.tracker.Tracker` that follows a person through them.
        checks: Conditions of validation by name: changes to `windows` and `noise`.
        batches_per_epoch: Batches drawn in an epoch.
        validation_batches: Batches a condition.
        seed: The run's seed.
        num_workers: Processes that draw; 0 draws in the training process, on the device that trains.
    """

    def __init__(
        self,
        folder: str,
        held_out: Sequence[str],
        validation: Sequence[str],
        fps: Annotated[float, Range(above=0, most=10_000)],
        windows: Mapping[str, Any],
        views: Mapping[str, Any],
        noise: Mapping[str, Any],
        detector_tracks: Sequence[tuple[str, float]],
        tracker: Mapping[str, Any],
        checks: Mapping[str, Mapping[str, Any]],
        batches_per_epoch: Count,
        validation_batches: Whole,
        seed: Seed,
        num_workers: Annotated[int, Range(0, 256)],
    ) -> None:
        super().__init__()
        self.folder, self.fps, self.seed = Path(folder).expanduser(), fps, seed
        self.held_out, self.validation = list(held_out), list(validation)
        self.windows: MotionWindowRecipe = build_recipe(windows)
        self.views = build_recipe(views)
        self.noise: DetectorNoise = build_recipe(noise)
        self.tracks = [(path, fps) for path, fps in detector_tracks]
        self.tracker: Tracker = build_recipe(tracker)
        self.checks = {
            name: (
                _changed(self.windows, change.get("windows", {}), f"checks.{name}.windows"),
                _changed(self.noise, change.get("noise", {}), f"checks.{name}.noise"),
            )
            for name, change in checks.items()
        }
        self.batches_per_epoch, self.validation_batches = batches_per_epoch, validation_batches
        self.num_workers = num_workers
        self.training: MotionBank | None = None

    def setup(self, stage: str | None = None) -> None:
        """Read the recordings.

        Raises:
            RibError: The folder or a track cannot be read, or a subject named occurs nowhere.
        """
        if self.training is not None:
            return
        bank, self.testing = load_mocap_recordings(self.folder, self.fps).split(
            self.held_out, "task.data.held_out"
        )
        self.training, self.checking = (
            bank.split(self.validation, "task.data.validation") if self.validation else (bank, bank)
        )
        if len(self.training) == 0:
            raise RibError(f"no recording of {self.folder} is left to train on", "hold fewer subjects out")
        self.errors = read_detector_errors(self.tracks, self.tracker) if self.tracks else None

    def train_dataloader(self) -> DataLoader[MotionBatch]:
        """One epoch, shared out between the ranks."""
        assert self.training is not None
        bank, errors = self.training, self.errors
        if self.trainer and not self.num_workers:
            device = self.trainer.strategy.root_device
            bank, errors = bank.to(device), errors and errors.to(device)
        windows = MotionWindows(bank, self.windows, self.views, self.noise, errors)
        batches = MotionBatches(windows, self.batches_per_epoch, self.seed)
        return DataLoader(
            batches,
            batch_size=None,
            sampler=EpochSampler(batches, *training_rank_and_world_size(self.trainer), self.trainer),
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
        )

    def val_dataloader(self) -> list[DataLoader[MotionBatch]]:
        """The same batches each time, one loader a condition, in the order of `checks`."""
        return self._checked_on(self.checking, self.seed + 1)

    def test_dataloader(self) -> list[DataLoader[MotionBatch]]:
        """The same of the subjects that are held out."""
        return self._checked_on(self.testing, self.seed + 2)

    def _checked_on(self, bank: MotionBank, seed: int) -> list[DataLoader[MotionBatch]]:
        loaders = []
        for recipe, noise in self.checks.values():
            windows = MotionWindows(bank, recipe, self.views, noise, self.errors)
            drawn = MotionBatches(windows, self.validation_batches, seed)
            sampler: Sampler[int] = DistributedSampler(
                drawn, *training_rank_and_world_size(self.trainer), shuffle=False
            )
            loaders.append(DataLoader(drawn, batch_size=None, sampler=sampler))
        return loaders


def _changed(recipe: Any, changes: Any, told: str) -> Any:
    """A recipe with some settings changed.

    Raises:
        RibError: The changes are no settings of it.
    """
    known = [field.name for field in fields(recipe)]
    if not isinstance(changes, Mapping) or not set(changes) <= set(known):
        raise RibError(
            f"{told}={changes} has no settings of {type(recipe).__name__}", f"it has {', '.join(known)}"
        )
    tupled = {key: tuple(value) if isinstance(value, list) else value for key, value in changes.items()}
    return replace(recipe, **tupled)
