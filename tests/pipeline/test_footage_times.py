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
from footage_clips import beep_of, write_clip
from small_clips import person, picture

from rib.config.compose import compose
from rib.io.errors import RibError
from rib.keypoint_files import write_openpose_json
from rib.pipeline.interpolate import interpolate_clip
from rib.pipeline.open_clip import open_input_clip
from rib.pipeline.timeline import output_timeline_as_asked
from rib.video import open_frame_source

Settings = Callable[..., dict[str, Any]]
NTSC = Fraction(30000, 1001)


def run(settings: Settings, clip: Path, *overrides: str) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The summary and the output's frames."""
    poses = clip.parent / "its_poses"
    write_openpose_json(person(len(open_frame_source(clip))), poses)
    config = settings(clip, "motion=linear", f"poses={poses}", *overrides)
    summary = interpolate_clip(config)
    made = sorted((Path(config.output) / "frames").glob("*.png"))
    return summary, [cv2.imread(str(path))[..., ::-1] for path in made]


def kept(clip: Path, frames: list[np.ndarray], places: np.ndarray | range) -> int:
    """How many keyframes stand at their place in the output, bit by bit."""
    return sum(
        np.array_equal(frame, frames[n]) for frame, n in zip(open_frame_source(clip), places, strict=True)
    )


@pytest.mark.parametrize("deviation_ms", [0.14, 2.0])
@pytest.mark.slow
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
@pytest.mark.slow
def test_ntsc_to_twice_ntsc_keeps_every_keyframe_and_the_last(
    settings: Settings, tmp_path: Path, wanted: str
) -> None:
    clip = write_clip(tmp_path / "a.mp4", list(range(25)), 1 / NTSC, fps=NTSC)
    summary, frames = run(settings, clip, wanted)
    assert summary["output"]["fps"] == pytest.approx(60000 / 1001)
    assert (len(frames), summary["output"]["copied"]) == (50, 26)
    assert kept(clip, frames, range(0, 50, 2)) == 25


@pytest.mark.parametrize("before", [1, 15, 29])
@pytest.mark.slow
def test_a_pause_is_as_long_as_it_was(settings: Settings, tmp_path: Path, before: int) -> None:
    ticks = np.arange(30) * 3750
    ticks[before:] += 90000
    clip = write_clip(tmp_path / "a.mp4", ticks.tolist(), Fraction(1, 90000), fps=Fraction(24))
    summary, frames = run(settings, clip, "rate=2")
    assert summary["output"]["fps"] == 48
    assert len(frames) == (30 + 24) * 2
    assert kept(clip, frames, np.arange(30) * 2 + 48 * (np.arange(30) >= before)) == 30


@pytest.mark.parametrize("suffix", ["mp4", pytest.param("mkv", marks=pytest.mark.slow)])
def test_six_pictures_at_one_a_second_last_six_seconds(
    settings: Settings, tmp_path: Path, suffix: str
) -> None:
    clip = write_clip(tmp_path / f"a.{suffix}", list(range(6)), Fraction(1), fps=Fraction(1))
    summary, frames = run(settings, clip, "rate=8")
    assert len(frames) == 48
    assert summary["output"]["duration_s"] == 6


@pytest.mark.slow
def test_a_last_picture_that_is_shown_for_longer_is_held(settings: Settings, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mkv", [0, 40, 80, 120, 160], Fraction(1, 1000), last_ticks=1000)
    _, frames = run(settings, clip, "rate=2")
    assert len(frames) == 8 + 50
    assert kept(clip, frames, range(0, 10, 2)) == 5
    assert all(np.array_equal(frames[8], frame) for frame in frames[8:])


@pytest.mark.slow
def test_the_first_implementations_folders_end_with_the_last_keyframe(
    settings: Settings, tmp_path: Path, pictures: Path
) -> None:
    config = settings(pictures, "rate=4", "input_fps=10", "layout=reference")
    assert interpolate_clip(config)["output"]["frames"] == 33
    assert len(list((tmp_path / "out" / "Generated_frames" / "pictures").iterdir())) == 33


@pytest.mark.parametrize(
    ("wanted", "fps", "step"), [((), 10, 4), (("rate=2",), 20, 8), (("fps=30",), 30, 12)]
)
@pytest.mark.slow
def test_slow_motion_lasts_longer_and_keeps_every_frame_at_its_place(
    settings: Settings, clip: Path, wanted: tuple[str, ...], fps: int, step: int
) -> None:
    summary, frames = run(settings, clip, "slow=4", *wanted)
    assert summary["output"]["fps"] == fps
    assert summary["output"]["duration_s"] == pytest.approx(4 * 0.9)
    assert len(frames) == 9 * step
    assert kept(clip, frames, range(0, 9 * step, step)) == 9
    assert summary["not_kept"] == []  # there was no sound


@pytest.mark.parametrize(
    ("sound", "beep_s"), [(None, None), ("mute", None), ("keep", 0.52), ("stretch", 4 * 0.52)]
)
@pytest.mark.slow
def test_slow_motion_sounds_as_asked(
    settings: Settings, tmp_path: Path, sound: str | None, beep_s: float | None
) -> None:
    clip = write_clip(tmp_path / "a.mp4", range(9), Fraction(1, 10), fps=Fraction(10), beep_s=0.52)
    summary, _ = run(settings, clip, "slow=4", "video=mp4", *([f"sound={sound}"] if sound else []))
    made = tmp_path / "out" / "video.mp4"
    assert [("slow motion" in lost) for lost in summary["not_kept"]] == ([True] if sound is None else [])
    if beep_s is None:
        assert open_frame_source(made).audio is None
    else:
        # a stretched click is smeared by some 40 ms to both sides
        assert beep_of(made)[0] == pytest.approx(beep_s, abs=0.06 if sound == "stretch" else 0.03)
        assert beep_of(made)[1] <= 3.75


def test_a_part_of_a_clip_has_its_own_frames_and_its_own_sound(settings: Settings, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", range(20), Fraction(1, 10), fps=Fraction(10), beep_s=1.21)
    poses = tmp_path / "poses_of_the_part"
    write_openpose_json(person(8), poses)
    part = ("start_s=0.7", "duration_s=0.8", "video=mp4", "sound=keep")
    summary = interpolate_clip(settings(clip, "rate=2", *part, "motion=linear", f"poses={poses}"))
    assert (summary["input"]["frames"], summary["output"]["frames"]) == (8, 16)
    made = cv2.imread(str(tmp_path / "out" / "frames" / "000000.png"))[..., ::-1]
    assert np.array_equal(made, list(open_frame_source(clip))[7])
    assert beep_of(tmp_path / "out" / "video.mp4")[0] == pytest.approx(1.21 - 0.7, abs=0.025)


@pytest.mark.parametrize(
    "part",
    [
        ("start_s=5",),
        pytest.param(("start_s=-1",), marks=pytest.mark.slow),
        pytest.param(("start_s=0.2", "duration_s=0.05"), marks=pytest.mark.slow),
    ],
)
def test_a_part_outside_the_clip_is_refused(settings: Settings, clip: Path, part: tuple[str, ...]) -> None:
    with pytest.raises(RibError, match="start_s"):
        interpolate_clip(settings(clip, "rate=2", *part))


@pytest.mark.parametrize(
    "slow",
    ["slow=0.5", *(pytest.param(f"slow={n}", marks=pytest.mark.slow) for n in ("0", "-2", "1000", "nan"))],
)
def test_slow_motion_that_is_none_is_refused(settings: Settings, clip: Path, slow: str) -> None:
    with pytest.raises(RibError, match="slow"):
        interpolate_clip(settings(clip, slow))


@pytest.mark.slow
def test_the_sources_own_times_can_be_kept(settings: Settings, tmp_path: Path) -> None:
    ticks = [0, 31, 69, 101, 260, 301, 331, 369, 402]
    clip = write_clip(tmp_path / "a.mkv", ticks, Fraction(1, 1000))
    summary, frames = run(settings, clip, "rate=2", "video=mp4", "video.timestamps=source")
    with av.open(str(tmp_path / "out" / "video.mp4")) as container:
        shown_ms = [1000 * frame.time for frame in container.decode(video=0)]
    assert len(shown_ms) == len(frames) == summary["output"]["frames"]
    places = [int(np.argmin(np.abs(np.array(shown_ms) - tick))) for tick in ticks]
    assert np.abs(np.array(shown_ms)[places] - ticks).max() < 0.1
    assert kept(clip, frames, np.array(places)) == 9
    assert np.diff(shown_ms).max() < 23


@pytest.mark.slow
def test_pictures_stored_twice_by_a_cadence_move_in_even_steps(settings: Settings, tmp_path: Path) -> None:
    pictures = [picture(3 * (k * 4 // 5)) for k in range(60)]
    clip = write_clip(tmp_path / "a.mp4", range(60), Fraction(1, 30), pictures=pictures)
    config = compose("interpolate", f"input={clip}", "rate=2", "render=none", "device=cpu")
    source, fps = open_input_clip(config)
    assert (fps, source.fps, len(source)) == (30, 24, 48)
    moments = output_timeline_as_asked(source, 2 * fps, None, True, True)
    assert len(moments) == 120
    shown = np.interp(moments.times_s, source.times_s, np.arange(48))
    assert np.allclose(np.diff(shown[:-3]), 0.4)
    for off in (["dedupe=off"], [f"poses={tmp_path / 'poses'}"]):
        kept, _ = open_input_clip(settings(clip, "rate=2", "pose=files", *off))
        assert len(kept) == 60
