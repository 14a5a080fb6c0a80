"""A short training of the run's own net and data that leaves nothing behind."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from typing import Any

from rib.engine.manual_steps import hand_over_to_module
from rib.engine.quiet import quiet_lightning
from rib.engine.settings import TrainSettings
from rib.io.plugins import import_plugins
from rib.io.recipe import build_recipe

ONE_PROCESS: dict[str, Any] = {
    "devices": 1, "num_nodes": 1, "max_epochs": -1, "max_time": None, "limit_train_batches": 1.0,
    "limit_val_batches": 0, "num_sanity_val_steps": 0, "log_every_n_steps": 1, "enable_progress_bar": False,
    "enable_model_summary": False, "enable_checkpointing": False, "logger": False, "fast_dev_run": False,
}  # fmt: skip


def train_for_trial(
    config: TrainSettings, num_steps: int, callbacks: list[Any], data: Mapping[str, Any] | None = None
) -> None:
    """Train in this process from fresh weights, without validation, logs or checkpoints.

    Args:
        config: The run's settings; its seed draws the weights.
        num_steps: Steps at the most.
        callbacks: What watches.
        data: Recipe of the data, or None for the run's.

    Raises:
        RibError: See `rib.engine.fit`.
        RuntimeError: Among others where the device's memory is too small.
    """
    quiet_lightning()
    import_plugins(config.plugins)
    from pytorch_lightning import seed_everything

    seed_everything(config.seed, workers=True, verbose=False)
    module = build_recipe(config.task.module)
    recipe = {key: value for key, value in config.trainer.items() if key != "strategy"}
    recipe = hand_over_to_module({**recipe, **ONE_PROCESS, "max_steps": num_steps}, module)
    with tempfile.TemporaryDirectory() as folder:
        trainer = build_recipe(recipe, callbacks=callbacks, default_root_dir=folder)
        trainer.fit(module, datamodule=build_recipe(data or config.task.data))
