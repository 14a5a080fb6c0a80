"""Real people through the whole of `rib prepare data=humanslomo`: minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rib.clips.store import Hdf5ClipStore
from rib.config.compose import compose
from rib.io.recipe import build_recipe
from rib.structures.skeleton import BODY19
from rib.video import VideoWriter, open_frame_source, subclip

FOOTAGE = Path(__file__).resolve().parents[3] / "shared" / "data" / "video"
CLIPS: dict[str, tuple[str, int, tuple[int, int, int, int]]] = {
    "juggle": ("sam2_juggle.mp4", 20, (290, 0, 720, 720)),
    "walk": ("sports2d_demo.mp4", 72, (600, 490, 768, 480)),
    "jacks": ("sports2d_demo.mp4", 4, (440, 0, 520, 520)),
    "balance": ("pose2sim_single_cam01.mp4", 0, (0, 270, 1080, 1200)),
}
"""File, first frame and the part of the picture."""
COUNT = 16
INNER, BEFORE, AFTER = slice(1, -1), slice(None, -2), slice(2, None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOOTAGE.is_dir(), reason="the real footage is not at hand"),
]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for name, (file, first, crop) in CLIPS.items():
        clip = subclip(open_frame_source(FOOTAGE / file), first, COUNT, crop)
        with VideoWriter(folder / f"{name}.mp4", clip.fps, clip.size_px, "libx264", 8, "yuv420p") as writer:
            for frame in clip:
                writer.write(frame)
    (folder / "broken.mp4").write_text("no video")
    return folder


@pytest.fixture(scope="module")
def report(videos: Path) -> Any:
    config = compose(
        "prepare", "data=humanslomo", f"data.prepare.videos={videos}", "data.prepare.workers=1",
        f"data.prepare.output={videos / 'own.h5'}", "data.prepare.strides=[1,2]",
        "data.prepare.finding.shortest=8",
    )  # fmt: skip
    return build_recipe(config.data.prepare)


def test_every_person_is_found_and_the_broken_video_is_told(report: Any) -> None:
    assert report.prepared == len(CLIPS)
    assert set(report.skipped) == {"broken"}
    names = Hdf5ClipStore(report.store).names
    assert {name.split("_")[0] for name in names} == set(CLIPS)
    assert {"walk_000000", "walk_000000_s2_o0", "walk_000000_s2_o1"} <= set(names)


def test_clips_are_320_px_high_or_less_with_the_person_inside(report: Any) -> None:
    store = Hdf5ClipStore(report.store)
    for name in store.names:
        window = store.window(name, 0, store.length(name))
        assert window.frames.shape[1] <= 320
        seen = window.poses[window.poses[..., 2] > 0.5][:, :2]
        assert (seen > -5).all()
        assert (seen < np.array(window.frames.shape[2:0:-1]) + 5).all()
        assert 0.03 < (window.masks > 127).mean() < 0.6


def test_the_matte_holds_the_trunk_and_a_background_is_nearer_to_its_frame_than_the_frames_around_it(
    report: Any,
) -> None:
    store = Hdf5ClipStore(report.store)
    trunk = [BODY19.index(joint) for joint in ("neck", "mid_hip", "left_hip", "right_hip")]
    for name in store.names:
        window = store.window(name, 0, store.length(name))
        x, y = window.poses[:, trunk, :2].astype(int).transpose(2, 0, 1)
        inside = window.masks[np.arange(len(x))[:, None], y, x] > 127
        assert inside.mean() > 0.9
        true, before, after = (window.frames[part].astype(float) for part in (INNER, BEFORE, AFTER))
        error = ((window.backgrounds - true) ** 2).mean()
        assert error < min(((before - true) ** 2).mean(), ((after - true) ** 2).mean())
