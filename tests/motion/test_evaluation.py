from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from rib.commands.evaluate import command
from rib.config.compose import compose
from rib.io.errors import RibError
from rib.io.recipe import build_recipe
from rib.mocap.readers.joint_files import write_mocap_joint_file
from rib.mocap.stores.bank import MotionBank
from rib.mocap.synthetic import synthetic_mocap_recordings
from rib.motion.evaluation import scoring as evaluation
from rib.motion.evaluation.protocol import (
    CorruptionCondition,
    MotionTestSequence,
    corrupted_motion_keyframes,
    motion_test_sequences,
)
from rib.motion.nets.base import MotionBase
from rib.motion.nets.checkpoint import save_motion_net

SHARED = Path(__file__).resolve().parents[3] / "shared"
CLIPS = ("cmu_05_02", "cmuasf_05_01", "cmu_12_01")
TRACKS = SHARED / "data" / "openpose_json"
TRACK_FPS = {
    "pose2sim_single_body25b/cam01": 60,
    "pose2sim_single_body25b/cam03": 60,
    "treadmill_body25_hands/27_teenage_hooligan": 23.98,
}
NET = {"width": 8, "num_heads": 1, "num_layers": [1, 1], "expansion": 2}


@pytest.fixture(scope="module")
def chosen() -> list[MotionTestSequence]:
    bank = MotionBank.from_recordings(synthetic_mocap_recordings(2, 200, 60, seed=3), 60)
    return list(motion_test_sequences(bank, seed=1, max_windows=2))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """An untrained net, which is the natural cubic spline."""
    recipe = {"_target_": "rib.motion.nets.base.MotionBase", **NET}
    save_motion_net(tmp_path / "net.safetensors", MotionBase(**NET), recipe, {})  # type: ignore[arg-type]
    return tmp_path / "net.safetensors"


def settings(*overrides: str) -> dict[str, Any]:
    return compose("evaluate", "folder=synthetic", "subjects=[]", *overrides)


def test_every_window_is_seen_from_four_sides_and_fits_every_stride(
    chosen: list[MotionTestSequence],
) -> None:
    assert len(chosen) == 2 * 4
    for sequence in chosen:
        assert (len(sequence.joints_px) - 1) % 16 == 0
        assert 100 < np.median(np.ptp(sequence.joints_px[..., 1], axis=1)) < 300


def test_noise_is_drawn_from_the_sequence_and_grows_with_its_factor(
    chosen: list[MotionTestSequence],
) -> None:
    def error(noise: float) -> float:
        x, confidence = corrupted_motion_keyframes(
            chosen[0], 8, CorruptionCondition("noise", "detector", noise), None
        )
        return float(np.median(np.abs(x - chosen[0].joints_px[::8])[confidence > 0]))

    assert error(1.0) == error(1.0)
    assert error(0.5) < error(1.0) < error(2.0)
    clean, confidence = corrupted_motion_keyframes(chosen[0], 8, CorruptionCondition("clean", "clean"), None)
    assert (clean == chosen[0].joints_px[::8]).all()
    assert (confidence == 1).all()


def test_the_truth_scores_perfectly_and_a_shift_by_its_length(chosen: list[MotionTestSequence]) -> None:
    sequence = chosen[0]
    perfect = evaluation.score_motion_errors(sequence, 8, sequence.joints_px)
    assert perfect["between"] == perfect["acc"] == perfect["max"] == 0
    assert perfect["pck05"] == 1
    shifted = evaluation.score_motion_errors(sequence, 8, sequence.joints_px + np.array([3.0, 4.0]))
    assert shifted["between"] == pytest.approx(5)
    assert shifted["torso"] == pytest.approx(5 / sequence.torso_px)
    assert shifted["mae"] == pytest.approx(3.5 / 512)
    assert shifted["acc"] == pytest.approx(0, abs=1e-9)


def test_recordings_that_are_too_short_to_be_scored_are_told(tmp_path: Path) -> None:
    for person in synthetic_mocap_recordings(1, 30, 60, seed=0):
        write_mocap_joint_file(tmp_path / "short.npz", person)
    with pytest.raises(RibError, match="the longest has 30 frames at 60 a second, 65 are needed"):
        evaluation.held_out_motion_sequences(settings(f"folder={tmp_path}"))


@pytest.mark.slow
def test_the_command_prints_tables_and_writes_every_number_and_skeletons(
    tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = ["folder=synthetic", "subjects=[]", "every=40", "strides=[8]"]
    look = ["skeletons=true", "show.format=gif", "show.size_px=64"]
    command([*quick, *look, f"ckpt={weights}", f"output={tmp_path / 'out'}"])
    told = capsys.readouterr().out
    assert "detector: keyframes every 8 frames" in told
    assert "hampel_cubic" in told
    whole = json.loads((tmp_path / "out" / "evaluation.json").read_text(), parse_constant=pytest.fail)
    lines = (tmp_path / "out" / "evaluation.csv").read_text().splitlines()
    assert len(lines) - 1 == len(whole["rows"]) == 3 * 5 * 4
    clean = whole["means"]["clean"]
    assert clean["net"]["between"]["8"] == pytest.approx(clean["cubic"]["between"]["8"], abs=1e-3)
    assert (tmp_path / "out" / "0000.gif").read_bytes()[:3] == b"GIF"


@pytest.mark.slow
def test_what_is_shown_must_exist(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(SystemExit):
        command(
            ["folder=synthetic", "subjects=[]", "every=40", "strides=[16]", f"ckpt={weights}",
             "skeletons=true", "show.clip=nobody", f"output={tmp_path / 'out'}"]
        )  # fmt: skip


def test_another_frame_rate_is_refused() -> None:
    with pytest.raises(RibError, match="60 frames a second"):
        evaluation.held_out_motion_sequences(settings("fps=30"))


@pytest.fixture
def scorer(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    if not (SHARED / "tools" / "motion_eval.py").is_file():
        pytest.skip(f"the independent scorer is not at {SHARED / 'tools'}")
    monkeypatch.syspath_prepend(str(SHARED / "tools"))
    return importlib.import_module("motion_eval")


@pytest.mark.slow
def test_sequences_noise_and_scores_are_those_of_the_independent_scorer(
    scorer: ModuleType, tmp_path: Path
) -> None:
    for clip in CLIPS:
        (tmp_path / f"{clip}.npz").symlink_to(SHARED / "data" / "mocap_joints" / f"{clip}.npz")
    theirs = scorer.build(str(tmp_path))
    config = compose("evaluate", f"folder={tmp_path}", "subjects=['05','12']")
    ours = evaluation.held_out_motion_sequences(config)
    assert len(ours) == len(theirs)
    cubic = evaluation.spline_motion_method(build_recipe(config.baselines["cubic"]))
    bank = scorer.residual_bank(scorer.load_tracks(str(TRACKS)))
    tracks = [(str(TRACKS / name), fps) for name, fps in TRACK_FPS.items()]
    errors = evaluation.load_detector_errors(tracks, build_recipe(config.tracker))
    worst = dict.fromkeys(("clean", "detector", "real"), 0.0)
    for (a, b), kind, stride in (
        (pair, kind, stride)
        for pair in zip(ours, theirs, strict=True)
        for kind in worst
        for stride in (4, 8, 16)
    ):
        np.testing.assert_allclose(a.joints_px, b["xy"], atol=1e-4)
        assert (a.scored == b["jok"]).all()
        x, confidence = corrupted_motion_keyframes(a, stride, CorruptionCondition(kind, kind), errors)
        times = a.times_s[::stride]
        rng = np.random.default_rng([*b["id"], scorer.COND[kind], stride])
        noisy, belief = scorer.corrupt(b["xy"][::stride], times, kind, rng, bank)
        np.testing.assert_allclose(x, noisy, atol=1e-3)
        np.testing.assert_allclose(confidence, belief, atol=1e-6)
        expected = scorer.score(b, stride, scorer.BASE["cubic_natural"](times, noisy, belief, a.times_s))
        found = evaluation.score_motion_errors(a, stride, cubic(times, x, confidence, a.times_s))
        worst[kind] = max(worst[kind], abs(found["between"] - expected["between"]))
        for measure in ("between", "key", "torso", "pck05", "acc"):
            assert found[measure] == pytest.approx(expected[measure], abs=1e-3), (kind, stride, measure)
    assert max(worst.values()) < 1e-3
