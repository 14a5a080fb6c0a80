"""One training run, from plain settings to its best score."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rib.engine.distributed.environment import distributed_env
from rib.engine.distributed.launch import env_of_rendezvous, launch_processes
from rib.engine.finders import find_before_fit, with_findings_kept
from rib.engine.held_out_test import check_test_is_possible, test_on_held_out_data
from rib.engine.manual_steps import hand_over_to_module
from rib.engine.net_to_finetune import SUFFIX, load_net_to_finetune
from rib.engine.quiet import quiet_lightning
from rib.engine.restore import drop_logs_after_checkpoint, finished_run_status, first_start, settle_restore
from rib.engine.run_folder.data_fingerprint import check_same_training_data, data_fingerprint
from rib.engine.run_folder.folder import open_run_folder
from rib.engine.run_folder.status import (
    FAILED,
    FINISHED,
    PREEMPTED,
    PRUNED,
    RUNNING,
    STOPPED,
    RunStatus,
    read_run_status,
    write_run_status,
)
from rib.engine.score import Pruner, RunScore
from rib.engine.settings import TrainSettings
from rib.io.errors import RibError, error_in_one_line, reason_of_error
from rib.io.files.whole import write_errors_in_one_line
from rib.io.plugins import import_plugins
from rib.io.recipe import build_recipe

if TYPE_CHECKING:
    from rib.engine.callbacks.objective import ScoreKeeper
    from rib.engine.distributed.rendezvous import Rendezvous

log = logging.getLogger(__name__)


def fit_in_processes(
    config: TrainSettings, overrides: tuple[str, ...] = (), pruner: Pruner | None = None
) -> RunScore | None:
    """Train what the settings describe, in as many processes as they ask for.

    Args:
        config: Of conf/train.yaml.
        overrides: What a sweep set for this run, for its status.
        pruner: A sweep's, asked at every validation whether the run is to end.

    Returns:
        The validation that `config.optimize` names, for a sweep to judge by, or None where its metric was not
        logged.

    Raises:
        RibError: A mistake in the settings, a checkpoint that does not fit, or a loss that is not finite.
    """
    if distributed_env().rank > 0:  # submitit starts every process of a job with the job's settings
        return _beside_rank_0()
    run_dir = Path(config.run_dir)
    with _refusal_told():
        config = with_findings_kept(config)
        if (done := finished_run_status(config)) is not None:
            _send_home()
            return None if done.score is None else RunScore(done.score, done.step or 0, done.metrics)
        first, chosen = first_start(config), find_before_fit(settle_restore(config))
        open_run_folder(run_dir, replace(chosen, restore=first.restore, ckpt=first.ckpt).plain())
        if chosen.restore == "resume" and chosen.ckpt:
            drop_logs_after_checkpoint(run_dir, Path(chosen.ckpt))
    with (
        _with_status(run_dir, overrides) as outcome,
        write_errors_in_one_line(run_dir),
        launch_processes(chosen) as rendezvous,
    ):
        outcome["keeper"] = keeper = train_in_this_process(chosen, rendezvous, pruner)
    return keeper.score


def train_in_this_process(
    config: TrainSettings, rendezvous: Rendezvous | None = None, pruner: Pruner | None = None
) -> ScoreKeeper:
    """Train in this process, as one of those at the rendezvous.

    Args:
        config: The settings that `fit_in_processes` settled.
        rendezvous: Where the processes of the run meet, or None where this is the only one.
        pruner: See `fit_in_processes`.

    Returns:
        What the run is judged by.
    """
    from rib.engine.callbacks.objective import ScoreKeeper

    keeper = ScoreKeeper(config.optimize, pruner)
    with _failure_reported(rendezvous) as check_others:
        _train(config, rendezvous, check_others, keeper)
    return keeper


def _train(
    config: TrainSettings,
    rendezvous: Rendezvous | None,
    check_others: Callable[[], None],
    keeper: ScoreKeeper,
) -> None:
    quiet_lightning()
    import_plugins(config.plugins)
    from lightning_fabric.utilities.rank_zero import rank_zero_only
    from pytorch_lightning import seed_everything

    from rib.engine.resumable import restoring_errors_in_one_line

    env = env_of_rendezvous(rendezvous)
    rank_zero_only.rank = env.rank  # type: ignore[attr-defined]
    seed_everything(config.seed, workers=True, verbose=False)
    data, module = build_recipe(config.task.data), build_recipe(config.task.module)
    check_test_is_possible(config, module, data)
    check_others()
    _weights_given(module, config)
    check_others()
    log.info("rank %d of %d trains %s", env.rank, env.num_ranks, json.dumps(config.task.module))
    loggers = [build_recipe(recipe) for recipe in _chosen(config.logger)]
    trainer = _trainer(config, module, rendezvous, loggers, keeper)
    failed = True
    try:
        if rendezvous:
            rendezvous.join("gloo" if config.trainer["accelerator"] == "cpu" else "nccl")
        resume = config.ckpt if config.restore == "resume" else None
        with restoring_errors_in_one_line(resume):
            trainer.fit(module, datamodule=data, ckpt_path=resume, weights_only=True)
        if any(getattr(callback, "owes_validation", False) for callback in trainer.callbacks):
            trainer.validate(module, datamodule=data, verbose=False)  # all steps were taken, that was left
        if config.test_after_fit and not keeper.pruned:
            test_on_held_out_data(config, trainer, module, data)
        failed = False
    except SystemExit as stop:
        if isinstance(stop.__context__, KeyboardInterrupt):  # Lightning's way to end
            raise stop.__context__ from None
        raise
    finally:
        if failed:
            for logger in loggers:
                logger.finalize("failed")
        _finish_wandb(failed)
        if rendezvous:
            rendezvous.leave()


def _trainer(
    config: TrainSettings, module: Any, rendezvous: Rendezvous | None, loggers: list[Any], keeper: ScoreKeeper
) -> Any:
    """The trainer, with what every run has."""
    from pytorch_lightning.utilities.exceptions import MisconfigurationException

    from rib.engine.callbacks.epoch_lines import EpochLines
    from rib.engine.checkpoints import AtomicCheckpointIO, DescribeCheckpoint, ResumeStopped
    from rib.engine.distributed.rendezvous import RendezvousClusterEnvironment

    recipe = hand_over_to_module(config.trainer, module)
    if isinstance(recipe.get("strategy"), Mapping):
        recipe["strategy"] = build_recipe(recipe["strategy"])
    lines = bool(recipe.get("enable_progress_bar", True)) and not sys.stderr.isatty()
    quiet = {} if sys.stderr.isatty() else {"enable_progress_bar": False}
    try:
        return build_recipe(
            recipe,
            **quiet,
            callbacks=[
                *(build_recipe(recipe) for recipe in _chosen(config.callbacks)),
                DescribeCheckpoint(
                    {**config.task.plain(), "fingerprint": data_fingerprint(config.task.data)}
                ),
                ResumeStopped(),
                keeper,
                *([EpochLines(keeper)] if lines else []),
            ],
            logger=loggers or False,
            plugins=[AtomicCheckpointIO(), RendezvousClusterEnvironment(env_of_rendezvous(rendezvous))],
            default_root_dir=config.run_dir,
        )
    except (MisconfigurationException, TypeError, ValueError) as error:
        raise RibError(f"trainer: {reason_of_error(error)}", "see rib train --help") from error


def _beside_rank_0() -> RunScore | None:
    from rib.engine.distributed.rendezvous import outside_rendezvous

    rendezvous = outside_rendezvous()
    settings = rendezvous.receive()
    return None if settings is None else train_in_this_process(TrainSettings.of(settings), rendezvous).score


@contextmanager
def _refusal_told() -> Iterator[None]:
    """Let the other ranks of a job hear of it where rank 0 fails before it has settings for them."""
    try:
        yield
    except Exception as error:
        if distributed_env().num_ranks > 1:
            from rib.engine.distributed.rendezvous import outside_rendezvous

            outside_rendezvous().refuse(error)
        raise


def _send_home() -> None:
    """Nothing is left to do in a job of submitit; elsewhere the command says so at its end."""
    env = distributed_env()
    if env.num_ranks > 1 and env.started_by == "submitit":
        from rib.engine.distributed.rendezvous import outside_rendezvous

        outside_rendezvous().close()


@contextmanager
def _failure_reported(rendezvous: Rendezvous | None) -> Iterator[Callable[[], None]]:
    """Tell the other ranks of a failure here; gives what notices theirs while the group does not exist."""
    try:
        yield rendezvous.check if rendezvous else lambda: None
    except Exception as error:
        if rendezvous:
            with suppress(RuntimeError):  # the store is gone with rank 0
                rendezvous.report(error)
        raise


@contextmanager
def _with_status(run_dir: Path, overrides: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Keep status.json true, however the run ends."""
    begun = time.monotonic()

    def note(state: str, **facts: Any) -> None:
        seconds = round(time.monotonic() - begun, 1)
        write_run_status(
            run_dir, RunStatus(state, seconds=seconds, overrides=overrides, pid=os.getpid(), **facts)
        )

    note(RUNNING)
    outcome: dict[str, Any] = {}
    try:
        yield outcome
    except Exception as error:
        if not isinstance(error, RibError):
            log.exception("the run failed")
        note(FAILED, error=error_in_one_line(error))
        raise
    except BaseException:
        status = read_run_status(run_dir)
        if status is None or status.state != PREEMPTED:
            note(STOPPED)
        raise
    keeper: ScoreKeeper = outcome["keeper"]
    score = keeper.score
    facts = {} if score is None else {"score": score.value, "step": score.step, "metrics": score.metrics}
    note(PRUNED if keeper.pruned else FINISHED, **facts)


def _weights_given(module: Any, config: TrainSettings) -> None:
    """Give the module the weights of restore=finetune; hold those of restore=resume against it."""
    from rib.engine.checkpoints import KEY, load_weights_to_finetune, read_checkpoint
    from rib.engine.resumable import check_resumable

    if config.ckpt and config.restore in ("finetune", "resume"):
        path = Path(config.ckpt)
        if config.restore == "finetune" and path.suffix == SUFFIX:
            load_net_to_finetune(module, path)
            return
        take = load_weights_to_finetune if config.restore == "finetune" else check_resumable
        content = read_checkpoint(path)
        take(module, content, path)
        if config.restore == "resume" and isinstance(content.get(KEY), Mapping):
            check_same_training_data(
                content[KEY].get("fingerprint"), data_fingerprint(config.task.data), path
            )


def _chosen(recipes: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """A group's recipes without those set to null on the command line."""
    return [recipe for recipe in (recipes or {}).values() if recipe]


def _finish_wandb(failed: bool) -> None:
    """Close W&B's run: a next trial in this process would otherwise write into it."""
    wandb = sys.modules.get("wandb")
    if wandb is not None and wandb.run is not None:
        wandb.finish(exit_code=1 if failed else 0)
