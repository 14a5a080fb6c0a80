"""Trains the toy on both halves of its batches: in two processes, or on the whole batches in one.

Called as `python two_processes.py <folder> <processes>`; Lightning starts the second process by itself.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset
from toy_renderer import NoiseClips, settings

from rib.render.training.module import RendererModule

WEIGHTS = {"l1": 1.0, "mask_variation": 1.0, "adversarial_frame": 1.0, "features_frame": 1.0}
"""Terms whose mean over both halves is the mean of their means."""


class Half(Dataset[Any]):
    """Every batch of the toy, or one of its clips."""

    def __init__(self, clip: int | None) -> None:
        self.whole, self.clip = NoiseClips(), clip

    def __len__(self) -> int:
        return len(self.whole)

    def __getitem__(self, index: int) -> Any:
        batch = self.whole[index]
        if self.clip is None:
            return batch
        part = slice(self.clip, self.clip + 1)
        return {name: value[part] for name, value in batch.items()}


class Module(RendererModule):
    """Takes each process its half."""

    def train_dataloader(self) -> DataLoader[Any]:
        alone = self.trainer.world_size == 1
        return DataLoader(Half(None if alone else self.trainer.global_rank), batch_size=None)


def main(folder: Path, processes: int) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    made = settings(weights=WEIGHTS)
    # stochastic gradient descent: what Adam makes of rounding errors is not the question
    for side in ("optimizer", "discriminator_optimizer"):
        made[side] = {"_target_": "torch.optim.SGD", "lr": 0.1}
    made["discriminators"].pop("hands")
    module = Module(**made)
    module.clip_norm = 1.0
    trainer = pl.Trainer(
        accelerator="cpu", devices=processes, strategy="ddp" if processes > 1 else "auto", max_steps=3,
        logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        use_distributed_sampler=False, default_root_dir=folder,
    )  # fmt: skip
    trainer.fit(module)
    assert trainer.global_step == 3
    torch.save(module.state_dict(), folder / f"{processes}_{trainer.global_rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
