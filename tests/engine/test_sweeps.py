"""Sweeps through the real command, in this process where nothing has to be started."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_runs import TINY

from rib.commands.train import command
from rib.engine.checkpoints import read_checkpoint
from rib.engine.loggers.csv_logger import read_metrics
from rib.engine.run_folder.status import read_run_status
from rib.io.errors import RibError

ONE_EPOCH = (*TINY, "trainer.max_epochs=1", "hydra.sweep.dir=sweep", "callbacks.throughput=null")
STUDY = ("-m", "sweep=motion_lr", "hydra.sweeper.num_trials=3", "hydra.sweeper.num_random=2", *ONE_EPOCH)


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "sweep.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def fails_in_run(number: int, error: str, mark: Path) -> str:
    """An error, once, at the first step of this run of the sweep."""
    given = f"mark: {mark}, run_dir: ${{run_dir}}, run: '{number}', error: {error}"
    return f"+callbacks.fault={{_target_: faults.FailsInRun, {given}}}"


@pytest.mark.slow
def test_a_run_that_fails_stops_no_other_and_is_told_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RibError, match=r"1 of 3 runs did not finish: run 1 failed: the loss is .* at step"):
        command(["-m", "task.module.optimizer.lr=1e-3,1e30,2e-3", "task.module.warmup_steps=1", *ONE_EPOCH])
    rows = table(tmp_path / "sweep")
    assert [row["state"] for row in rows] == ["finished", "failed", "finished"]
    assert [row["task.module.optimizer.lr"] for row in rows] == ["0.001", "1e+30", "0.002"]
    assert "position" in rows[1]["error"]
    assert "failed" in capsys.readouterr().out


@pytest.mark.slow
def test_a_mistake_in_one_run_of_a_sweep_is_told_with_its_number(tmp_path: Path) -> None:
    with pytest.raises(RibError, match=r"run 1 failed: task\.module\.optimizer.* takes no 'lrr'"):
        command(["-m", "+task.module.optimizer={lr:1e-3},{lrr:1e-3}", *ONE_EPOCH])
    assert [row["state"] for row in table(tmp_path / "sweep")] == ["finished", "failed"]


@pytest.mark.slow
def test_a_sweep_killed_half_way_goes_on_and_asks_what_a_straight_one_asks(tmp_path: Path) -> None:
    study = [*STUDY, fails_in_run(1, "ctrl_c", tmp_path / "failed")]
    (tmp_path / "failed").touch()
    command([*study, "hydra.sweep.dir=straight"])
    (tmp_path / "failed").unlink()
    with pytest.raises(KeyboardInterrupt):
        command(study)
    first = (tmp_path / "sweep" / "0" / "metrics.csv").read_bytes()
    with pytest.raises(RibError, match="already holds 2 trials; type restore=continue"):
        command(study)
    command([*study, "restore=continue"])
    assert (tmp_path / "sweep" / "0" / "metrics.csv").read_bytes() == first
    unlike = ("seconds",)
    straight, parts = (
        [{k: v for k, v in row.items() if k not in unlike} for row in table(tmp_path / name)]
        for name in ("straight", "sweep")
    )
    assert parts == straight
    assert len({row["task.module.optimizer.lr"] for row in parts}) == 3


@pytest.mark.slow
def test_ranges_alone_are_searched_pruned_and_a_failed_trial_is_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The median of one trial before ends whatever is worse at its first validation."""
    search = [
        "-m", "task.module.optimizer.lr=tag(log,interval(1e-4,1))", *TINY, "task.module.warmup_steps=1",
        "hydra.sweeper.num_trials=4", "hydra.sweeper.num_random=4", "hydra.sweep.dir=sweep",
        "hydra.sweeper.pruner={_target_: optuna.pruners.MedianPruner, n_startup_trials: 1}",
        "optimize.select=last", fails_in_run(1, "disk", tmp_path / "failed"),
    ]  # fmt: skip
    with pytest.raises(RibError, match="1 of 4 runs did not finish: run 1 failed: the disk was full"):
        command(search)
    before = table(tmp_path / "sweep")
    command([*search, "restore=continue"])
    rows = table(tmp_path / "sweep")
    assert rows[1]["state"] in ("finished", "pruned")
    assert [row for row in before if row["run"] != "1"] == [row for row in rows if row["run"] != "1"]
    assert "pruned" in {row["state"] for row in rows}
    for row in rows:
        logged = read_metrics(tmp_path / "sweep" / row["run"] / "metrics.csv")["val/ratio"]
        assert len(logged) == (1 if row["state"] == "pruned" else 2)
        assert float(row["score"]) == float(row["val/ratio"]) == pytest.approx(logged[-1][1], rel=1e-4)
    assert "<svg" in (tmp_path / "sweep" / "sweep.html").read_text()
    assert "best by val/ratio: run" in capsys.readouterr().out


@pytest.mark.slow
def test_a_grid_killed_half_way_goes_on(tmp_path: Path) -> None:
    grid = ["-m", "seed=1,2", *ONE_EPOCH]
    with pytest.raises(KeyboardInterrupt):
        command([*grid, fails_in_run(1, "ctrl_c", tmp_path / "failed")])
    status = read_run_status(tmp_path / "sweep" / "1")
    assert status is not None
    assert status.state == "stopped"
    command([*grid, "restore=continue"])
    assert [row["state"] for row in table(tmp_path / "sweep")] == ["finished", "finished"]
    with pytest.raises(RibError, match=r"holds a run with other settings of (task|seed)"):
        command(["-m", "seed=3,2", *ONE_EPOCH, "restore=continue"])


@pytest.mark.slow
def test_a_grid_that_finetunes_goes_on_with_runs_that_do_so_too(tmp_path: Path) -> None:
    command([*ONE_EPOCH, "hydra.run.dir=first"])
    still = ("task.module.optimizer.lr=0", "restore=finetune", "ckpt=first/checkpoints/last.ckpt")
    command(["-m", "seed=1", *ONE_EPOCH, *still])
    command(["-m", "seed=1,2", *ONE_EPOCH, *still, "restore=continue"])
    first, old, new = (
        read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt")["state_dict"]
        for name in ("first", "sweep/0", "sweep/1")
    )
    for name in first:
        if name.startswith("net."):
            torch.testing.assert_close(old[name], first[name], atol=1e-6, rtol=0)
            torch.testing.assert_close(new[name], first[name], atol=1e-6, rtol=0)


@pytest.mark.parametrize("word", ["sweep=motion_lr"])
@pytest.mark.slow
def test_what_is_for_sweeps_is_refused_in_a_single_run(
    word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        command([word, *TINY])
    assert stop.value.code == 1
    assert f"{word} is for the runs of a sweep; type -m" in capsys.readouterr().err


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param(("hydra.run.dir=taken/run",), marks=pytest.mark.slow),
        ("-m", "hydra.sweep.dir=taken/sweep"),
    ],
)
def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path: Path, mode: tuple[str, ...]) -> None:
    (tmp_path / "taken").write_text("a file stands here")
    with pytest.raises(RibError, match=r"taken/\w+ cannot be written \(not a directory\)"):
        command([*TINY, *mode])


def trained(text: str) -> list[Any]:
    """What a process says that it trains."""
    lines = [line for line in text.splitlines() if " trains {" in line]
    return [json.loads(line[line.index("{") :]) for line in lines]


@pytest.mark.slow
def test_every_rank_of_every_trial_trains_the_same_and_there_is_one_sweep_folder(tmp_path: Path) -> None:
    """Lightning's own way starts the other ranks with this sweep's command line: they draw settings anew."""
    ddp = ("trainer=ddp_cpu", "trainer.max_epochs=1", "hydra.sweeper.num_trials=2")
    command(["-m", "sweep=motion_lr", *TINY, *ddp])
    (folder,) = (tmp_path / "runs" / "motion_smoke").iterdir()
    rows = table(folder)
    for row in rows:
        run = folder / row["run"]
        (first,), (second,) = (trained((run / name).read_text()) for name in ("log.txt", "rank1.txt"))
        assert first == second
        assert first["optimizer"]["lr"] == float(row["task.module.optimizer.lr"])
        assert len(read_metrics(run / "metrics.csv")["val/ratio"]) == 1
    assert len({row["task.module.optimizer.lr"] for row in rows}) == 2
