"""From settings to files: what `rib interpolate` promises about frames, times, files and failures."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import yaml
from small_clips import person, picture

from rib.config.compose import compose
from rib.io.errors import RibError
from rib.keypoint_files import read_people_keypoints, write_openpose_json
from rib.pipeline.chain import Chain
from rib.pipeline.interpolate import interpolate_clip
from rib.pipeline.settings import InterpolateSettings
from rib.pipeline.timeline import target_output_fps
from rib.video import ArraySource, open_frame_source

Settings = Callable[..., dict[str, Any]]


def frames_of(folder: Path) -> list[np.ndarray]:
    return [cv2.imread(str(p))[..., ::-1] for p in sorted(folder.glob("*.png"))]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [("rate=1", 9), ("rate=2", 18), ("rate=3", 27), ("rate=4", 36), ("rate=2.5", 23), ("fps=60", 54)],
)
@pytest.mark.slow
def test_every_rate_gives_its_frames_and_copies_its_keyframes(
    clip: Path, settings: Settings, wanted: str, count: int, tmp_path: Path
) -> None:
    summary = interpolate_clip(settings(clip, wanted))
    made = frames_of(tmp_path / "out" / "frames")
    assert len(made) == count == summary["output"]["frames"]
    assert len(list((tmp_path / "out" / "poses").glob("*.json"))) == count
    keyframes = list(open_frame_source(str(clip)))
    fps = summary["output"]["fps"]
    copies = 0
    for number, frame in enumerate(made):
        place = number / fps * 10
        if abs(place - round(place)) < 1e-6 or place > 8:
            copies += 1
            assert np.array_equal(frame, keyframes[min(round(place), 8)])
    assert copies == summary["output"]["copied"]


def test_pictures_come_back_bit_by_bit(pictures: Path, settings: Settings, tmp_path: Path) -> None:
    interpolate_clip(settings(pictures, "rate=2", "input_fps=10"))
    made = frames_of(tmp_path / "out" / "frames")
    assert all(np.array_equal(made[2 * i], picture(i)) for i in range(9))
    middle = (picture(0).astype(float) + picture(1)) / 2
    assert np.abs(made[1] - middle).max() <= 1


@pytest.mark.slow
def test_the_rate_of_pictures_is_assumed_and_told(pictures: Path, settings: Settings) -> None:
    assert interpolate_clip(settings(pictures, "rate=2"))["input"]["fps_assumed"] is True
    assert interpolate_clip(settings(pictures, "rate=2", "input_fps=10"))["input"]["fps_assumed"] is False


@pytest.mark.slow
def test_the_result_can_be_repeated_from_its_own_config(
    clip: Path, settings: Settings, tmp_path: Path
) -> None:
    interpolate_clip(settings(clip, "rate=2"))
    before = frames_of(tmp_path / "out" / "frames")
    again = yaml.safe_load((tmp_path / "out" / "config.yaml").read_text())
    again["output"] = str(tmp_path / "again")
    interpolate_clip(InterpolateSettings.of(again))
    assert all(map(np.array_equal, before, frames_of(tmp_path / "again" / "frames")))


@pytest.mark.slow
def test_the_cache_changes_no_byte(clip: Path, settings: Settings, tmp_path: Path) -> None:
    def run() -> tuple[list[bytes], list[str]]:
        summary = interpolate_clip(settings(clip, "rate=3"))
        files = sorted(
            p
            for p in (tmp_path / "out").rglob("*")
            if p.suffix in (".png", ".json") and ".rib" not in p.parts
        )
        return [p.read_bytes() for p in files if p.name != "summary.json"], summary["reused"]

    first, reused = run()
    assert reused == []
    second, reused = run()
    assert reused == ["cuts"]
    shutil.rmtree(tmp_path / "cache")
    assert first == second == run()[0]


def test_a_video_is_written_with_the_rate_and_the_frames(
    clip: Path, settings: Settings, tmp_path: Path
) -> None:
    interpolate_clip(settings(clip, "rate=4", "video=mp4", "video.pictures=false"))
    assert not (tmp_path / "out" / "frames").exists()
    with av.open(str(tmp_path / "out" / "video.mp4")) as video:
        assert video.streams.video[0].average_rate == 40
        assert sum(1 for _ in video.decode(video=0)) == 36


@pytest.mark.slow
def test_pictures_and_poses_are_written_when_asked_for(
    clip: Path, settings: Settings, tmp_path: Path
) -> None:
    plain = ("video=mp4", "video.pictures=false", "write_poses=false")
    interpolate_clip(settings(clip, "rate=1", *plain))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        ".rib", "config.yaml", "intervals.csv", "summary.json", "video.mp4",
    }  # fmt: skip
    interpolate_clip(settings(clip, "rate=1", *plain, "layout=reference"))
    assert len(list((tmp_path / "out" / "Generated_frames" / "clip").glob("*.png"))) == 9
    assert len(list((tmp_path / "out" / "Predict_motion" / "clip").glob("*.json"))) == 9


def test_across_a_cut_the_nearer_keyframe_is_held(settings: Settings, tmp_path: Path) -> None:
    frames = [picture(i, seed=0) for i in range(5)] + [255 - picture(i, seed=7) // 3 for i in range(4)]
    summary = interpolate_clip(settings(tmp_path, "rate=4"), ArraySource(frames, fps=10))
    made = frames_of(tmp_path / "out" / "frames")
    assert [np.array_equal(made[i], frames[4]) for i in (16, 17)] == [True, True]
    assert [np.array_equal(made[i], frames[5]) for i in (18, 19, 20)] == [True, True, True]
    assert summary["cuts_s"] == [0.5]
    assert summary["fallbacks"][0]["why"].startswith("scene cut")
    assert (summary["fallbacks"][0]["start_s"], summary["fallbacks"][0]["end_s"]) == (0.4, 0.5)


def test_where_nobody_is_the_summary_says_where(clip: Path, settings: Settings, tmp_path: Path) -> None:
    write_openpose_json(person(9, missing=(3, 4)), tmp_path / "poses")
    summary = interpolate_clip(settings(clip, "rate=2", "motion.max_absence_s=0.05"))
    assert [(f["start_s"], f["end_s"], f["why"]) for f in summary["fallbacks"]] == [
        (0.2, 0.5, "no person found")
    ]
    assert summary["person_in_keyframes"] == pytest.approx(7 / 9)


@pytest.mark.slow
def test_the_poses_at_keyframes_are_those_given(clip: Path, settings: Settings, tmp_path: Path) -> None:
    interpolate_clip(settings(clip, "rate=2", "motion=linear", "motion.outliers=null"))
    given, made = (read_people_keypoints(tmp_path / p, "body25") for p in ("poses", "out/poses"))
    assert all(np.allclose(made.frames[2 * i], given.frames[i]) for i in range(9))
    assert np.allclose(made.frames[1][..., :2], (given.frames[0] + given.frames[1])[..., :2] / 2)


def test_the_second_step_of_the_first_implementation_works_on_its_folders(
    pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "inputs").mkdir()
    inputs = pictures.rename(tmp_path / "inputs" / "dance")
    write_openpose_json(person(17), tmp_path / "Predict_motion" / "dance")
    background = tmp_path / "DAIN" / "dance"
    background.mkdir(parents=True)
    for index in range(17):
        cv2.imwrite(str(background / f"{index:05d}.png"), np.full((48, 64, 3), index, np.uint8))
    config = compose(
        "interpolate", f"input={inputs}", "rate=2", "input_fps=10", "motion=files",
        f"poses={tmp_path / 'Predict_motion' / 'dance'}", "keypoints=body25", "background=folder",
        f"background.path={background}", "render=none", "layout=reference", "video=frames", "report=false",
        "device=cpu", "overwrite=true", f"cache.dir={tmp_path / 'cache'}", f"output={tmp_path}",
    )  # fmt: skip
    interpolate_clip(config)
    made = frames_of(tmp_path / "Generated_frames" / "dance")
    assert len(made) == 17
    assert np.array_equal(made[4], picture(2))
    assert (made[5] == 5).all()
    kept = read_people_keypoints(tmp_path / "Predict_motion" / "dance", "body25")
    assert np.allclose(kept.frames[16][0], np.dstack([person(17).keypoints_px, person(17).confidence])[16])


MISTAKES = {
    "rate=0": "rate=0",
    "rate=-1": "rate=-1",
    "rate=1e9": "rate=1000000000.0: expected a number above 0 and up to 100",
    "layout=mine": "expected one of rib, reference",
    "poses=nowhere": "nowhere",
    "background=folder background.path=nowhere": "nowhere",
    "video=mp4 video.codec=h265x": "h265x",
    "output=/proc/here": "/proc/here",
}


@pytest.mark.parametrize("overrides", MISTAKES)
@pytest.mark.slow
def test_a_mistake_leaves_nothing_behind(
    clip: Path, settings: Settings, overrides: str, tmp_path: Path
) -> None:
    words = overrides.split()
    with pytest.raises(RibError, match=MISTAKES[overrides]):
        interpolate_clip(settings(clip, *(words if overrides.startswith("rate") else ["rate=2", *words])))
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_failure_keeps_what_was_there(clip: Path, settings: Settings, tmp_path: Path) -> None:
    interpolate_clip(settings(clip, "rate=2"))
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    write_openpose_json(person(8), tmp_path / "poses")
    with pytest.raises(RibError, match=r"8 frames.*9 frames"):
        interpolate_clip(settings(clip, "rate=3"))
    assert {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()} == before


@pytest.mark.slow
def test_a_second_result_replaces_the_first_whole(clip: Path, settings: Settings, tmp_path: Path) -> None:
    interpolate_clip(settings(clip, "rate=4"))
    (tmp_path / "out" / "notes.txt").write_text("mine")
    interpolate_clip(settings(clip, "rate=2"))
    assert len(frames_of(tmp_path / "out" / "frames")) == 18
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"
    assert [p.name for p in (tmp_path / "out").rglob(".*")] == [".rib"]


def test_the_chain_runs_in_a_few_lines_on_arrays(settings: Settings, tmp_path: Path) -> None:
    frames = np.stack([picture(i) for i in range(9)])
    source = ArraySource(frames, fps=10)
    chain = Chain.from_config(settings(tmp_path, "rate=2"))
    analysis = chain.analyse(source, target_output_fps(source.fps, rate=2, fps=None))
    made = list(chain.frames(source, analysis))
    assert [f.index for f in made] == list(range(17))
    assert [f.keyframe for f in made[::2]] == list(range(9))
    assert all(np.array_equal(f.picture, frames[f.keyframe]) for f in made[::2])


@pytest.mark.slow
def test_a_renderer_without_what_it_needs_stands_idle_and_the_summary_says_so(
    clip: Path, settings: Settings, tmp_path: Path
) -> None:
    alone = interpolate_clip(settings(clip, "rate=2"))
    before = frames_of(tmp_path / "out" / "frames")
    idle = interpolate_clip(settings(clip, "rate=2", "render=warp"))
    assert alone["fallbacks"] == []
    assert [(f["start_s"], f["end_s"]) for f in idle["fallbacks"]] == [(0.0, 0.8)]
    assert "WarpRenderer needs optical flow" in idle["fallbacks"][0]["why"]
    assert all(map(np.array_equal, before, frames_of(tmp_path / "out" / "frames")))


def test_defaults_compose_into_a_chain() -> None:
    chain = Chain.from_config(compose("interpolate", "input=x", "device=cpu"))
    assert set(chain.stages.recipes) == {"pose", "motion", "mask", "background", "render"}
