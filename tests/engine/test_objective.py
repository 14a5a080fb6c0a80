"""What a run is judged by: the callback alone, with a trainer that only pretends, and the settings' words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rib.config.compose import compose
from rib.engine.callbacks.monitors import StopEarly
from rib.engine.callbacks.objective import ScoreKeeper
from rib.engine.fit import fit_in_processes
from rib.engine.run_folder.status import PRUNED, read_run_status
from rib.engine.score import RunScore
from rib.engine.settings import OptimizeSettings, TrainSettings

SEEN = [(10, 3.0, 0.1), (20, 1.0, 0.2), (30, float("nan"), 0.3), (40, 2.0, 0.4)]
"""Step, metric and another number at each validation."""


def judged(
    select: str, mode: str = "min", seen: Any = SEEN, keeper: ScoreKeeper | None = None
) -> ScoreKeeper:
    keeper = keeper or ScoreKeeper(OptimizeSettings(metric="val/x", mode=mode, select=select, also={}))
    for step, value, other in seen:
        trainer: Any = SimpleNamespace(
            sanity_checking=False, loggers=[], world_size=1, global_step=step, should_stop=False,
            callback_metrics={"val/x": value, "val/y": other},
        )  # fmt: skip
        keeper.on_validation_end(trainer, None)  # type: ignore[arg-type]
        if trainer.should_stop:
            break
    return keeper


def test_best_and_last_are_whole_validations_and_nan_is_none() -> None:
    assert judged("best").score == RunScore(1.0, 20, {"val/x": 1.0, "val/y": 0.2})
    assert judged("best", "max").score == RunScore(3.0, 10, {"val/x": 3.0, "val/y": 0.1})
    assert judged("last").score == RunScore(2.0, 40, {"val/x": 2.0, "val/y": 0.4})
    assert judged("best", seen=[(1, float("nan"), 1.0)]).score is None


def test_further_objectives_are_those_of_the_same_validation() -> None:
    score = judged("best").score
    assert score is not None
    assert score.objectives({"val/y": "max"}) == [1.0, 0.2]
    assert score.objectives({"val/z": "max"}) is None


@pytest.mark.parametrize("select", ["best", "last"])
def test_a_run_cut_in_two_is_judged_as_a_whole_one(select: str) -> None:
    first = judged(select, seen=SEEN[:2])
    second = ScoreKeeper(first.optimize)
    second.load_state_dict(first.state_dict())
    assert judged(select, seen=SEEN[2:], keeper=second).score == judged(select).score


@pytest.mark.parametrize("kept", [None, 3, {"value": 1}, {"value": "x", "step": 1, "metrics": {}}])
def test_a_strangers_state_is_no_score(kept: Any) -> None:
    keeper = ScoreKeeper(OptimizeSettings(metric="a", mode="min", select="best", also={}))
    keeper.load_state_dict({"best": kept})
    assert keeper.score is None


def test_a_pruner_is_asked_with_every_validation_and_ends_the_run() -> None:
    asked: list[tuple[int, float]] = []

    def ends(step: int, value: float) -> bool:
        asked.append((step, value))
        return step >= 20

    keeper = ScoreKeeper(OptimizeSettings(metric="val/x", mode="min", select="last", also={}), ends)
    assert judged("last", keeper=keeper).pruned
    assert asked == [(10, 3.0), (20, 1.0)]


def test_checkpoints_early_stopping_and_the_score_follow_one_setting() -> None:
    config = compose("train", "experiment=motion_smoke", "optimize.metric=val/y", "optimize.mode=max")
    watching = [config.callbacks["checkpoint"]["monitor"], config.callbacks["early_stopping"]["metric"]]
    assert [*watching, config.optimize.metric] == ["val/y"] * 3
    modes = [config.callbacks[name]["mode"] for name in ("checkpoint", "early_stopping")]
    assert [*modes, config.optimize.mode] == ["max"] * 3


def test_the_word_of_before_still_names_the_metric(capsys: pytest.CaptureFixture[str]) -> None:
    assert compose("train", "experiment=motion_smoke", "monitor=val/y").optimize.metric == "val/y"
    assert "monitor=val/y is now called optimize.metric=val/y" in capsys.readouterr().err


def test_patience_null_never_ends_a_run_and_needs_no_metric() -> None:
    trainer: Any = SimpleNamespace(
        callback_metrics={}, fast_dev_run=False, should_stop=False, sanity_checking=False,
        state=SimpleNamespace(fn="fit"),
    )  # fmt: skip
    StopEarly("val/none", "min", None, 0.0).on_validation_end(trainer, None)  # type: ignore[arg-type]
    assert not trainer.should_stop


@pytest.mark.slow
def test_a_run_that_stops_early_or_is_pruned_leaves_its_best(
    settings: Callable[..., TrainSettings], tmp_path: Path
) -> None:
    still = ("task.module.optimizer.lr=0", "trainer.max_epochs=9", "callbacks.early_stopping.patience=2")
    score = fit_in_processes(settings("run", *still))
    assert score is not None
    assert score.step == 4
    status = read_run_status(tmp_path / "run")
    assert status is not None
    assert (status.step, status.score) == (4, score.value)
    assert {"val/ratio", "train/loss"} <= set(status.metrics)
    fit_in_processes(settings("pruned", *still), pruner=lambda step, value: step >= 4)
    ended = read_run_status(tmp_path / "pruned")
    assert ended is not None
    assert (ended.state, ended.score) == (PRUNED, score.value)
    # a sweep that goes on does not train it again
    assert fit_in_processes(settings("pruned", *still, "restore=continue")) == score
