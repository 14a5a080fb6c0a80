"""Every clip of real footage through the chain, at whole, broken and target rates."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from rib.config.compose import compose
from rib.pipeline.interpolate import interpolate
from rib.video import open_source, subclip

FOOTAGE = Path(__file__).resolve().parents[3] / "shared" / "data" / "video"
CLIPS = [
    "intel_asl_walk.mkv",
    "pose2sim_single_cam01.mp4",
    "pose2sim_single_cam03.mp4",
    "sam2_juggle.mp4",
    "sports2d_demo.mp4",
]
WANTED = {"rate=2": 2.0, "rate=3": 3.0, "rate=4": 4.0, "rate=2.5": 2.5, "fps=60": None}

pytestmark = pytest.mark.slow


@pytest.fixture(params=CLIPS)
def footage(request: pytest.FixtureRequest) -> Path:
    path = FOOTAGE / request.param
    if not path.is_file():
        pytest.skip(f"the clip {request.param} is not beside this checkout (shared/data/video)")
    return path


def test_counts_times_and_keyframes(footage: Path, tmp_path: Path) -> None:
    source = subclip(open_source(footage), first=20, count=7)
    keyframes = list(source)
    for wanted, rate in WANTED.items():
        config = compose(
            "interpolate", f"input={footage}", wanted, f"output={tmp_path / 'out'}",
            "background=blend", "render=none", f"cache.dir={tmp_path / 'cache'}", "device=cpu",
            "report=false", "video.pictures=true", "write_poses=true",
        )  # fmt: skip
        summary = interpolate(config, source)
        fps = float(source.fps) * rate if rate else 60.0
        count = int(np.ceil(source.duration_s * fps - 0.05))
        assert summary["output"]["fps"] == pytest.approx(fps)
        assert summary["output"]["frames"] == count
        files = sorted((tmp_path / "out" / "frames").glob("*.png"))
        assert len(files) == count == len(list((tmp_path / "out" / "poses").glob("*.json")))
        with av.open(str(tmp_path / "out" / "video.mp4")) as video:
            assert float(video.streams.video[0].average_rate) == pytest.approx(fps, rel=1e-6)
            assert sum(1 for _ in video.decode(video=0)) == count
        for index, time_s in enumerate(source.times_s):
            number = round(time_s * fps)
            if abs(number / fps - time_s) < 1e-6:
                assert np.array_equal(cv2.imread(str(files[number]))[..., ::-1], keyframes[index])


def test_odd_sizes(footage: Path, tmp_path: Path) -> None:
    source = subclip(open_source(footage), first=0, count=3, crop_xywh_px=(0, 0, 333, 257))
    for background in ("rife", "flow"):
        config = compose(
            "interpolate", f"input={footage}", "rate=2", f"output={tmp_path / background}",
            f"background={background}", "render=none",
            f"cache.dir={tmp_path / 'cache'}", "device=cpu", "report=false",
        )  # fmt: skip
        assert interpolate(config, source)["output"]["frames"] == 6
        assert cv2.imread(str(tmp_path / background / "frames" / "000001.png")).shape == (257, 333, 3)
