"""One training run, from plain settings to its best score."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rib.engine.checkpoints import (
    DescribeCheckpoint,
    ResumeStopped,
    WholeCheckpointIO,
    load_weights,
    read_checkpoint,
)
from rib.engine.run_folder import open_run_folder
from rib.errors import RibError
from rib.recipe import build

RESTORE = ("fresh", "resume", "finetune")


def fit(config: dict[str, Any]) -> float | None:
    """Train what the settings describe.

    Args:
        config: conf/train.yaml, composed to a plain dict: recipes `task.module`, `task.data` and `trainer`,
            dicts of recipes `callbacks` and `logger`, and `seed`, `restore`, `ckpt`, `run_dir`, `monitor`.

    Returns:
        The last value of `config["monitor"]`, for a sweep to judge by, or None where it was not logged.

    Raises:
        RibError: A mistake in the settings, a checkpoint that does not fit, or a loss that is not finite.
    """
    ckpt = _restored_from(config)
    run_dir = Path(config["run_dir"])
    open_run_folder(run_dir, config)
    _quiet()

    from pytorch_lightning import seed_everything

    seed_everything(config["seed"], workers=True, verbose=False)
    data, module = build(config["task"]["data"]), build(config["task"]["module"])
    if config["restore"] == "finetune":
        assert ckpt is not None
        load_weights(module, read_checkpoint(ckpt), ckpt)
    loggers = [build(recipe) for recipe in _chosen(config["logger"])]
    quiet = {} if sys.stderr.isatty() else {"enable_progress_bar": False}
    trainer = build(
        clipping_handed_over(config["trainer"], module),
        **quiet,
        callbacks=[
            *(build(recipe) for recipe in _chosen(config["callbacks"])),
            DescribeCheckpoint(config["task"]),
            ResumeStopped(),
        ],
        logger=loggers or False,
        plugins=[WholeCheckpointIO()],
        default_root_dir=run_dir,
    )
    try:
        resume = str(ckpt) if config["restore"] == "resume" else None
        trainer.fit(module, datamodule=data, ckpt_path=resume, weights_only=True)
    except Exception as error:
        for logger in loggers:
            logger.finalize("failed")
        raise error
    finally:
        _finish_wandb()
    score = trainer.callback_metrics.get(config["monitor"])
    return None if score is None else float(score)


def _restored_from(config: Mapping[str, Any]) -> Path | None:
    """The checkpoint that `restore=` needs.

    Raises:
        RibError: It is missing, was given without need, or `restore` is no such word.
    """
    restore, ckpt = config["restore"], config["ckpt"]
    if restore not in RESTORE:
        raise RibError(f"restore={restore}: there is no such way", f"choose one of: {', '.join(RESTORE)}")
    if restore == "fresh":
        if ckpt is not None:
            raise RibError(
                f"ckpt={ckpt} was given with restore=fresh", "type restore=resume or restore=finetune"
            )
        return None
    if ckpt is None:
        raise RibError(f"restore={restore} needs a checkpoint", "type ckpt=PATH of a .ckpt file")
    path = Path(ckpt).expanduser().absolute()
    read_checkpoint(path)
    return path


def clipping_handed_over(trainer: Mapping[str, Any], module: Any) -> dict[str, Any]:
    """The trainer's recipe; a module that steps by hand gets its gradient_clip_val as `clip_norm`.

    Lightning refuses to clip for such a module, and the setting shall have one name for all tasks.
    """
    if getattr(module, "automatic_optimization", True):
        return dict(trainer)
    module.clip_norm = trainer.get("gradient_clip_val")
    return {**trainer, "gradient_clip_val": None}


def _chosen(recipes: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """A group's recipes without those set to null on the command line."""
    return [recipe for recipe in (recipes or {}).values() if recipe]


def _quiet() -> None:
    """Keep Lightning's advertisements and our own deliberate choices out of the terminal."""
    for name in ("pytorch_lightning.utilities.rank_zero", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings(
        "ignore", message=".*in eval mode at the start of training.*"
    )  # the averaged weights
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    # the weights after a step are the ones that are wanted
    warnings.filterwarnings("ignore", message=".*ModelCheckpoint with manual optimization.*")
    # a resumed run goes on in its folder
    warnings.filterwarnings("ignore", message=".*exists and is not empty.*")
    # our samplers go on where the checkpoint stopped (rib.epochs.EpochSampler)
    warnings.filterwarnings("ignore", message=".*your dataloader is not resumable.*")
    os.environ.setdefault("WANDB_SILENT", "true")


def _finish_wandb() -> None:
    """Close W&B's run: a next trial in this process would otherwise write into it."""
    wandb = sys.modules.get("wandb")
    if wandb is not None and wandb.run is not None:
        wandb.finish()
