"""Killed at random moments, and repeated: the result is that of a run that nobody disturbed."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from runs import Kill, files, kills, leftovers, run

import rib.engine.fit
import rib.pipeline.interpolate  # noqa: F401 (what a forked run finds imported)
from rib.keypoint_files import write_openpose
from rib.mocap.joint_files import write_joints
from rib.mocap.synthetic import synthetic_recordings
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import BODY25_HANDS
from rib.video import VideoWriter

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc"),
]
SIZE = (96, 64)
TINY = (
    "experiment=motion_smoke", "net.width=8", "net.num_heads=1", "task.data.batches_per_epoch=4",
    "task.data.windows.tokens=20", "task.data.windows.keyframes=[5,6]", "task.module.checks=[clean_r4]",
    "trainer.log_every_n_steps=1", "trainer.max_epochs=2",
    "+callbacks.last.every_n_train_steps=1",
    "~task.data.checks.clean_r8", "~task.data.checks.clean_r16", "~task.data.checks.noisy_r4",
    "~task.data.checks.noisy_r8", "~task.data.checks.noisy_r16",
)  # fmt: skip


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


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    with VideoWriter(folder / "clip.mp4", Fraction(10), SIZE, "libx264", 10, "yuv420p") as writer:
        for index in range(16):
            writer.write(np.roll(noise, 2 * index, axis=1))
    shape = rng.uniform((10, 5), (60, 60), (len(BODY25_HANDS), 2))
    moving = shape[None] + np.arange(16)[:, None, None] * np.array([0.5, 0.0])
    seen = np.full(moving.shape[:2], 0.9)
    write_openpose(PoseSequence(moving, seen, np.arange(16) / 10, "body25_hands", SIZE), folder / "poses")
    (folder / "mocap").mkdir()
    for number, person in enumerate(synthetic_recordings(24, 60, 240, seed=0)):
        write_joints(folder / "mocap" / f"{number:02d}_01.npz", person)
    return folder


def interpolate(inputs: Path) -> Command:
    arguments = (
        "interpolate", f"input={inputs / 'clip.mp4'}", "rate=4", "output=out", "cache.dir=cache",
        "pose=files", f"poses={inputs / 'poses'}", "background=flow", "render=none",
        "motion=cubic", "device=cpu",
    )  # fmt: skip

    def result(folder: Path) -> Mapping[str, Any]:
        found = files(folder / "out") if (folder / "out").is_dir() else {}
        return {
            name: found[name] for name in found if Path(name).suffix == ".png" or name.startswith("poses")
        }

    return Command("interpolate", arguments, result, ("notes.txt", "out/notes.txt", "cache/notes.txt"))


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
    arguments = ("train", *TINY, "hydra.run.dir=run", "restore=continue", "trainer.max_epochs=3")

    def result(folder: Path) -> Mapping[str, Any]:
        last = folder / "run" / "checkpoints" / "last.ckpt"
        if not last.exists():
            return {}
        content = torch.load(last, weights_only=True)
        weights = {name: tensor.numpy().tobytes() for name, tensor in content["state_dict"].items()}
        return {**weights, "step": content["global_step"]}

    return Command("train", arguments, result, ("notes.txt", "run/notes.txt"))


COMMANDS = {make.__name__: make for make in (interpolate, prepare, train)}
CASES = [(name, kill) for name in COMMANDS for kill in kills(name)]


@pytest.fixture(scope="module")
def undisturbed(
    inputs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Command], tuple[Any, float]]:
    """What a command makes, and in how many seconds, by its name."""
    known: dict[str, tuple[Any, float]] = {}

    def of(command: Command) -> tuple[Any, float]:
        if command.name not in known:
            seconds = 0.0
            for time in range(2):
                folder = tmp_path_factory.mktemp(f"{command.name}{time}") / "work"
                folder.mkdir()
                ended = run(folder, command.arguments)
                assert (ended.code, ended.err, ended.orphans) == (0, "", []), ended
                seconds = max(seconds, ended.seconds)
            known[command.name] = command.result(folder), seconds
            assert known[command.name][0]
        return known[command.name]

    return of


@pytest.mark.parametrize(("name", "kill"), CASES, ids=[f"{name}-{kill}" for name, kill in CASES])
def test_a_killed_run_is_as_if_it_had_never_been(
    name: str, kill: Kill, inputs: Path, undisturbed: Callable[[Command], tuple[Any, float]], tmp_path: Path
) -> None:
    command = COMMANDS[name](inputs)
    wanted, seconds = undisturbed(command)
    folder = tmp_path / "work"
    for stranger in command.strangers:
        (folder / stranger).parent.mkdir(parents=True, exist_ok=True)
        (folder / stranger).write_text("somebody else's")
    ended = run(folder, command.arguments, (kill.moment * seconds, kill.signal))
    assert ended.orphans == []
    check_neighbours(command, folder)
    if ended.code != 0:
        check_ended(command, kill, ended.code, ended.err, tmp_path)
        again = run(folder, command.arguments)
        assert again.code == 0 or (again.code == 1 and "overwrite" in again.err), again
        assert again.orphans == []
    assert command.result(folder) == wanted
    assert leftovers(tmp_path) == []
    check_neighbours(command, folder)


def check_ended(command: Command, kill: Kill, code: int, err: str, around: Path) -> None:
    """What a run says and leaves at once when it is told to end."""
    if kill.signal == signal.SIGKILL:
        assert code == -signal.SIGKILL
        return
    assert code == 128 + kill.signal
    assert err in ("", "stopped\n") if command.name == "train" else err == "stopped\n"
    assert leftovers(around) == []
    if command.name != "train":
        assert command.result(around / "work") == {}


def check_neighbours(command: Command, folder: Path) -> None:
    for stranger in command.strangers:
        assert (folder / stranger).read_text() == "somebody else's"
