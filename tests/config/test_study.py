"""The sweeper alone: what it asks for and tells, with a launcher that only pretends."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf

from rib.config.app import run_verb
from rib.config.overrides.typed_ranges import override_with_sweeper
from rib.config.sweeps.optuna_study import StudySweeper
from rib.config.sweeps.pruning import build_sweep_pruner
from rib.engine.settings import TrainSettings
from rib.io.errors import RibError
from rib.pipeline.settings import UpsampleSettings

optuna = pytest.importorskip("optuna", reason="sweeps by Optuna run with the extra [sweep]")
RANGES = {
    "lr": "tag(log, interval(1e-4, 1e-1))",
    "depth": "int(interval(1, 4))",
    "net": "choice(small, large)",
}


class Pretends:
    """Judges settings by a formula; on demand it dies like a machine switched off, or fails like a run."""

    def __init__(self, dies_in: int | None = None, fails_in: int | None = None) -> None:
        self.dies_in, self.fails_in = dies_in, fails_in
        self.asked: dict[int, dict[str, str]] = {}
        self.batches: list[int] = []

    def launch(self, jobs: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        self.batches.append(len(jobs))
        returned = []
        for number, job in enumerate(jobs, initial_job_idx):
            if number == self.dies_in:
                raise KeyboardInterrupt
            self.asked[number] = settings = dict(text.split("=", 1) for text in job)
            value: Any = float(settings["lr"]) * int(settings["depth"])
            if "two" in settings:
                value = [value, -value]
            job_return = JobReturn(status=JobStatus.COMPLETED)
            job_return.return_value = value
            if number == self.fails_in:
                job_return.status, job_return.return_value = JobStatus.FAILED, RibError("the loss is nan")
            returned.append(job_return)
        return returned


def sweep(folder: Path, launcher: Pretends, at_once: int = 1, restore: str = "fresh", **changes: Any) -> None:
    sweeper = StudySweeper(
        OmegaConf.create(RANGES), 6, at_once, f"sqlite:///{folder}/study.db", "study", 1, 2,
        changes.get("pruner"), changes.get("failed", "retry"),
    )  # fmt: skip
    optimize = {"metric": "val/x", "mode": "min", "also": changes.get("also", {})}
    sweeper.config = OmegaConf.create(
        {"restore": restore, "optimize": optimize, "hydra": {"sweep": {"dir": str(folder)}}}
    )
    sweeper.launcher = launcher  # type: ignore[assignment]
    sweeper.sweep(changes.get("arguments", ["seed=3"]))


@pytest.mark.parametrize("at_once", [1, 2])
@pytest.mark.slow
def test_a_study_that_is_cut_off_goes_on_as_a_straight_one(tmp_path: Path, at_once: int) -> None:
    straight, first, second = Pretends(), Pretends(dies_in=3), Pretends()
    sweep(tmp_path / "straight", straight, at_once)
    assert sorted(straight.asked) == list(range(6))
    assert all(settings["seed"] == "3" for settings in straight.asked.values())
    with pytest.raises(KeyboardInterrupt):
        sweep(tmp_path / "parts", first, at_once)
    with pytest.raises(RibError, match=r"already holds \d trials; type restore=continue"):
        sweep(tmp_path / "parts", second, at_once)
    sweep(tmp_path / "parts", second, at_once, "continue")
    assert {**first.asked, **second.asked} == straight.asked
    assert min(second.asked) == (3 if at_once == 1 else 2)
    third = Pretends()
    sweep(tmp_path / "parts", third, at_once, "continue")
    assert third.asked == {}


def states(folder: Path) -> list[str]:
    study = optuna.load_study(study_name="study", storage=f"sqlite:///{folder}/study.db")
    return [trial.state.name for trial in study.trials]


@pytest.mark.slow
def test_a_run_that_fails_stops_no_other_and_is_tried_again_with_the_same_settings(tmp_path: Path) -> None:
    launcher, again = Pretends(fails_in=2), Pretends()
    sweep(tmp_path, launcher, at_once=4)
    assert launcher.batches == [4, 2]
    assert states(tmp_path) == ["COMPLETE"] * 2 + ["RUNNING"] + ["COMPLETE"] * 3
    sweep(tmp_path, again, restore="continue")
    assert again.asked == {2: launcher.asked[2]}
    assert states(tmp_path) == ["COMPLETE"] * 6


@pytest.mark.slow
def test_a_failed_trial_stays_one_where_it_is_to_be_kept(tmp_path: Path) -> None:
    sweep(tmp_path, Pretends(fails_in=1), failed="keep")
    assert states(tmp_path) == ["COMPLETE", "FAIL"] + ["COMPLETE"] * 4
    again = Pretends()
    sweep(tmp_path, again, restore="continue", failed="keep")
    assert again.asked == {}
    with pytest.raises(RibError, match="failed=kep is neither retry nor keep"):
        sweep(tmp_path, again, failed="kep")


@pytest.mark.slow
def test_several_objectives_are_searched_together_and_not_pruned(tmp_path: Path) -> None:
    both: dict[str, Any] = {"also": {"val/y": "max"}, "arguments": ["two=1"]}
    sweep(tmp_path, Pretends(), **both)
    study = optuna.load_study(study_name="study", storage=f"sqlite:///{tmp_path}/study.db")
    assert [direction.name for direction in study.directions] == ["MINIMIZE", "MAXIMIZE"]
    assert all(trial.values[1] == -trial.values[0] for trial in study.trials)
    pruner = {"_target_": "optuna.pruners.MedianPruner"}
    with pytest.raises(RibError, match=r"judges by one number, but optimize.also names val/y"):
        sweep(tmp_path / "pruned", Pretends(), pruner=pruner, **both)


def test_a_pruner_is_built_from_settings_and_a_misspelt_one_is_told() -> None:
    inner = {"_target_": "optuna.pruners.MedianPruner", "n_startup_trials": 2}
    pruner = build_sweep_pruner(
        {"_target_": "optuna.pruners.PatientPruner", "wrapped_pruner": inner, "patience": 1}
    )
    assert isinstance(pruner, optuna.pruners.PatientPruner)
    assert isinstance(build_sweep_pruner("MedianPruner"), optuna.pruners.MedianPruner)
    assert isinstance(build_sweep_pruner(None), optuna.pruners.NopPruner)
    with pytest.raises(RibError, match=r"no optuna.pruners.MedianPrunner; did you mean"):
        build_sweep_pruner({"_target_": "optuna.pruners.MedianPrunner"})
    with pytest.raises(RibError, match="refuses its settings"):
        build_sweep_pruner({**inner, "patience": 1})
    with pytest.raises(RibError, match="is no pruner"):
        build_sweep_pruner(3)


def test_a_range_on_the_command_line_is_a_sweep_by_itself() -> None:
    typed = ["-m", "lr=tag(log, interval(1e-4, 1e-2))", "seed=1,2"]
    assert override_with_sweeper("train", TrainSettings, typed) == [*typed, "hydra/sweeper=study"]
    assert override_with_sweeper("train", TrainSettings, [*typed, "sweep=motion_lr"]) == [
        *typed,
        "sweep=motion_lr",
    ]
    assert override_with_sweeper("train", TrainSettings, ["-m", "seed=1,2"]) == ["-m", "seed=1,2"]
    assert override_with_sweeper("train", TrainSettings, ["ckpt=interval(1)"]) == ["ckpt=interval(1)"]
    with pytest.raises(RibError, match=r"is a range, for the runs of a sweep; type -m"):
        override_with_sweeper("train", TrainSettings, ["lr=interval(0,1)"])
    with pytest.raises(RibError, match="which `rib upsample` cannot search"):
        override_with_sweeper("upsample", UpsampleSettings, ["-m", "rate=interval(2,4)"])


@pytest.mark.slow
def test_what_is_set_on_the_command_line_is_not_varied(tmp_path: Path) -> None:
    launcher = Pretends()
    sweep(tmp_path, launcher, arguments=["lr=1e-3", "net=small"])
    assert {(s["lr"], s["net"]) for s in launcher.asked.values()} == {("1e-3", "small")}
    with pytest.raises(RibError, match="the sweep varies nothing"):
        sweep(tmp_path / "none", Pretends(), arguments=["lr=1", "depth=1", "net=small"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "typed",
    [
        "launch=joblib hydra.launcher.n_jobs=0",
        "launch=slurm hydra.launcher.mem_gb=-1",
        "launch=slurm hydra.launcher.timeout_min=0",
        "sweep=motion_lr hydra.sweeper.num_trials=-3",
        "sweep=motion_lr hydra.sweeper.at_once=0",
        "sweep=motion_lr hydra.sweeper.num_random=-1",
        "hydra.sweeper.max_batch_size=0",
    ],
)
def test_a_setting_of_a_launcher_or_sweeper_out_of_range_is_refused_before_anything_runs(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran: list[object] = []
    name, _, value = typed.split()[-1].partition("=")
    with pytest.raises(RibError, match=f"^{re.escape(name)}={re.escape(value)}: expected"):
        run_verb("train", ran.append, ["-m", "experiment=motion_smoke", "seed=1", *typed.split()])
    assert ran == []
