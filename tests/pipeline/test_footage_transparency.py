"""Transparency and 10 bits through the whole command."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image
from small_clips import person

from rib.keypoint_files import write_openpose_json
from rib.pipeline.interpolate import interpolate_clip
from rib.video import open_frame_source

Settings = Callable[..., dict[str, Any]]
SIZE = (96, 64)


def disc(index: float) -> np.ndarray:
    """A red disc with a soft edge that moves by 6 pixels a keyframe, on a ground that is stored as green."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    alpha = np.clip(20 - np.hypot(x - 30 - 6 * index, y - 32), 0, 4) / 4
    rgb = np.where(alpha[..., None] > 0, [230, 60, 40], [0, 255, 0])
    return np.dstack([rgb, alpha * 255]).astype(np.uint8)


@pytest.fixture
def transparent(tmp_path: Path) -> Path:
    folder = tmp_path / "discs"
    folder.mkdir()
    for index in range(4):
        Image.fromarray(disc(index)).save(folder / f"{index}.png")
    return folder


def run(settings: Settings, clip: Path, *overrides: str) -> dict[str, Any]:
    poses = clip.parent / "its_poses"
    write_openpose_json(person(len(open_frame_source(clip))), poses)
    return interpolate_clip(settings(clip, "motion=linear", f"poses={poses}", "rate=2", *overrides))


@pytest.mark.parametrize("background", [pytest.param("flow", marks=pytest.mark.slow), "blend"])
def test_transparency_moves_with_the_pictures_and_keyframes_stay(
    settings: Settings, transparent: Path, tmp_path: Path, background: str
) -> None:
    summary = run(settings, transparent, "input_fps=12", f"background={background}")
    assert summary["not_kept"] == []
    made = [np.array(Image.open(tmp_path / "out" / "frames" / f"{n:06d}.png")) for n in range(8)]
    for index in range(4):
        assert np.array_equal(made[2 * index], disc(index))
    for index in (0.5, 1.5, 2.5):
        between, truth = made[round(2 * index)], disc(index)
        off = np.abs(between[..., 3].astype(int) - truth[..., 3]).mean()
        assert off < (2.5 if background == "flow" else 12)
        # no green shines through the soft edge
        seen = between[..., 3] > 24
        assert np.abs(between[seen][:, :3].astype(int) - (230, 60, 40)).mean() < 4


@pytest.mark.parametrize("suffix", ["mov", pytest.param("webm", marks=pytest.mark.slow)])
def test_a_video_with_transparency_stays_one(
    settings: Settings, transparent: Path, tmp_path: Path, suffix: str
) -> None:
    made = tmp_path / f"made.{suffix}"
    summary = run(
        settings, transparent, "input_fps=12", "video=mp4", f"output={made}", "video.pictures=false"
    )
    assert not any("transparency" in lost for lost in summary["not_kept"])
    frame = list(open_frame_source(made).stored())[3]
    white = np.iinfo(frame.dtype).max
    assert frame[2, 2, 3] < 0.02 * white
    assert frame[32, 39, 3] > 0.98 * white


def test_an_opaque_video_shows_the_ground_and_says_so(
    settings: Settings, transparent: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made.mp4"
    ground = "video.ground='#0000ff'"
    summary = run(settings, transparent, "input_fps=12", "video=mp4", f"output={made}", ground)
    assert any("shown over #0000ff" in lost for lost in summary["not_kept"])
    for frame in open_frame_source(made):
        assert np.abs(frame[2, 2].astype(int) - (0, 0, 255)).max() < 12


@pytest.mark.parametrize("transfer", [16, pytest.param(18, marks=pytest.mark.slow)])
def test_ten_bits_of_hdr_come_out_as_ten_with_their_tags(
    settings: Settings, tmp_path: Path, transfer: int
) -> None:
    clip = tmp_path / "hdr.mp4"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(10), options={"qp": "0"})
        (stream.width, stream.height), stream.pix_fmt = SIZE, "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = 9, transfer, 9
        for index in range(3):
            frame = av.VideoFrame(*SIZE, "yuv420p10le")
            for number, plane in enumerate(frame.planes):
                rows = np.full((plane.height, plane.line_size // 2), 512, np.uint16)
                if not number:
                    rows[:] = 401 + 2 * (np.arange(rows.shape[1]) + index)
                plane.update(rows.tobytes())
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    summary = run(settings, clip, "video=mp4", "video.crf=0")
    assert summary["not_kept"] == ["10 bits a colour became 8 in frames/"]
    with av.open(str(tmp_path / "out" / "video.mp4")) as container:
        frames = list(container.decode(video=0))
        kind = container.streams.video[0].codec_context
        assert (kind.name, kind.codec_tag) == ("hevc", "hvc1")  # as telephones and QuickTime play HDR
    assert {frame.format.name for frame in frames} == {"yuv420p10le"}
    assert {(int(f.color_primaries), int(f.color_trc), int(f.colorspace)) for f in frames} == {
        (9, transfer, 9)
    }
    for number, frame in enumerate(frames[:5]):
        plane = frame.planes[0]
        row = np.frombuffer(plane, np.uint16).reshape(plane.height, -1)[20, : SIZE[0]].astype(int)
        # in between the cross-fade lies between the steps: on numbers that 8 bits do not have
        assert np.abs(row - (401 + 2 * np.arange(SIZE[0]) + number)).max() <= 1
    copied = cv2.imread(str(tmp_path / "out" / "frames" / "000000.png"))[..., ::-1]
    assert np.array_equal(copied, next(iter(open_frame_source(clip))))
