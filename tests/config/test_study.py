"""The sweeper alone: what it asks for and tells, with a launcher that only pretends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf

from rib.config.sweeps.optuna_study import StudySweeper
from rib.io.errors import RibError

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
            value = float(settings["lr"]) * int(settings["depth"])
            job_return = JobReturn(status=JobStatus.COMPLETED)
            job_return.return_value = value
            if number == self.fails_in:
                job_return.status, job_return.return_value = JobStatus.FAILED, RibError("the loss is nan")
            returned.append(job_return)
        return returned


def sweep(folder: Path, launcher: Pretends, at_once: int = 1, restore: str = "fresh", **changes: Any) -> None:
    sweeper = StudySweeper(
        OmegaConf.create(RANGES), "minimize", 6, at_once, f"sqlite:///{folder}/study.db", "study", 1, 2
    )
    sweeper.config = OmegaConf.create({"restore": restore, "hydra": {"sweep": {"dir": str(folder)}}})
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


def test_a_run_that_fails_is_a_failed_trial_and_the_others_run(tmp_path: Path) -> None:
    launcher = Pretends(fails_in=2)
    sweep(tmp_path, launcher, at_once=4)
    assert launcher.batches == [4, 2]
    study = optuna.load_study(study_name="study", storage=f"sqlite:///{tmp_path}/study.db")
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 2 + ["FAIL"] + ["COMPLETE"] * 3
    assert study.best_value == min(
        float(s["lr"]) * int(s["depth"]) for n, s in launcher.asked.items() if n != 2
    )


def test_what_is_set_on_the_command_line_is_not_varied(tmp_path: Path) -> None:
    launcher = Pretends()
    sweep(tmp_path, launcher, arguments=["lr=1e-3", "net=small"])
    assert {(s["lr"], s["net"]) for s in launcher.asked.values()} == {("1e-3", "small")}
    with pytest.raises(RibError, match="the sweep varies nothing"):
        sweep(tmp_path / "none", Pretends(), arguments=["lr=1", "depth=1", "net=small"])
