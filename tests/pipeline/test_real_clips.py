"""Every clip of real footage through the chain, at whole, broken and target rates."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from rib.config.compose import compose
from rib.pipeline.interpolate import interpolate_clip
from rib.video import FrameSource, open_frame_source, subclip

FOOTAGE = Path(__file__).resolve().parents[3] / "shared" / "data" / "video"
CLIPS = ["intel_asl_walk.mkv", "pose2sim_single_cam01.mp4", "sam2_juggle.mp4", "sports2d_demo.mp4"]
WANTED = {"rate=2": 2.0, "rate=3": 3.0, "rate=2.5": 2.5, "fps=60": None}

pytestmark = pytest.mark.slow


@pytest.fixture(params=CLIPS)
def footage(request: pytest.FixtureRequest) -> Path:
    path = FOOTAGE / request.param
    if not path.is_file():
        pytest.skip(f"the clip {request.param} is not beside this checkout (shared/data/video)")
    return path


def made_of(source: FrameSource, output: Path, *overrides: str) -> dict:
    """The summary of a result without poses and people, which lies in `output`."""
    config = compose(
        "interpolate", "input=clip.mp4", f"output={output}", *overrides, "render=none", "device=cpu",
        f"cache.dir={output.parent / 'cache'}", "report=false", "video.pictures=true",
    )  # fmt: skip
    return interpolate_clip(config, source)


def test_counts_times_and_keyframes(footage: Path, tmp_path: Path) -> None:
    whole = open_frame_source(footage)
    source = subclip(whole, first=20, count=7, size_px=(whole.size_px[0] // 4, whole.size_px[1] // 4))
    keyframes = list(source)
    for wanted, rate in WANTED.items():
        output = tmp_path / wanted
        summary = made_of(source, output, wanted, "background=blend")
        fps = float(source.fps) * rate if rate else 60.0
        count = int(np.ceil(source.duration_s * fps - 0.05))
        assert summary["output"]["fps"] == pytest.approx(fps)
        assert summary["output"]["frames"] == count
        files = sorted((output / "frames").glob("*.png"))
        assert len(files) == count
        with av.open(str(output / "video.mp4")) as video:
            assert float(video.streams.video[0].average_rate) == pytest.approx(fps, rel=1e-6)
            assert sum(1 for _ in video.decode(video=0)) == count
        for index, time_s in enumerate(source.times_s):
            number = round(time_s * fps)
            if abs(number / fps - time_s) < 1e-6:
                assert np.array_equal(cv2.imread(str(files[number]))[..., ::-1], keyframes[index])


@pytest.mark.parametrize("background", ["rife", "flow"])
def test_odd_sizes(background: str, tmp_path: Path) -> None:
    path = FOOTAGE / "sam2_juggle.mp4"
    if not path.is_file():
        pytest.skip("the clip sam2_juggle.mp4 is not beside this checkout (shared/data/video)")
    source = subclip(open_frame_source(path), first=0, count=3, crop_xywh_px=(0, 0, 333, 257))
    summary = made_of(source, tmp_path / "out", "rate=2", f"background={background}")
    assert summary["output"]["frames"] == 6
    assert cv2.imread(str(tmp_path / "out" / "frames" / "000001.png")).shape == (257, 333, 3)
