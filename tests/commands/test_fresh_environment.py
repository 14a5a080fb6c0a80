"""The wheel and the example plugin in an environment of their own, used from another folder."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from rib.engine.loggers.csv_logger import read_metrics

ROOT = Path(__file__).resolve().parents[2]
TRAIN = (
    "train", "experiment=damped_spline", "trainer.max_epochs=1", "task.data.batches_per_epoch=2",
    "trainer.log_every_n_steps=1", "task.data.validation_batches=1",
)  # fmt: skip
RATIO = "val/ratio"
Rib = Callable[..., str]


def uv() -> str:
    found = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return found or pytest.skip("the wheels are built with uv, which is not installed")


@pytest.fixture
def rib(tmp_path: Path) -> Rib:
    """`rib` of an environment with both wheels, from a folder that holds nothing of ours.

    Everything but the wheels is borrowed from the environment of the tests.
    """
    for source in (ROOT, ROOT / "docs" / "example_plugin"):
        made = subprocess.run(
            [uv(), "build", "-q", "--wheel", "--out-dir", tmp_path / "dist", source],
            capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        if made.returncode:
            pytest.skip(f"the wheels cannot be built without hatchling ({made.stderr.strip()[-200:]})")
    home = tmp_path / "venv"
    venv.create(home, symlinks=True)
    (site,) = home.glob("lib/python*/site-packages")
    wheels = sorted(map(str, (tmp_path / "dist").glob("*.whl")))
    subprocess.run([uv(), "pip", "install", "-q", "--no-deps", "--python", home / "bin" / "python", *wheels],
                   check=True)  # fmt: skip
    (site / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"])
    environ = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "RIB_PLUGINS")}
    folder = tmp_path / "elsewhere"
    folder.mkdir()

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [home / "bin" / "rib", *arguments], cwd=folder, env={**environ, "WANDB_MODE": "offline"},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.mark.slow
def test_a_stranger_trains_searches_goes_on_scores_and_renders_with_a_plugin(
    rib: Rib, tmp_path: Path
) -> None:
    home = tmp_path / "elsewhere"
    # one process; a log that is no terminal has a line an epoch
    assert "epoch 1 of 1, step 2: val/ratio" in rib(*TRAIN, "hydra.run.dir=one")
    facts = json.loads((home / "one" / "versions.json").read_text())
    assert facts["packages"]["rib-example"] == "0.1.0"
    # two
    rib(*TRAIN, "trainer=ddp_cpu", *TRAIN[2:], "hydra.run.dir=two")
    assert "rank 1 of 2 trains" in (home / "two" / "rank1.txt").read_text()
    # a search with a pruner, over what the plugin's net takes
    search = ("-m", "net.scale=interval(0.5,1.5)", "hydra.sweeper.pruner=MedianPruner")
    rib(*TRAIN, *search, "hydra.sweeper.num_trials=2", "hydra.sweep.dir=sweep")
    with (home / "sweep" / "sweep.csv").open(newline="") as file:
        scores = [float(row["score"]) for row in csv.DictReader(file)]
    assert len(set(scores)) == 2
    # on from where the first stopped
    last = "ckpt=one/checkpoints/last.ckpt"
    rib(*TRAIN, "restore=resume", last, "trainer.max_epochs=2", "hydra.run.dir=on")
    assert [step for step, _ in read_metrics(home / "on" / "metrics.csv")[RATIO]] == [3]
    # scores
    few = ("subjects=[]", "every=100", "strides=[4]", "output=scores")
    assert "net" in rib("evaluate", last, "folder=synthetic", *few)
    # and renders
    given = painted(home)
    assert "green" not in rib("interpolate", "input=frames", "input_fps=10", "rate=2", "render=tint", *given)
    frames = [cv2.imread(str(path)) for path in sorted((home / "made" / "frames").glob("*.png"))]
    assert len(frames) == 6
    between = frames[1].astype(float).mean(axis=(0, 1))
    # half red and a little green over grey, in BGR
    assert between[2] > between[1] > between[0]
    np.testing.assert_array_equal(frames[0], cv2.imread(str(home / "frames" / "0.png")))


def painted(folder: Path) -> tuple[str, ...]:
    """Three grey pictures, in each the same person, whose poses and mattes are given."""
    for name in ("frames", "masks", "poses"):
        (folder / name).mkdir()
    joints = np.random.default_rng(0).uniform((30, 10), (60, 54), (25, 2)).round(1)
    person = [value for x, y in joints for value in (float(x), float(y), 0.9)]
    matte = np.zeros((64, 96), np.uint8)
    matte[8:56, 24:66] = 255
    for index in range(3):
        cv2.imwrite(str(folder / "frames" / f"{index}.png"), np.full((64, 96, 3), 90 + index, np.uint8))
        cv2.imwrite(str(folder / "masks" / f"{index}.png"), matte)
        text = json.dumps({"version": 1.3, "people": [{"pose_keypoints_2d": person}]})
        (folder / "poses" / f"{index}_keypoints.json").write_text(text)
    files = ("pose=files", "poses=poses", "keypoints=body25", "mask=files", "mask.path=masks")
    return (*files, "background=blend", "motion=cubic", "output=made", "device=cpu",
            "video.pictures=true", "cache.dir=cache")  # fmt: skip
