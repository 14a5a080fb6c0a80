"""Every task with every of its nets, through the real command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rib.config.paths import config_group_options
from rib.engine.loggers.csv_logger import read_metrics
from rib.render.refine.dataset import RefinerSample, write_refiner_samples
from rib.render.refine.refiner_input import NUM_CHANNELS

NETS = [
    (task, net)
    for task in config_group_options("task")
    for net in config_group_options("net")
    if net.partition("_")[0] == task.partition("_")[0]
]
OVERFIT = [(task, net, "train/loss", 15) for task, net in NETS if not task.startswith("renderer")]
# a renderer's sum need not fall, for its discriminators learn too; the larger nets learn by the same module
OVERFIT.append(("renderer", "renderer_tiny", "train/l1_person_loss", 40))
SMALL = {
    "motion": (
        "task.data.folder=synthetic", "task.data.held_out=[]", "task.data.validation=[synthetic/0000]",
        "task.data.windows.tokens=40", "task.data.windows.keyframes=[5,8]",
    ),
    "renderer": (
        "task.data.store=synthetic", "task.data.size_wh=[96,64]", "task.data.batch_size=1",
        "task.data.first_frames=3", "task.data.batches_per_epoch=4", "task.data.validation_batches=1",
        "task.data.synthetic.count=2",
    ),
    "refiner": (
        "task.data.samples=samples.h5", "task.data.held_out=[b]", "task.data.crops.side_px=64",
        "task.data.crops.batch_size=1", "task.data.batches_per_epoch=4", "task.data.validation_batches=1",
    ),
}  # fmt: skip
"""What makes a task small and independent of data."""


def small(task: str) -> tuple[str, ...]:
    return SMALL.get(task, SMALL.get(task.partition("_")[0], ()))


def write_samples(path: Path) -> None:
    """Two clips of an interval each, all noise."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (2, channels, 64, 72), np.uint8) for channels in (NUM_CHANNELS, 3)]
    write_refiner_samples(path, {name: [RefinerSample(*noise, gate=1.0)] for name in ("a", "b")})


def train(folder: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], Path]:
    done = subprocess.run(
        [sys.executable, "-m", "rib.commands", "train", *arguments, "hydra.run.dir=run"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        cwd=folder,
    )
    return done, folder / "run"


@pytest.mark.slow
@pytest.mark.parametrize(("task", "net"), NETS)
def test_debug_fast_goes_through_everything(task: str, net: str, tmp_path: Path) -> None:
    write_samples(tmp_path / "samples.h5")
    done, run = train(tmp_path, f"task={task}", f"net={net}", "debug=fast", *small(task))
    assert done.returncode == 0, done.stderr
    metrics = read_metrics(run / "metrics.csv")
    assert len(metrics["train/loss"]) == 4
    assert any(name.startswith("val/") for name in metrics)
    assert (run / "checkpoints" / "last.ckpt").is_file()


@pytest.mark.slow
@pytest.mark.parametrize(("task", "net", "term", "epochs"), OVERFIT)
def test_debug_overfit_brings_the_loss_down(
    task: str, net: str, term: str, epochs: int, tmp_path: Path
) -> None:
    few = (f"trainer.max_epochs={epochs}", "trainer.log_every_n_steps=1")
    done, run = train(tmp_path, f"task={task}", f"net={net}", "debug=overfit", *few, *small(task))
    assert done.returncode == 0, done.stderr
    losses = [value for _, value in read_metrics(run / "metrics.csv")[term]]
    assert sum(losses[-4:]) < 0.9 * sum(losses[:4])
