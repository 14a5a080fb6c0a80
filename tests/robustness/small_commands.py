"""Small commands to disturb: their arguments, what they make, and what of others lies beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from runs import files
from tiny_runs import TINY

import rib.engine.fit
import rib.pipeline.interpolate  # noqa: F401 (what a forked run finds imported)
from rib.keypoint_files import write_openpose_json
from rib.mocap.readers.joint_files import write_mocap_joint_file
from rib.mocap.synthetic import synthetic_mocap_recordings
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import BODY25_HANDS
from rib.video import VideoWriter

SIZE = (96, 64)


@dataclass(frozen=True)
class Command:
    """A command to kill.

    Attributes:
        name: Its name here.
        arguments: What is typed.
        result: From the folder it ran in, what it made, to compare.
        strangers: Files of somebody else's in that folder.
    """

    name: str
    arguments: tuple[str, ...]
    result: Callable[[Path], Mapping[str, Any]]
    strangers: tuple[str, ...]


def write_inputs(folder: Path) -> Path:
    """A clip with its poses, and a collection of motion capture."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    with VideoWriter(folder / "clip.mp4", Fraction(10), SIZE, "libx264", 10, "yuv420p") as writer:
        for index in range(16):
            writer.write(np.roll(noise, 2 * index, axis=1))
    shape = rng.uniform((10, 5), (60, 60), (len(BODY25_HANDS), 2))
    moving = shape[None] + np.arange(16)[:, None, None] * np.array([0.5, 0.0])
    seen = np.full(moving.shape[:2], 0.9)
    write_openpose_json(
        PoseSequence(moving, seen, np.arange(16) / 10, "body25_hands", SIZE), folder / "poses"
    )
    (folder / "mocap").mkdir()
    for number, person in enumerate(synthetic_mocap_recordings(24, 60, 240, seed=0)):
        write_mocap_joint_file(folder / "mocap" / f"{number:02d}_01.npz", person)
    return folder


def interpolate(inputs: Path) -> Command:
    arguments = (
        "interpolate", f"input={inputs / 'clip.mp4'}", "rate=4", "output=out", "cache.dir=cache",
        "pose=files", f"poses={inputs / 'poses'}", "background=flow", "render=none",
        "motion=cubic", "device=cpu", "video.pictures=true", "write_poses=true",
    )  # fmt: skip

    def result(folder: Path) -> Mapping[str, Any]:
        found = files(folder / "out") if (folder / "out").is_dir() else {}
        return {
            name: found[name] for name in found if Path(name).suffix == ".png" or name.startswith("poses")
        }

    return Command("interpolate", arguments, result, ("notes.txt", "out/notes.txt", "cache/notes.txt"))


def upsample(inputs: Path) -> Command:
    """Poses alone."""
    arguments = (
        "upsample", f"input={inputs / 'poses'}", "input_fps=10", "rate=16", "output=out", "motion=cubic",
        "device=cpu",
    )  # fmt: skip

    def result(folder: Path) -> Mapping[str, Any]:
        return {name: content for name, content in files(folder).items() if name.startswith("out/poses/")}

    return Command("upsample", arguments, result, ("notes.txt", "out/notes.txt"))


def benchmark(inputs: Path) -> Command:
    """Two methods scored, which takes the weights of LPIPS."""
    arguments = (
        "benchmark", f"input={inputs / 'clip.mp4'}", "stride=4", "methods=[blend,flow]", "output=out",
        "cache.dir=cache", "device=cpu",
    )  # fmt: skip

    def result(folder: Path) -> Mapping[str, Any]:
        table = folder / "out" / "metrics.csv"
        return {"table": table.read_bytes()} if table.exists() else {}

    return Command("benchmark", arguments, result, ("notes.txt", "out/notes.txt", "cache/notes.txt"))


def prepare(inputs: Path) -> Command:
    arguments = (
        "prepare", "data=mocap", f"data.prepare.folder={inputs / 'mocap'}", "data.prepare.output=store.h5",
        "data.prepare.workers=2",
    )  # fmt: skip

    def result(folder: Path) -> Mapping[str, Any]:
        store = folder / "store.h5"
        return {"store": store.read_bytes()} if store.exists() else {}

    return Command("prepare", arguments, result, ("notes.txt", "store.h5.parts/notes.txt"))


def train(inputs: Path) -> Command:
    arguments = (
        "train", *TINY, "hydra.run.dir=run", "restore=continue", "trainer.max_epochs=3",
        "trainer.enable_progress_bar=false",
    )  # fmt: skip

    def result(folder: Path) -> Mapping[str, Any]:
        last = folder / "run" / "checkpoints" / "last.ckpt"
        if not last.exists():
            return {}
        content = torch.load(last, weights_only=True)
        weights = {name: tensor.numpy().tobytes() for name, tensor in content["state_dict"].items()}
        return {**weights, "step": content["global_step"]}

    return Command("train", arguments, result, ("notes.txt", "run/notes.txt"))


COMMANDS = {make.__name__: make for make in (interpolate, upsample, benchmark, prepare, train)}
