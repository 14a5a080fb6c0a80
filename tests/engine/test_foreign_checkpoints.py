"""Checkpoints that a run cannot go on from: of another task or net, damaged, or written to do harm."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_runs import TINY

from rib.config.compose import compose
from rib.engine.checkpoints import KEY, load_checkpoint_weights, read_checkpoint
from rib.engine.restore import LAST, settle_restore
from rib.engine.resumable import check_restored_optimizers, check_resumable, restoring_errors_in_one_line
from rib.engine.settings import TrainSettings
from rib.io.errors import RibError
from rib.io.recipe import build_recipe

Content = dict[str, Any]
Change = Callable[[Content], Any]


@pytest.fixture(scope="module")
def run() -> tuple[TrainSettings, Any]:
    """Settings of a run, and its module."""
    config = compose("train", *TINY)
    return config, build_recipe(config.task.module)


@pytest.fixture
def content(run: tuple[TrainSettings, Any]) -> Content:
    """What a checkpoint of that run holds."""
    config, module = run
    kept = {"dirpath": "/runs/a/checkpoints", "best_model_path": "/runs/a/checkpoints/step=1.ckpt",
            "best_k_models": {"/runs/a/checkpoints/step=1.ckpt": torch.tensor(1.0)}, "last_model_path": "",
            "kth_best_model_path": "", "best_model_score": torch.tensor(1.0)}  # fmt: skip
    return {
        "state_dict": dict(module.state_dict()), "global_step": 3, "loops": {"fit_loop": {"ready": 3}},
        KEY: {"module": {"_target_": config.task.module["_target_"]}},
        "callbacks": {"ModelCheckpoint": kept, "StopEarly": {"wait_count": 1, "best_score": 2.0}},
    }  # fmt: skip


def changed(place: str, value: Any) -> Change:
    """Put a value at a dotted place, or take what is there away."""

    def change(content: Content) -> Content:
        *path, name = place.split("/")
        for key in path:
            content = content[key]
        content.pop(name) if value is None else content.update({name: value})
        return content

    return change


def weights(change: Callable[[torch.Tensor], Any]) -> Change:
    def all_of_them(content: Content) -> None:
        state = content["state_dict"]
        state.update({name: change(w) for name, w in state.items() if w.is_floating_point()})

    return all_of_them


BEST = "callbacks/ModelCheckpoint"
WRONG: dict[str, tuple[Change, str]] = {
    "another task": (changed(f"{KEY}/module/_target_", "rib.render.training.module.RendererModule"), "train"),
    "a command": (changed(f"{KEY}/module/_target_", "os.system"), "is a checkpoint of os.system"),
    "no step": (changed("global_step", None), "at which step"),
    "no weights": (changed("state_dict", None), "holds no state_dict"),
    "a weight less": (lambda c: c["state_dict"].pop(sorted(c["state_dict"])[0]), "lacks"),
    "a weight more": (changed("state_dict/x", torch.zeros(1)), "has, but this net does not, x"),
    "nan": (weights(lambda w: w * float("nan")), "holds nan"),
    "1e30": (weights(lambda w: w + 1e30), "holds 1e.30"),
    "integers": (weights(lambda w: w.long()), "is int64"),
    "words": (weights(lambda w: "x"), "no tensor with numbers"),
}  # fmt: skip
RESUMED: dict[str, tuple[Change, str]] = {
    "another's file as its best": (changed(f"{BEST}/best_model_path", "/home/thesis.ckpt"), "outside its"),
    "another's file among its best": (changed(f"{BEST}/best_k_models", {"/etc/passwd": 1.0}), "outside its"),
    "a way out of its folder": (
        changed(f"{BEST}/kth_best_model_path", "/runs/a/checkpoints/../../b/last.ckpt"), "outside its run",
    ),
    "a score in words": (changed(f"{BEST}/best_model_score", "good"), "no number"),
    "a complex score": (changed("callbacks/StopEarly/best_score", torch.tensor(1j)), "no number"),
    "patience in words": (changed("callbacks/StopEarly/wait_count", "x"), "wait_count is no count"),
    "an optimizer's words": (changed("optimizer_states", [{"state": {0: {"exp_avg": "x"}}}]), "no tensor"),
    "an optimizer's complex numbers": (
        changed("optimizer_states", [{"state": {0: torch.zeros(2, dtype=torch.complex64)}}]), "no tensor",
    ),
    "steps below zero": (changed("loops/fit_loop/ready", -1), "loops.fit_loop.ready is no count"),
    "steps beyond all": (changed("loops/fit_loop/ready", 10**30), "is no count"),
    "steps in words": (changed("loops", "x"), "loops is no count"),
}  # fmt: skip


def begin(run: tuple[TrainSettings, Any], restore: str, path: Path) -> None:
    """What is looked at before a run goes on."""
    config, module = run
    config = settle_restore(TrainSettings.of({**config.plain(), "restore": restore, "ckpt": str(path)}))
    take = check_resumable if config.restore == "resume" else load_checkpoint_weights
    take(module, read_checkpoint(path), path)


@pytest.mark.parametrize("restore", ["resume", "finetune"])
def test_a_checkpoint_of_the_run_is_taken(
    run: tuple[TrainSettings, Any], content: Content, tmp_path: Path, restore: str
) -> None:
    torch.save(content, tmp_path / "a.ckpt")
    begin(run, restore, tmp_path / "a.ckpt")


@pytest.mark.parametrize(
    ("case", "restore"),
    [*((c, r) for c in WRONG for r in ("resume", "finetune")), *((c, "resume") for c in RESUMED)],
)
def test_what_a_run_cannot_go_on_from_is_told_in_one_line(
    run: tuple[TrainSettings, Any], content: Content, tmp_path: Path, case: str, restore: str
) -> None:
    change, says = {**WRONG, **RESUMED}[case]
    change(content)
    torch.save(content, tmp_path / "a.ckpt")
    with pytest.raises(RibError, match=says) as error:
        begin(run, restore, tmp_path / "a.ckpt")
    assert str(tmp_path / "a.ckpt") in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("restore", ["resume", "finetune"])
def test_what_is_no_checkpoint_is_told_in_one_line(
    run: tuple[TrainSettings, Any], content: Content, tmp_path: Path, restore: str
) -> None:
    torch.save(content, tmp_path / "whole.ckpt")
    whole = (tmp_path / "whole.ckpt").read_bytes()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    for name, damaged in {
        "half": whole[: len(whole) // 2],
        "empty": b"",
        "text": b"[1]",
        "zip": b"PK\3\4",
    }.items():
        (tmp_path / name).write_bytes(damaged)
    for name in ("folder", "fifo", "half", "empty", "text", "zip", "absent"):
        with pytest.raises(RibError, match=f"{name}.*(cannot be read|does not exist)") as error:
            begin(run, restore, tmp_path / name)
        assert "weights_only" not in str(error.value)


def test_a_run_whose_own_last_checkpoint_is_damaged_says_how_to_go_on(
    run: tuple[TrainSettings, Any], tmp_path: Path
) -> None:
    (tmp_path / LAST).parent.mkdir()
    (tmp_path / LAST).write_bytes(b"PK\3\4 but not for long")
    config = TrainSettings.of({**run[0].plain(), "restore": "continue", "run_dir": str(tmp_path)})
    with pytest.raises(RibError, match=r"last\.ckpt cannot be read.*another of .*checkpoints, or remove it"):
        settle_restore(config)


def test_what_an_optimizer_takes_over_is_held_against_its_weights() -> None:
    weight = torch.nn.Parameter(torch.zeros(3, 2))

    def restored(**state: Any) -> torch.optim.Optimizer:
        optimizer = torch.optim.AdamW([weight])
        own = {"step": torch.tensor(1.0), "exp_avg": torch.zeros(3, 2), "exp_avg_sq": torch.zeros(3, 2)}
        optimizer.state[weight] = {**own, **{k: v for k, v in state.items() if k in own}}
        optimizer.param_groups[0].update({k: v for k, v in state.items() if k not in own})
        return optimizer

    check_restored_optimizers([restored()], "a.ckpt")
    for state, says in (
        ({"exp_avg": torch.zeros(3)}, r"exp_avg is \(3,\), but its weight has \(3, 2\)"),
        ({"exp_avg": torch.full((3, 2), float("nan"))}, "exp_avg holds what is no number"),
        ({"exp_avg": torch.tensor(1j)}, "exp_avg holds what is no number"),
        ({"lr": "x"}, "lr is no setting"), ({"betas": (0.9,)}, "betas is no setting"),
        ({"eps": float("inf")}, "eps is no setting"), ({"amsgrad": "yes"}, "amsgrad is no setting"),
    ):  # fmt: skip
        with pytest.raises(RibError, match=says):
            check_restored_optimizers([restored(**state)], "a.ckpt")


def test_only_what_is_raised_while_a_state_is_taken_over_is_the_checkpoints_fault() -> None:
    with pytest.raises(KeyError), restoring_errors_in_one_line("a.ckpt"):
        {}["x"]
