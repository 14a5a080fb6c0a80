from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rib.engine.checkpoints import load_checkpoint_module, read_checkpoint
from rib.engine.fit import fit_in_processes
from rib.engine.loggers.csv_logger import read_metrics
from rib.engine.run_folder.status import RunStatus, write_run_status
from rib.io.errors import RibError

Settings = Callable[..., dict[str, Any]]


def losses(run: Path) -> list[tuple[int, float]]:
    return read_metrics(run / "metrics.csv")["train/loss"]


def assert_same(a: Any, b: Any, where: str = "") -> None:
    """Two nested containers of tensors and numbers are equal to the last bit."""
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            assert_same(a[key], b[key], f"{where}/{key}")
    elif isinstance(a, list | tuple):
        assert len(a) == len(b), where
        for index, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{where}/{index}")
    elif isinstance(a, torch.Tensor):
        assert torch.equal(a, b), where
    else:
        assert a == b, where


def dies_at(step: int, mark: Path, validation: bool = False) -> str:
    """Make a run fail once, in this step or in the validation after it."""
    given = f"step: {step}, mark: {mark}, validation: {validation}"
    return f"+callbacks.fault={{_target_: faults.Fails, {given}}}"


@pytest.mark.slow
@pytest.mark.parametrize("how", ["killed", "out of time"])
@pytest.mark.parametrize(("stop", "workers"), [(2, 0), (4, 0), (3, 2)])
def test_a_resumed_run_goes_on_exactly(
    settings: Settings, tmp_path: Path, how: str, stop: int, workers: int
) -> None:
    """Inside an epoch of four steps, and between two."""
    workers_too = f"task.data.num_workers={workers}"
    fit_in_processes(settings("whole", "trainer.max_steps=6"))
    if how == "killed":
        with pytest.raises(OSError, match="went away"):
            fit_in_processes(settings("parts", workers_too, dies_at(stop, tmp_path / "died")))
    else:
        fit_in_processes(settings("parts", f"trainer.max_steps={stop}", workers_too))
    last = tmp_path / "parts" / "checkpoints" / "last.ckpt"
    fit_in_processes(settings("parts", "trainer.max_steps=6", "restore=resume", f"ckpt={last}", workers_too))
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    whole, parts = (
        read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt") for name in ("whole", "parts")
    )
    for key in ("state_dict", "optimizer_states", "lr_schedulers", "global_step"):
        assert_same(whole[key], parts[key], key)


@pytest.mark.slow
@pytest.mark.parametrize("step", [4, 8])
def test_a_validation_that_a_kill_cut_off_is_made_when_the_run_goes_on(
    settings: Settings, tmp_path: Path, step: int
) -> None:
    """At the end of the first epoch, and of the run; the step's own checkpoint was written before."""
    score = fit_in_processes(settings("whole"))
    with pytest.raises(OSError, match="went away"):
        fit_in_processes(settings("parts", dies_at(step, tmp_path / "died", validation=True)))
    for _ in range(2):  # where it ended before, nothing is done twice
        again = fit_in_processes(settings("parts", "restore=continue"))
        assert again is not None
        assert score is not None
        assert (again.value, again.step) == (score.value, score.step)
        logged = [read_metrics(tmp_path / name / "metrics.csv") for name in ("parts", "whole")]
        assert logged[0]["val/ratio"] == logged[1]["val/ratio"]
        assert len(logged[0]["val/ratio"]) == 2
        assert logged[0]["train/loss"] == logged[1]["train/loss"]


@pytest.mark.slow
@pytest.mark.filterwarnings("error:The dirpath has changed")
def test_going_on_in_another_folder_warns_of_nothing(settings: Settings, tmp_path: Path) -> None:
    fit_in_processes(settings("first", "trainer.max_steps=1"))
    last = tmp_path / "first" / "checkpoints" / "last.ckpt"
    fit_in_processes(settings("second", "trainer.max_steps=2", "restore=resume", f"ckpt={last}"))
    assert read_checkpoint(tmp_path / "second" / "checkpoints" / "last.ckpt")["global_step"] == 2


@pytest.mark.slow
def test_the_time_limit_counts_anew_in_a_resumed_run(settings: Settings, tmp_path: Path) -> None:
    limit = "trainer.max_time='00:01:00:00'"
    fit_in_processes(settings("run", limit, "trainer.max_steps=1"))
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    content = read_checkpoint(last)
    content["callbacks"]["Timer"]["time_elapsed"]["train"] = 1e6
    torch.save(content, last)
    fit_in_processes(settings("run", limit, "trainer.max_steps=3", "restore=resume", f"ckpt={last}"))
    assert read_checkpoint(last)["global_step"] == 3


@pytest.mark.slow
def test_the_same_seed_gives_the_same_losses_and_another_one_others(
    settings: Settings, tmp_path: Path
) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        fit_in_processes(settings(name, "trainer.max_steps=3", f"seed={seed}"))
    assert losses(tmp_path / "a") == losses(tmp_path / "b")
    assert losses(tmp_path / "a") != losses(tmp_path / "c")


@pytest.mark.slow
def test_validation_sees_the_same_batches_in_every_epoch(settings: Settings, tmp_path: Path) -> None:
    fit_in_processes(settings("run", "task.module.optimizer.lr=0", "task.module.ema_decay=0"))
    seen = [value for _, value in read_metrics(tmp_path / "run" / "metrics.csv")["val/clean_r4_px"]]
    assert len(seen) == 2
    assert seen[0] == seen[1]


@pytest.mark.slow
def test_the_last_checkpoint_is_the_last_even_if_none_was_better_for_long(
    settings: Settings, tmp_path: Path
) -> None:
    settled = ("task.module.optimizer.lr=0", "task.module.ema_decay=0", "trainer.max_epochs=4")
    fit_in_processes(settings("run", *settled, "~callbacks.last.every_n_train_steps"))
    kept = {p.name: read_checkpoint(p)["global_step"] for p in (tmp_path / "run/checkpoints").iterdir()}
    assert kept.pop("last.ckpt") == 16
    assert 16 not in kept.values()


ENDS = {
    "trainer.max_steps=6": (6, 5),
    "trainer.max_steps=3": (3, 2),
    "trainer.max_epochs=3 trainer.check_val_every_n_epoch=2": (12, 7),
    "trainer.limit_val_batches=0": (8, None),
}
"""Ends of a run of epochs of four steps: steps that it takes, and where its last validation is logged."""


@pytest.mark.slow
@pytest.mark.parametrize("end", ENDS)
def test_the_last_step_is_kept_wherever_in_an_epoch_a_run_ends(
    settings: Settings, tmp_path: Path, end: str
) -> None:
    fit_in_processes(settings("run", *end.split(), "~callbacks.last.every_n_train_steps"))
    steps, validated = ENDS[end]
    assert read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")["global_step"] == steps
    logged = read_metrics(tmp_path / "run" / "metrics.csv").get("val/ratio", [(None, 0.0)])
    assert logged[-1][0] == validated


@pytest.mark.slow
def test_a_run_that_max_steps_ended_within_an_epoch_goes_on_as_if_it_had_not(
    settings: Settings, tmp_path: Path
) -> None:
    seldom = "~callbacks.last.every_n_train_steps"
    fit_in_processes(settings("whole", seldom))
    fit_in_processes(settings("parts", seldom, "trainer.max_steps=6"))
    fit_in_processes(settings("parts", seldom, "restore=continue"))
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")


@pytest.mark.slow
def test_a_finetuned_run_that_was_cut_off_early_begins_from_its_weights_again(
    settings: Settings, tmp_path: Path
) -> None:
    fit_in_processes(settings("first", "trainer.max_steps=3"))
    weights = ("restore=finetune", f"ckpt={tmp_path / 'first' / 'checkpoints' / 'last.ckpt'}")
    seldom = ("~callbacks.last.every_n_train_steps", "trainer.max_steps=3")
    fit_in_processes(settings("straight", *weights, *seldom))
    with pytest.raises(OSError, match="went away"):
        fit_in_processes(settings("parts", *weights, *seldom, dies_at(1, tmp_path / "died")))
    fit_in_processes(settings("parts", "restore=continue", *seldom))
    assert losses(tmp_path / "parts")[-3:] == losses(tmp_path / "straight")
    assert json.loads((tmp_path / "parts" / "config.json").read_text())["restore"] == "finetune"


@pytest.mark.slow
def test_a_run_leaves_what_is_needed_to_repeat_it(settings: Settings, tmp_path: Path) -> None:
    fit_in_processes(settings("run", "trainer.max_steps=1"))
    run = tmp_path / "run"
    assert {"config.json", "versions.json", "metrics.csv", "checkpoints"} <= {p.name for p in run.iterdir()}
    assert json.loads((run / "config.json").read_text())["seed"] == 1
    module = load_checkpoint_module(
        run / "checkpoints" / "last.ckpt", "rib.motion.training.module.MotionModule"
    )
    assert not module.training


@pytest.mark.slow
def test_finetuning_starts_from_the_weights_and_counts_anew(settings: Settings, tmp_path: Path) -> None:
    fit_in_processes(settings("first", "trainer.max_steps=3"))
    last = tmp_path / "first" / "checkpoints" / "last.ckpt"
    still = ("task.module.optimizer.lr=0", "trainer.max_steps=1")
    fit_in_processes(settings("second", "restore=finetune", f"ckpt={last}", *still))
    given, found = read_checkpoint(last), read_checkpoint(tmp_path / "second" / "checkpoints" / "last.ckpt")
    assert found["global_step"] == 1
    for name, tensor in given["state_dict"].items():
        if name.startswith("net."):
            torch.testing.assert_close(found["state_dict"][name], tensor, atol=1e-6, rtol=0)


MISTAKES = {
    "restore=resume": "restore=resume needs a checkpoint",
    "restore=again": "expected one of fresh, resume, finetune, continue",
    "ckpt=x.ckpt": "was given with restore=fresh",
    "restore=continue ckpt=absent.ckpt": "absent.ckpt does not exist",
    "restore=resume ckpt=absent.ckpt": "absent.ckpt does not exist",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_about_restoring_is_told_before_anything_is_written(
    settings: Settings, tmp_path: Path, line: str
) -> None:
    with pytest.raises(RibError, match=MISTAKES[line]):
        fit_in_processes(settings("run", *line.split()))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("restore", ["fresh", "finetune"])
def test_a_folder_that_holds_a_run_is_no_place_for_a_new_one(
    settings: Settings, tmp_path: Path, restore: str
) -> None:
    write_run_status(tmp_path / "run", RunStatus("finished"))
    given = () if restore == "fresh" else ("ckpt=x.ckpt",)
    with pytest.raises(RibError, match="already holds a run; type restore=continue"):
        fit_in_processes(settings("run", f"restore={restore}", *given))
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["status.json"]


@pytest.mark.slow
def test_weights_of_another_net_are_refused_in_one_line(settings: Settings, tmp_path: Path) -> None:
    fit_in_processes(settings("first", "trainer.max_steps=1"))
    last = tmp_path / "first" / "checkpoints" / "last.ckpt"
    with pytest.raises(RibError, match="name a checkpoint of the same net="):
        fit_in_processes(settings("second", "restore=finetune", f"ckpt={last}", "net.width=12"))
