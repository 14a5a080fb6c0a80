"""Clocks that real clips have, through the whole command: which keyframes are kept, when, for how long."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from small_clips import SIZE, person, picture

from rib.keypoint_files import write_openpose
from rib.pipeline.interpolate import interpolate
from rib.video import open_source

Settings = Callable[..., dict[str, Any]]
NTSC = Fraction(30000, 1001)


def write_clip(
    path: Path,
    ticks: list[int],
    tick_s: Fraction,
    last_ticks: int | None = None,
    fps: Fraction = Fraction(30),
) -> Path:
    """A lossless video whose frames have these stamps."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "0", "bf": "0"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = tick_s
        packets = []
        for index, tick in enumerate(ticks):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            frame.pts, frame.time_base = tick, tick_s
            packets += stream.encode(frame)
        packets += stream.encode(None)
        if last_ticks:
            packets[-1].duration = last_ticks
        container.mux(packets)
    return path


def run(settings: Settings, clip: Path, *overrides: str) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The summary and the output's frames."""
    poses = clip.parent / "its_poses"
    write_openpose(person(len(open_source(clip))), poses)
    config = settings(clip, "motion=linear", f"poses={poses}", *overrides)
    summary = interpolate(config)
    made = sorted((Path(config["output"]) / "frames").glob("*.png"))
    return summary, [cv2.imread(str(path))[..., ::-1] for path in made]


def kept(clip: Path, frames: list[np.ndarray], places: np.ndarray | range) -> int:
    """How many keyframes stand at their place in the output, bit by bit."""
    return sum(np.array_equal(frame, frames[n]) for frame, n in zip(open_source(clip), places, strict=True))


@pytest.mark.parametrize("deviation_ms", [0.14, 2.0])
def test_an_unsteady_clock_keeps_every_keyframe_at_twice_its_nominal_rate(
    settings: Settings, tmp_path: Path, deviation_ms: float
) -> None:
    jitter = np.round(np.random.default_rng(0).normal(0, deviation_ms * 90, 45)).astype(int)
    jitter[0] = 0
    clip = write_clip(tmp_path / "a.mp4", (np.arange(45) * 3000 + jitter).tolist(), Fraction(1, 90000))
    summary, frames = run(settings, clip, "rate=2")
    assert summary["output"]["fps"] == 60
    assert len(frames) == 90
    assert kept(clip, frames, range(0, 90, 2)) == 45


@pytest.mark.parametrize("wanted", ["fps=59.94", "fps=60000/1001", "rate=2"])
def test_ntsc_to_twice_ntsc_keeps_every_keyframe_and_the_last(
    settings: Settings, tmp_path: Path, wanted: str
) -> None:
    clip = write_clip(tmp_path / "a.mp4", list(range(25)), 1 / NTSC, fps=NTSC)
    summary, frames = run(settings, clip, wanted)
    assert summary["output"]["fps"] == pytest.approx(60000 / 1001)
    assert (len(frames), summary["output"]["copied"]) == (50, 26)
    assert kept(clip, frames, range(0, 50, 2)) == 25


@pytest.mark.parametrize("before", [1, 15, 29])
def test_a_pause_is_as_long_as_it_was(settings: Settings, tmp_path: Path, before: int) -> None:
    ticks = np.arange(30) * 3750
    ticks[before:] += 90000
    clip = write_clip(tmp_path / "a.mp4", ticks.tolist(), Fraction(1, 90000), fps=Fraction(24))
    summary, frames = run(settings, clip, "rate=2")
    assert summary["output"]["fps"] == 48
    assert len(frames) == (30 + 24) * 2
    assert kept(clip, frames, np.arange(30) * 2 + 48 * (np.arange(30) >= before)) == 30


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_six_pictures_at_one_a_second_last_six_seconds(
    settings: Settings, tmp_path: Path, suffix: str
) -> None:
    clip = write_clip(tmp_path / f"a.{suffix}", list(range(6)), Fraction(1), fps=Fraction(1))
    summary, frames = run(settings, clip, "rate=8")
    assert len(frames) == 48
    assert summary["output"]["duration_s"] == 6


def test_a_last_picture_that_is_shown_for_longer_is_held(settings: Settings, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mkv", [0, 40, 80, 120, 160], Fraction(1, 1000), last_ticks=1000)
    _, frames = run(settings, clip, "rate=2")
    assert len(frames) == 8 + 50
    assert kept(clip, frames, range(0, 10, 2)) == 5
    assert all(np.array_equal(frames[8], frame) for frame in frames[8:])


def test_the_first_implementations_folders_end_with_the_last_keyframe(
    settings: Settings, tmp_path: Path, pictures: Path
) -> None:
    config = settings(pictures, "rate=4", "input_fps=10", "layout=reference")
    assert interpolate(config)["output"]["frames"] == 33
    assert len(list((tmp_path / "out" / "Generated_frames" / "pictures").iterdir())) == 33
