"""Searches before the first step, and the test after the last."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rib.engine.finders import find_before_fit, with_findings_kept
from rib.engine.finders.batch_size import batch_size_setting
from rib.engine.finders.learning_rate import suggest_rate
from rib.engine.fit import fit_in_processes
from rib.engine.loggers.csv_logger import read_metrics
from rib.io.errors import RibError
from rib.io.recipe import with_setting

Settings = Callable[..., Any]
FEW = ("find.lr.num_steps=12", "find.lr.lowest=1e-4")


def gains_on_a_parabola(rates: np.ndarray) -> np.ndarray:
    """What gradient descent on a parabola of curvature 20 gains; what is beyond 2 / 20 diverges."""
    return np.cumprod((1 - 20 * rates) ** 2) - 1


def test_the_rate_suggested_is_below_what_diverges_and_no_noise_is_taken_for_a_fall() -> None:
    rates = np.geomspace(1e-6, 1, 200)
    found = suggest_rate(list(rates), list(gains_on_a_parabola(rates)))
    assert found is not None
    assert 0.1 / 100 < found < 0.1
    noise = np.random.default_rng(0)
    noisy = suggest_rate(list(rates), list(gains_on_a_parabola(rates) + noise.normal(0, 0.2, 200)))
    assert noisy is not None
    assert found / 3 < noisy < 3 * found
    assert [suggest_rate(list(rates), list(noise.normal(0, 0.1, 200))) for _ in range(3)] == [None] * 3
    assert suggest_rate([1.0, 2.0], [float("nan"), -1.0]) is None


def test_a_net_that_was_destroyed_and_answers_cheaply_is_not_proposed() -> None:
    rates = np.geomspace(1e-6, 1, 200)
    learnt = -0.1 * np.exp(-((np.log(rates) - np.log(3e-4)) ** 2))
    destroyed = np.where(rates > 3e-3, 0.5, 0) - np.where(rates > 6e-2, 5, 0)
    found = suggest_rate(list(rates), list(learnt + destroyed))
    assert found is not None
    assert 3e-5 < found < 3e-4


def test_a_setting_is_changed_in_a_copy() -> None:
    recipe = {"_target_": "x", "windows": {"tokens": 4, "other": 1}}
    assert with_setting(recipe, "windows.tokens", 8)["windows"] == {"tokens": 8, "other": 1}
    assert recipe["windows"] == {"tokens": 4, "other": 1}
    assert batch_size_setting(recipe) == ("windows.tokens", 4)
    assert batch_size_setting({"batch_size": 2}) == ("batch_size", 2)
    with pytest.raises(RibError, match="has no size of a batch"):
        batch_size_setting({"_target_": "x"})


def test_what_a_folder_holds_is_used_and_not_searched_again(settings: Settings, tmp_path: Path) -> None:
    config = settings("run", "preset=[find_lr,find_batch_size]")
    (tmp_path / "run").mkdir()
    found: dict[str, Any] = {
        "lr": {"rate": 0.5},
        "batch_size": {"setting": "windows.tokens", "size": 40},
        "used": True,
    }
    (tmp_path / "run" / "found.json").write_text(json.dumps(found))
    kept = with_findings_kept(config)
    assert kept.task.module["optimizer"]["lr"] == 0.5
    assert kept.task.data["windows"]["tokens"] == 40
    assert find_before_fit(kept) is kept
    (tmp_path / "run" / "found.json").write_text(json.dumps(found | {"used": False}))
    told = with_findings_kept(config)
    assert told.task == config.task
    assert find_before_fit(told) is told
    none = {"lr": {"rate": None, "steps": 12}, "used": True}
    (tmp_path / "run" / "found.json").write_text(json.dumps(none))
    unchanged = with_findings_kept(config)
    assert unchanged.task == config.task
    assert unchanged.find.lr is None


@pytest.mark.slow
def test_a_test_for_which_nothing_is_held_out_is_refused_before_any_step(settings: Settings) -> None:
    with pytest.raises(RibError, match=r"nothing is held out to test on; type task\.data\.held_out="):
        fit_in_processes(settings("run", "preset=[test]"))


@pytest.mark.slow
def test_a_run_trains_with_what_was_found_and_is_tested(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = (
        "preset=[find_lr,find_batch_size,test]", "find.lr.num_steps=60", "find.batch_size.most_times=2",
        "trainer.max_epochs=1", "task.data.held_out=[synthetic/0002]",
    )  # fmt: skip
    fit_in_processes(settings("run", *given))
    found = json.loads((tmp_path / "run" / "found.json").read_text())
    frozen = json.loads((tmp_path / "run" / "config.json").read_text())
    assert [row["size"] for row in found["batch_size"]["tried"]] == [20, 40]
    assert frozen["task"]["data"]["windows"]["tokens"] == found["batch_size"]["size"] == 40
    assert frozen["task"]["module"]["optimizer"]["lr"] == found["lr"]["rate"]
    assert frozen["find"] == {"lr": None, "batch_size": None, "use": True}  # repeated without a search
    told = capsys.readouterr().out
    assert f"found task.module.optimizer.lr={found['lr']['rate']:g}" in told
    assert "found task.data.windows.tokens=40" in told
    assert "held-out data, step=" in told
    assert set(read_metrics(tmp_path / "run" / "metrics.csv")) >= {"test/ratio", "val/ratio"}
    score = fit_in_processes(settings("run", *given, "restore=continue"))  # found finished
    assert score is not None
    assert "found" not in capsys.readouterr().out


@pytest.mark.slow
def test_what_is_found_is_only_told_where_it_is_not_to_be_used(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = settings("plain", "trainer.max_steps=1")
    fit_in_processes(plain)
    given = ("preset=[find_lr,find_batch_size]", *FEW, "find.batch_size.most_times=1", "find.use=false")
    fit_in_processes(settings("run", *given, "trainer.max_steps=1"))
    told = capsys.readouterr().out
    assert "it is not used: type task.data.windows.tokens=20" in told
    assert "no learning rate is proposed" in told  # twelve steps show nothing
    losses = [read_metrics(tmp_path / name / "metrics.csv")["train/loss"] for name in ("plain", "run")]
    assert losses[0] == losses[1]  # a search leaves nothing behind
