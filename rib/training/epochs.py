"""Place of a run in its data: batches follow from (seed, epoch, place), and a resumed run goes on exactly."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sized
from typing import Any

import torch
from torch.utils.data import DistributedSampler


def seeded_training_generator(
    seed: int, epoch: int, place: int, device: torch.device | str = "cpu"
) -> torch.Generator:
    """Derive a batch's random generator, the same in whichever worker, rank or resumed run.

    Args:
        seed: The run's seed.
        epoch: From 0.
        place: The batch's number in its epoch.
        device: Where numbers are drawn; a GPU draws others than a CPU.
    """
    words = torch.tensor([seed, epoch, place], dtype=torch.int64)
    mixed = int((words * torch.tensor([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D])).sum()) % (1 << 62)
    return torch.Generator(device).manual_seed(mixed)


class EpochSampler(DistributedSampler[int]):
    """Counts on through the epochs, each rank its share, so that workers, ranks and resumed runs agree.

    Item `epoch * num_batches + place` is wanted of a data set that says how many batches an epoch has. A run
    that is resumed in the middle of an epoch goes on with the batch after its last one; Lightning itself
    would begin the epoch's data anew.

    Args:
        batches: What is counted.
        num_ranks: Processes that train.
        rank: Which of them this is.
        trainer: Lightning's trainer, which knows how far the run is; without one counting begins at the epoch
            that was set.
    """

    def __init__(self, batches: Sized, num_ranks: int, rank: int, trainer: Any = None) -> None:
        super().__init__(batches, num_ranks, rank, shuffle=False)  # type: ignore[arg-type]
        self.trainer = trainer

    def __iter__(self) -> Iterator[int]:
        epoch, done = self._place()
        for index in itertools.islice(super().__iter__(), done, None):
            yield epoch * len(self.dataset) + index  # type: ignore[arg-type]

    def _place(self) -> tuple[int, int]:
        """The epoch, and how many of its batches are done.

        With worker processes the first iterator is made before Lightning has brought its counters in order,
        so an epoch whose last batch is done counts as done.
        """
        if self.trainer is None:
            return self.epoch, 0
        loop = self.trainer.fit_loop
        epochs: Any = loop.epoch_progress.current
        batches: Any = loop.epoch_loop.batch_progress
        return (epochs.started, 0) if batches.is_last_batch else (epochs.processed, batches.current.processed)


def training_rank_and_world_size(trainer: Any) -> tuple[int, int]:
    """Read the number of processes that train, and this one's rank; (1, 0) without a trainer."""
    return (trainer.world_size, trainer.global_rank) if trainer else (1, 0)
