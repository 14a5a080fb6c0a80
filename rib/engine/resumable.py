"""A checkpoint that a run is to go on from, held against the run before a step is taken."""

from __future__ import annotations

import math
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any

import torch
from pytorch_lightning import LightningModule

from rib.io.errors import RibError, reason_of_error
from rib.io.weights.net_files import check_weights

REMEDY = "name another checkpoint, or type restore=finetune to take its weights alone"
COUNTS = ("wait_count", "stopped_epoch", "patience")
SCORES = ("best_model_score", "current_score", "kth_value", "best_score")
"""What Lightning's callbacks keep as whole numbers, and as numbers or None."""
_PATHS = ("best_model_path", "kth_best_model_path", "last_model_path")


def check_resumable(module: LightningModule, content: dict[str, Any], path: Path) -> None:
    """Hold a checkpoint that a run is to go on from against its module.

    The best checkpoints that it remembers are removed when better ones come: they have to be its run's own.

    Raises:
        RibError: Its weights are those of another net or none at all, what it counted are no counts, or it
            calls a file its own that lies outside its run.
    """
    module.on_load_checkpoint(content)
    check_weights(module.state_dict(), content["state_dict"], path, "name a checkpoint of the same net=")
    _check_counts(content.get("loops"), f"{path}: loops")
    _check_states(content.get("optimizer_states"), path)
    states = content.get("callbacks")
    for state in states.values() if isinstance(states, Mapping) else ():
        if isinstance(state, Mapping):
            _check_callback(state, path)


def _check_callback(state: Mapping[Any, Any], path: Path) -> None:
    best = state.get("best_k_models")
    models = best if isinstance(best, Mapping) else {}
    for name in COUNTS:
        _check_counts(state.get(name), f"{path}: {name}")
    for score in (*(state.get(name) for name in SCORES), *models.values()):
        if score is not None and not _is_number(score):
            raise RibError(f"{path} holds a score that is no number", REMEDY)
    if "dirpath" not in state:
        return
    for named in (*models, *(state.get(key) for key in _PATHS)):
        if named and Path(str(named)).parent != Path(str(state["dirpath"])):
            raise RibError(
                f"{path} calls {named} one of its own checkpoints, outside its run's folder", REMEDY
            )


def _check_states(optimizers: Any, path: Path) -> None:
    """What optimizers keep of each weight is numbers and tensors of numbers, before one takes them over."""
    for optimizer in optimizers if isinstance(optimizers, Sequence) else ():
        states = optimizer.get("state") if isinstance(optimizer, Mapping) else None
        for state in states.values() if isinstance(states, Mapping) else ():
            for value in state.values() if isinstance(state, Mapping) else ["none"]:
                is_tensor = isinstance(value, torch.Tensor) and not value.is_complex()
                if not (is_tensor or value is None or isinstance(value, int | float)):
                    raise RibError(f"{path}: an optimizer's state is no tensor of numbers", REMEDY)


def _check_counts(found: Any, place: str) -> None:
    if isinstance(found, Mapping):
        for name, value in found.items():
            _check_counts(value, f"{place}.{str(name)[:80]}")
    elif not (found is None or (isinstance(found, int) and 0 <= found < 2**53)):
        raise RibError(f"{place} is no count", REMEDY)


def _is_number(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return value.numel() == 1 and not value.is_complex()
    return isinstance(value, int | float)


def check_restored_optimizers(optimizers: Sequence[torch.optim.Optimizer], path: str) -> None:
    """Hold what optimizers took over from a checkpoint against their parameters and settings.

    Raises:
        RibError: A tensor has another shape than its parameter or holds what is no number; a setting is of
            another kind than the optimizer's own.
    """
    for optimizer in optimizers:
        for parameter, state in optimizer.state.items():
            if not isinstance(parameter, torch.Tensor) or not isinstance(state, Mapping):
                raise RibError(f"{path}: the optimizer's state belongs to no weight", REMEDY)
            for name, value in state.items():
                _check_state(value, parameter, f"{path}: the optimizer's {str(name)[:80]}")
        for group in optimizer.param_groups:
            for name, default in optimizer.defaults.items():
                if not _same_kind(group.get(name), default):
                    raise RibError(f"{path}: the optimizer's {name} is no setting of it", REMEDY)


def _check_state(value: Any, parameter: torch.Tensor, title: str) -> None:
    if not isinstance(value, torch.Tensor):
        return
    if value.numel() != 1 and value.shape != parameter.shape:
        raise RibError(
            f"{title} is {tuple(value.shape)}, but its weight has {tuple(parameter.shape)}", REMEDY
        )
    if value.is_complex() or not bool(value.isfinite().all()):
        raise RibError(f"{title} holds what is no number", REMEDY)


def _same_kind(value: Any, default: Any) -> bool:
    if isinstance(default, tuple):
        is_tuple = isinstance(value, Sequence) and len(value) == len(default)
        return is_tuple and all(_same_kind(*pair) for pair in zip(value, default, strict=True))
    if default is None or isinstance(default, bool | str):
        return isinstance(value, bool if isinstance(default, bool) else bool | str | int | float | None)
    return _is_number(value) and not isinstance(value, bool) and math.isfinite(value)


@contextmanager
def restoring_errors_in_one_line(path: str | None) -> Iterator[None]:
    """Tell what Lightning raises while it takes a checkpoint's state over as the checkpoint's fault.

    Args:
        path: The checkpoint that a run goes on from, or None where it begins.

    Raises:
        RibError: Loops, optimizers, schedules or callbacks do not take what the file holds for them, or an
            optimizer cannot take a step with it.
    """
    try:
        yield
    except RibError:
        raise
    except Exception as error:
        if path is None or not _is_about_state([f.f_code for f, _ in traceback.walk_tb(error.__traceback__)]):
            raise
        told = f"{path} holds no state that a run can go on from ({reason_of_error(error)})"
        raise RibError(told, REMEDY) from error


def _is_about_state(calls: Sequence[CodeType]) -> bool:
    """Whether an error came from taking a state over, or from an optimizer that cannot use its own."""
    for code in reversed(calls):
        if "/torch/optim/" in code.co_filename:
            return True
        if "lightning" in code.co_filename or "/rib/" in code.co_filename:
            break
    return any(
        code.co_filename.endswith("checkpoint_connector.py") and "restore" in code.co_name for code in calls
    )
