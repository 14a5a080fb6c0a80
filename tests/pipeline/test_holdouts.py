from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_clips import SIZE, write_masks

from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.chain import Chain
from rib.pipeline.holdout.holdouts import Holdouts
from rib.pipeline.holdout.scores import HoldoutScores
from rib.pipeline.holdout.validator import HoldoutValidator
from rib.pipeline.holdout.walk import HoldoutValidationPass
from rib.video import FrameSource, open_frame_source


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """A block around the figure that `settings` gives."""
    return write_masks(tmp_path / "masks")


@pytest.fixture
def chain(pictures: Path, settings: Callable[..., dict[str, Any]], masks: Path) -> Chain:
    overrides = (
        "input_fps=10",
        "rate=2",
        "render=warp",
        "background=flow",
        "mask=files",
        f"mask.path={masks}",
    )
    return Chain.from_config(settings(pictures, *overrides))


def test_a_gap_listens_to_the_nearest_holdouts_of_its_own_shot() -> None:
    held = Holdouts(
        np.array([1, 2, 3, 11, 12]), np.array([0, 0, 0, 1, 1]), np.array([1.0, 2.0, 3.0, -1.0, -2.0])
    )
    assert held.around(2, (10,)) == pytest.approx(2.0)
    assert held.around(10, (10,)) == pytest.approx(-1.5)
    assert held.around(25, (10, 20)) is None


def test_a_net_is_judged_by_three_keyframes_of_the_shot_at_least() -> None:
    refined = np.array(
        [[-0.1, 1.0, -0.1], [-0.2, 2.0, -0.2], [np.nan] * 3, [-0.3, 3.0, -0.3], [-0.3, 3.0, -0.3]]
    )
    held = Holdouts(np.array([1, 2, 3, 4, 11]), np.array([0, 0, 0, 0, 1]), np.zeros(5), refined)
    found = held.refinement(2, (10,))
    assert found is not None
    assert (found.lpips, found.psnr_db) == (pytest.approx(-0.2), pytest.approx(2.0))
    assert found.lpips_vgg16 == pytest.approx(-0.2)
    assert found.lpips_error == pytest.approx(0.2 / 3**0.5)
    assert held.refinement(10, (10,)) is None
    assert Holdouts(held.keyframes, held.shots, held.gain_db).refinement(2, (10,)) is None


def test_only_so_many_of_the_nearest_count() -> None:
    held = Holdouts(np.arange(1, 21), np.zeros(20, int), np.arange(20.0))
    assert held.around(10, ()) == pytest.approx(9.0, abs=1)


def holdouts(
    chain: Chain,
    analysis: ClipAnalysis,
    per_shot: int,
    every_s: float,
    ahead_bytes: int = 10**6,
    max_mpx: float = 0.25,
    scores: HoldoutScores | None = None,
) -> HoldoutValidationPass:
    validator = HoldoutValidator(chain.stages, chain.synthesiser(), per_shot, every_s, max_mpx)
    folder = chain.artefacts.folder
    return HoldoutValidationPass(chain.stages, validator, analysis, {}, folder, ahead_bytes, scores=scores)


def validate(
    chain: Chain,
    source: FrameSource,
    analysis: ClipAnalysis,
    per_shot: int,
    every_s: float,
    max_mpx: float = 0.25,
) -> Holdouts:
    walk = holdouts(chain, analysis, per_shot, every_s, max_mpx=max_mpx)
    with torch.inference_mode():
        passed, found = [], {}
        for index, frame in enumerate(walk.through(source)):
            passed.append(frame)
            shot = int(analysis.shots[index])
            found[shot] = walk.judged(1, shot)
    assert all(np.array_equal(a, b) for a, b in zip(passed, source, strict=True))
    return joined(found.values())


def joined(found: Iterable[Holdouts]) -> Holdouts:
    parts = [(one.keyframes, one.shots, one.gain_db) for one in found]
    return Holdouts(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


@pytest.mark.slow
def test_frames_pass_when_the_holdouts_of_their_shot_are_judged(chain: Chain, pictures: Path) -> None:
    source = open_frame_source(pictures, 10)
    analysis = replace(chain.analyse(source, source.fps * 2), cuts=(5,))
    taken = [0]

    def counted() -> Iterator[np.ndarray]:
        for frame in source:
            taken[0] += 1
            yield frame

    with torch.inference_mode():
        walk = holdouts(chain, analysis, 5, 100.0)
        seen = [
            (taken[0], walk.judged(1, int(analysis.shots[i])).keyframes.tolist())
            for i, _ in enumerate(walk.through(counted()))
        ]
    assert seen == [(6, [1, 2, 3])] * 5 + [(9, [6, 7])] * 4
    with torch.inference_mode():
        walk = holdouts(chain, analysis, 5, 100.0, ahead_bytes=3 * source.size_px[0] * source.size_px[1])
        seen = [
            (taken[0] - 9, len(walk.judged(1, int(analysis.shots[i])).keyframes))
            for i, _ in enumerate(walk.through(counted()))
        ]
    assert seen[0] == (2, 0)  # a shot that is too long waits no further
    assert seen[-1] == (9, 2)


@pytest.mark.slow
def test_who_is_not_asked_about_is_not_judged(chain: Chain, pictures: Path, tmp_path: Path) -> None:
    source = open_frame_source(pictures, 10)
    analysis = chain.analyse(source, source.fps * 2)
    scores = HoldoutScores(tmp_path)
    asking, silent = holdouts(chain, analysis, 3, 100.0, scores=scores), holdouts(chain, analysis, 3, 100.0)
    with torch.inference_mode():
        assert len(list(silent.through(source))) == 9
        assert "hold-outs" not in chain.watch.seconds
        walk = asking.through(source)
        next(walk)
        told = asking.ask(1, 0)
        assert not scores.get(1)
        found = told()
    assert found.gain_db == pytest.approx(np.mean([scores.get(keyframe)[1][0] for keyframe in (1, 4, 7)]))
    assert told() == found
    assert chain.watch.seconds["hold-outs"] > 0
    assert "background" not in chain.watch.seconds  # hold-outs pay for their own frames
    again = holdouts(chain, analysis, 3, 100.0, scores=scores)
    spent = chain.watch.seconds["hold-outs"]
    with torch.inference_mode():
        next(again.through(source))
        assert again.ask(1, 0)() == found  # of the scores that were kept
    assert chain.watch.seconds["hold-outs"] == spent


@pytest.mark.slow
def test_large_pictures_are_judged_at_a_smaller_size(chain: Chain, pictures: Path) -> None:
    source = open_frame_source(pictures, 10)
    analysis = chain.analyse(source, source.fps * 2)
    gains = [
        validate(chain, source, analysis, 3, 100.0, mpx).gain_db
        for mpx in (1.0, SIZE[0] * SIZE[1] / 1e6, 0.6 * SIZE[0] * SIZE[1] / 1e6)
    ]
    np.testing.assert_array_equal(gains[0], gains[1])
    assert np.isfinite(gains[2]).all()
    assert (gains[2] != gains[0]).all()


def test_a_picture_is_shrunk_to_the_pixels_that_are_allowed(chain: Chain) -> None:
    validator = HoldoutValidator(chain.stages, chain.synthesiser(), 5, 2.0, max_mpx=0.25)
    assert validator.working_size((568, 320)) is None
    assert validator.working_size((500, 500)) is None
    assert validator.working_size((1920, 1080)) == (667, 375)


@pytest.mark.slow
def test_every_shot_hides_keyframes_that_have_somebody_on_both_sides(chain: Chain, pictures: Path) -> None:
    source = open_frame_source(pictures, 10)
    analysis = chain.analyse(source, source.fps * 2)
    held = validate(chain, source, analysis, 3, 100.0)
    assert held.keyframes.tolist() == [1, 4, 7]
    assert np.isfinite(held.gain_db).all()
    two_shots = replace(analysis, cuts=(4,))
    assert validate(chain, source, two_shots, 9, 100.0).keyframes.tolist() == [1, 2, 5, 6, 7]
    absent = analysis.keyframe_tracks.confidence.copy()
    absent[4] = 0
    away = replace(analysis, keyframe_tracks=replace(analysis.keyframe_tracks, confidence=absent))
    assert validate(chain, source, away, 9, 100.0).keyframes.tolist() == [1, 2, 6, 7]


@pytest.mark.slow
def test_long_shots_hide_one_keyframe_in_so_many_seconds(chain: Chain, pictures: Path) -> None:
    source = open_frame_source(pictures, 10)
    analysis = chain.analyse(source, source.fps * 2)
    assert len(validate(chain, source, analysis, 1, 0.2).keyframes) == 4


@pytest.mark.slow
def test_a_gap_cut_into_batches_gives_the_same_pictures(
    pictures: Path, settings: Callable[..., dict[str, Any]], masks: Path
) -> None:
    source = open_frame_source(pictures, 10)
    results = []
    for size in (1.0, 1e-6):
        overrides = (
            "input_fps=10",
            "rate=4",
            "render=warp",
            "background=flow",
            "mask=files",
            f"mask.path={masks}",
        )
        chain = Chain.from_config(settings(pictures, *overrides, f"batch_mpx={size}"))
        results.append([f.picture for f in chain.frames(source, chain.analyse(source, source.fps * 4))])
    assert len(results[0]) == len(results[1]) == 33
    for together, alone in zip(*results, strict=True):
        assert np.abs(together.astype(int) - alone).mean() < 2
