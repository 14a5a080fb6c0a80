from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import pytest

from rib.benchmark.methods import (
    BenchmarkedFrame,
    build_method_chains,
    num_benchmarked_frames,
    walk_benchmark_methods,
)
from rib.benchmark.sheet import render_contact_sheet
from rib.benchmark.showcase import CROP_HEIGHT_PX, TILE_WIDTH_PX, ContactSheetPicks
from rib.benchmark.table import benchmark_csv, best_methods, print_benchmark_table
from rib.config.compose import compose
from rib.io.errors import RibError
from rib.metrics.frames import summarise_scores
from rib.pipeline.synthesis.output_frames import OutputFrame
from rib.video import ArraySource, FrameSource


class Repeater:
    """A method that repeats the keyframe before, and remembers what it was shown."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def analyse(self, source: FrameSource, fps: Fraction, poses: bool = True) -> int:
        return int(fps / source.fps)

    def frames(
        self, source: FrameSource, rate: int, observer: Any, decoded: Iterable[np.ndarray]
    ) -> Iterator[OutputFrame]:
        for number, picture in enumerate(decoded):
            self.seen.append(int(picture[0, 0, 0]))
            for step in range(rate if number + 1 < len(source) else 1):
                yield OutputFrame(number * rate + step, picture, number if step == 0 else -1)


def clip(frames: int = 11) -> ArraySource:
    return ArraySource(
        np.stack([np.full((20, 30, 3), 10 * n, np.uint8) for n in range(frames)]), Fraction(30)
    )


def moment(index: int, methods: tuple[str, ...] = ("a", "b"), keyframe: bool = False) -> BenchmarkedFrame:
    picture = np.full((40, 60, 3), index, np.uint8)
    return BenchmarkedFrame(index, index / 10, keyframe, picture, dict.fromkeys(methods, picture))


def scores(a: float, b: float) -> dict[str, dict[str, float]]:
    return {name: {"psnr_full": 30.0, "lpips_full": value} for name, value in (("a", a), ("b", b))}


def result(rows: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    return {
        "clip": {"name": "clip", "frames": 9, "fps": 30.0, "size_px": [60, 40]},
        "stride": 4,
        "methods": {
            n: {"summary": summarise_scores(r), "frames": r, "seconds_a_frame": 0.1} for n, r in rows.items()
        },
    }


def test_a_method_is_shown_the_keyframes_alone_and_answers_for_every_frame_between() -> None:
    method = Repeater()
    seen = list(walk_benchmark_methods(clip(), 4, {"repeat": method}))
    assert method.seen == [0, 40, 80]
    assert [m.index for m in seen] == list(range(9))
    assert [m.index for m in seen if m.is_keyframe] == [0, 4, 8]
    assert [int(m.true[0, 0, 0]) for m in seen] == [10 * n for n in range(9)]
    assert [int(m.predicted["repeat"][0, 0, 0]) for m in seen] == [0, 0, 0, 0, 40, 40, 40, 40, 80]
    assert num_benchmarked_frames(11, 4) == (9, 6)


def test_methods_advance_in_step() -> None:
    methods = {"one": Repeater(), "two": Repeater()}
    for at in walk_benchmark_methods(clip(), 4, methods):
        assert len(methods["one"].seen) == len(methods["two"].seen) == at.index // 4 + 1


def test_no_method_is_a_mistake() -> None:
    with pytest.raises(RibError, match=r"type methods=\[rife,rib\]"):
        build_method_chains(replace(compose("benchmark", "input=x"), methods={}))


def test_a_misspelt_method_is_told_with_the_right_one() -> None:
    with pytest.raises(RibError, match="methods=rief: there is no such option; did you mean 'rife'"):
        compose("benchmark", "input=x", "methods=[rief]")


def test_the_methods_are_the_chain_and_interpolators_alone() -> None:
    config = compose("benchmark", "input=x", "background=flow")
    assert list(config.methods) == ["blend", "flow", "rife", "rib"]
    assert config.methods["rib"] == {"background": config.background, "render": config.render}
    assert config.methods["rife"]["background"]["_target_"].endswith("RifeInterpolator")
    assert config.methods["rife"]["render"] == {"_target_": "rib.render.none.NoRenderer"}


def showcase(intervals: list[dict[str, dict[str, float]]], rows: int = 1) -> ContactSheetPicks:
    picker = ContactSheetPicks(lambda picture: None, rows)
    picker.keyframe(moment(0, keyframe=True))
    for interval, score in enumerate(intervals):
        picker.hidden(moment(2 * interval + 1), score)
        picker.keyframe(moment(2 * interval + 2, keyframe=True))
    return picker


def test_the_sheet_picks_where_methods_differ_most_and_where_all_fail() -> None:
    picked = showcase([scores(0.1, 0.1), scores(0.1, 0.5), scores(0.4, 0.4), scores(0.2, 0.3)]).shown
    assert [(p.moment[0], p.why) for p in picked] == [
        (3, "the methods differ most"),
        (5, "hard for every method"),
    ]


def test_a_frame_picked_twice_stands_once_and_the_number_kept_is_bounded() -> None:
    assert [p.moment[0] for p in showcase([scores(0.5, 0.9)]).shown] == [1]
    assert len(showcase([scores(0.01 * n, 0.02 * n) for n in range(30)], rows=3).shown) <= 6


def test_tiles_go_from_keyframe_to_keyframe_in_one_size() -> None:
    shown = showcase([scores(0.1, 0.2)]).shown[0]
    assert list(shown.crops) == list(shown.fulls) == ["keyframe before", "true", "a", "b", "keyframe after"]
    assert {tile.shape for tile in shown.crops.values()} == {(CROP_HEIGHT_PX, TILE_WIDTH_PX, 3)}
    assert {tile.shape for tile in shown.fulls.values()} == {(TILE_WIDTH_PX * 40 // 60, TILE_WIDTH_PX, 3)}
    middle = CROP_HEIGHT_PX // 2, TILE_WIDTH_PX // 2, 0
    assert [shown.crops[name][middle] for name in ("keyframe before", "true", "keyframe after")] == [0, 1, 2]


def test_the_sheet_is_a_picture_with_a_band_a_frame() -> None:
    picker = showcase([scores(0.1, 0.2), scores(0.4, 0.3)])
    rows = {"a": [{"frame": 1, "lpips_full": 0.1, "psnr_full": 30.0}], "b": [{"frame": 1, "lpips_full": 0.2}]}
    none, two = (
        cv2.imdecode(np.frombuffer(render_contact_sheet(result(rows), shown), np.uint8), cv2.IMREAD_COLOR)
        for shown in ([], picker.shown)
    )
    assert two.shape[0] > none.shape[0] + 2 * CROP_HEIGHT_PX
    assert two.shape[1] >= 5 * TILE_WIDTH_PX


def test_the_csv_has_a_line_for_each_method_and_frame() -> None:
    rows = {"a": [{"frame": 1, "time_s": 0.1, "psnr_full": 30.0}], "b": [{"frame": 1, "time_s": 0.1}]}
    read = list(csv.DictReader(io.StringIO(benchmark_csv(rows))))
    assert [(r["method"], r["frame"], r["psnr_full"]) for r in read] == [("a", "1", "30.0"), ("b", "1", "")]


def test_best_goes_by_what_the_table_shows() -> None:
    summaries = {"a": {"psnr_full": 30.001}, "b": {"psnr_full": 30.004}, "c": {"psnr_full": 29.0}, "d": {}}
    assert best_methods(summaries, "psnr_full") == {"a", "b"}
    assert best_methods({"a": {"lpips_full": 0.1}, "b": {"lpips_full": 0.2}}, "lpips_full") == {"a"}


def test_the_table_is_plain_in_a_pipe_and_leaves_out_what_nobody_has(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_benchmark_table(result({"rife": [{"psnr_full": 30.0}, {"psnr_full": 20.0}]}))
    printed = capsys.readouterr().out
    assert "| rife" in printed
    assert "25.00 / 20.00" in printed
    assert "person" not in printed
    assert "\x1b" not in printed
