"""`rib interpolate` as a process: what a user sees when the input, the disk or the user stops it."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from fake_slurm import install

from rib.video import VideoWriter, open_frame_source

pytestmark = pytest.mark.slow

BASE = ["background=blend", "render=none", "report=false", "device=cpu"]
SHARDED = [
    "input=clip.mp4", "output=film.mkv", "rate=2", "segment_s=0.3", "cache.dir=cache", "verbose=true", *BASE,
]  # fmt: skip


def start(folder: Path, *arguments: str, limit_bytes: int | None = None) -> subprocess.Popen[str]:
    def limited() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores it, and hands that on
        if limit_bytes:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    command = [sys.executable, "-m", "rib.commands", "interpolate", *arguments]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limited
    )


def write_clip(path: Path, num_frames: int, size: tuple[int, int] = (96, 64)) -> Path:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    with VideoWriter(path, Fraction(10), size, codec="libx264", crf=10, pixel_format="yuv420p") as writer:
        for index in range(num_frames):
            writer.write(np.roll(noise, index, axis=1))
    return path


def text_file(folder: Path) -> Path:
    path = folder / "text.mp4"
    path.write_text("this is no video\n" * 100)
    return path


def empty_file(folder: Path) -> Path:
    path = folder / "empty.mp4"
    path.touch()
    return path


def empty_folder(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def one_frame(folder: Path) -> Path:
    return write_clip(folder / "one.mp4", 1)


def mixed_sizes(folder: Path) -> Path:
    (folder / "mixed").mkdir()
    for index, width in enumerate((32, 48)):
        cv2.imwrite(str(folder / "mixed" / f"{index}.png"), np.zeros((32, width, 3), np.uint8))
    return folder / "mixed"


def truncated(folder: Path) -> Path:
    whole = write_clip(folder / "whole.mp4", 60)
    path = folder / "truncated.mp4"
    content = whole.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


INPUTS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda folder: folder / "missing.mp4", "missing.mp4"),
    "empty file": (empty_file, "empty.mp4"),
    "text": (text_file, "text.mp4"),
    "empty folder": (empty_folder, "empty"),
    "one frame": (one_frame, "at least two"),
    "mixed sizes": (mixed_sizes, "48 x 32"),
    "truncated": (truncated, " s"),
}


@pytest.mark.parametrize("name", INPUTS)
def test_a_bad_input_is_one_line_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    make, words = INPUTS[name]
    path = make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    process = start(tmp_path, f"input={path}", "rate=2", "output=out", f"cache.dir={tmp_path}/cache", *BASE)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, err
    assert words in err
    assert len(err.strip().splitlines()) == 1, err
    assert out == ""
    assert [p for p in sorted(tmp_path.rglob("*")) if "cache" not in p.parts] == before


@pytest.mark.parametrize("limit_kb", [2, 20, 60])
def test_a_full_disk_is_one_line_and_leaves_nothing(limit_kb: int, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 6, (320, 240))
    process = start(
        tmp_path, f"input={clip}", "rate=4", "output=out", f"cache.dir={tmp_path}/cache", *BASE,
        limit_bytes=limit_kb * 1000,
    )  # fmt: skip
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1, err
    assert "no space left" in err
    assert len(err.strip().splitlines()) == 1, err
    assert not (tmp_path / "out").exists()


def test_ctrl_c_is_130_and_leaves_nothing(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 200, (320, 240))
    cache = tmp_path / "cache"
    process = start(tmp_path, f"input={clip}", "rate=100", "output=out", f"cache.dir={cache}", *BASE)
    deadline = time.monotonic() + 60
    while not (tmp_path / "out").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_an_older_result_survives_a_failure(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 4)
    arguments = [f"input={clip}", "output=out", f"cache.dir={tmp_path}/cache", *BASE]
    assert start(tmp_path, "rate=2", *arguments).wait(timeout=120) == 0
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    failed = start(tmp_path, "rate=4", "overwrite=true", *arguments, limit_bytes=2_000)
    assert failed.wait(timeout=120) == 1
    assert {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("launch", ["joblib", "slurm"])
def test_shards_are_made_side_by_side_and_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, launch: str
) -> None:
    if launch == "slurm":
        pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
        monkeypatch.setenv("PATH", f"{install(tmp_path / 'slurm')}:{os.environ['PATH']}")
    write_clip(tmp_path / "clip.mp4", 9)
    process = start(tmp_path, "-m", *SHARDED, "shard=0/2,1/2", f"launch={launch}")
    out, err = process.communicate(timeout=300)
    told = out + err + "".join(path.read_text() for path in tmp_path.rglob(".submitit/**/*log.*"))
    assert process.returncode == 0, told
    assert "18 frames at 20 a second" in told
    assert told.count("rib: cuts ...") == 1, "the analysis is made once, the other shard waits for it"
    assert len(list(open_frame_source(tmp_path / "film.mkv"))) == 18
    assert not list((tmp_path / "cache").glob("segments-*"))
    assert not (tmp_path / "multirun.yaml").exists()


def test_a_dead_shard_is_named_and_the_same_command_goes_on(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4", 90)
    words = [*SHARDED, "video.codec=ffv1"]
    dead = start(tmp_path, *words, "shard=0/2")
    while not list((tmp_path / "cache").glob("segments-*/00*")):
        assert dead.poll() is None
        time.sleep(0.005)
    dead.kill()
    dead.communicate()
    told = []
    for shard in ("1/2", "0/2"):
        out, _ = start(tmp_path, *words, f"shard={shard}").communicate(timeout=300)
        told.append(out)
    assert re.search(r"shard 1/2 is made; segments are missing: \d+ of shard 0/2", told[0]), told
    assert "180 frames at 20 a second" in told[1], told
    assert len(list(open_frame_source(tmp_path / "film.mkv"))) == 180
