from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rib.benchmark.run import run_benchmark
from rib.benchmark.settings import BenchmarkSettings
from rib.config.compose import compose
from rib.io.errors import RibError
from rib.pipeline.progress import StageStopwatch
from rib.pipeline.synthesis.output_frames import OutputFrame
from rib.video import ArraySource, FrameSource

STRIDE = 4


class Repeater:
    """A method that repeats the keyframe before; it may break down at one of them."""

    class stages:  # noqa: N801 - as a chain has them
        device, recipes = "cpu", {"background": {"_target_": "rib.somewhere.Repeater"}}

    def __init__(self, breaks_at: int = -1) -> None:
        self.watch, self.breaks_at = StageStopwatch(), breaks_at

    def summary(self, notes: Any) -> dict[str, float]:
        return {}

    def analyse(self, source: FrameSource, fps: Fraction, poses: bool) -> None:
        assert fps == STRIDE * source.fps

    def frames(
        self, source: FrameSource, analysis: None, observer: Any, decoded: Iterable[np.ndarray]
    ) -> Iterator[OutputFrame]:
        for number, picture in enumerate(decoded):
            if number == self.breaks_at:
                raise RibError("the method broke down")
            for step in range(STRIDE if number + 1 < len(source) else 1):
                trust = np.full(picture.shape[:2], float(number == 0), np.float32)
                yield OutputFrame(number * STRIDE + step, picture, -1, trust)


class Scorer:
    """PSNR of the whole picture, and nobody in it."""

    def detect(self, picture: np.ndarray) -> None:
        return None

    def score_many(self, true: np.ndarray, predictions: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
        error = {name: np.abs(true.astype(float) - made).mean() for name, made in predictions.items()}
        return {name: {"psnr_full": float(90 - value)} for name, value in error.items()}


@pytest.fixture
def config(tmp_path: Path) -> BenchmarkSettings:
    part = ("first=1", "crop_xywh=[2,0,40,24]", "size_wh=[20,12]", "device=cpu")
    what = ("frames=true", "sheet_rows=1", f"output={tmp_path / 'out'}")
    return compose("benchmark", "input=x", f"stride={STRIDE}", *part, *what)


def benchmark(config: BenchmarkSettings, source: ArraySource, chains: Any = None) -> dict[str, Any]:
    """Score methods that take no time, with a score that takes none."""
    scorer: Any = Scorer()
    return run_benchmark(config, source, chains or {"a": Repeater(), "b": Repeater()}, scorer)


def clip(times_s: np.ndarray | None = None) -> ArraySource:
    frames = np.stack([np.full((24, 48, 3), 9 * n, np.uint8) for n in range(12)])
    return ArraySource(frames, Fraction(30) if times_s is None else None, times_s)


def named(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_everything_is_written_and_agrees(config: BenchmarkSettings) -> None:
    output = Path(config.output)
    result = benchmark(config, clip())
    assert named(output) - {".rib"} == {"metrics.json", "metrics.csv", "contact_sheet.png", "frames"}
    assert json.loads((output / "metrics.json").read_text("utf-8")) == result
    lines = list(csv.DictReader((output / "metrics.csv").read_text("utf-8").splitlines()))
    assert len(lines) == 2 * 6
    rows = result["methods"]["a"]["frames"]
    assert [row["frame"] for row in rows] == [1, 2, 3, 5, 6, 7]
    assert [row["psnr_full"] for row in rows] == [81, 72, 63, 81, 72, 63]
    assert result["methods"]["a"]["summary"]["psnr_full"] == 72
    assert (result["methods"]["a"]["trusted_pixels"], result["methods"]["a"]["trusted_intervals"]) == (
        0.5,
        0.5,
    )
    assert result["clip"] == {"name": "frames", "frames": 11, "fps": 30.0, "size_px": [20, 12]}
    assert {folder.name: len(named(folder)) for folder in (output / "frames").iterdir()} == {
        "a": 9,
        "b": 9,
        "true": 9,
    }


def test_a_method_that_breaks_down_leaves_nothing_behind(config: BenchmarkSettings) -> None:
    chains = {"a": Repeater(), "b": Repeater(breaks_at=1)}
    with pytest.raises(RibError, match="the method broke down"):
        benchmark(config, clip(), chains)
    assert not Path(config.output).exists()


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ({"stride": 1}, "stride=1: expected a whole number from 2"),
        ({"crop_xywh": [1, 2]}, r"crop_xywh=\[1, 2\]: expected a list of 4 items"),
        ({"size_wh": [1, 2, 3]}, "expected a list of 2 items"),
        ({"count": 99}, "frames 1 to 99"),
        ({"stride": 40}, "at least two"),
    ],
)
@pytest.mark.slow
def test_a_mistake_is_told_before_anything_is_written(
    config: BenchmarkSettings, mistake: dict[str, Any], told: str
) -> None:
    with pytest.raises(RibError, match=told):
        benchmark(BenchmarkSettings.of({**config.plain(), **mistake}), clip())
    assert not Path(config.output).exists()


def test_frames_at_uneven_times_are_refused(config: BenchmarkSettings) -> None:
    with pytest.raises(RibError, match="uneven times"):
        benchmark(config, clip(np.arange(12) ** 1.5))
