"""A test when all steps are taken: the run's best checkpoint on data that neither trained nor chose it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rib.engine.settings import TrainSettings
from rib.io.errors import RibError


def check_test_is_possible(config: TrainSettings, module: Any, data: Any) -> None:
    """Refuse a test for which nothing is held out, before any step is taken.

    Raises:
        RibError: The task has no test, or its data holds nothing out.
    """
    import pytorch_lightning as pl

    if not config.test_after_fit:
        return
    lacks_step = type(module).test_step is pl.LightningModule.test_step
    if lacks_step or type(data).test_dataloader is pl.LightningDataModule.test_dataloader:
        which = type(module).__name__ if lacks_step else type(data).__name__
        raise RibError(f"{which} has no test beside its validation", "leave preset=test out")
    if not getattr(data, "held_out", True):
        raise RibError("nothing is held out to test on", "type task.data.held_out=[...]")


def test_on_held_out_data(config: TrainSettings, trainer: Any, module: Any, data: Any) -> None:
    """Score the best checkpoint on `test_dataloader`, log it as test/... and tell it."""
    from rib.engine.checkpoints import load_checkpoint_weights, read_checkpoint

    best = next(
        (
            callback.best_model_path
            for callback in trainer.checkpoint_callbacks
            if getattr(callback, "monitor", None) == config.optimize.metric and callback.best_model_path
        ),
        "",
    )
    if best:
        load_checkpoint_weights(module, read_checkpoint(Path(best)), Path(best))
    found = trainer.test(module, datamodule=data, verbose=False)
    if trainer.is_global_zero:
        numbers = {name: value for one in found for name, value in one.items()}
        told = ", ".join(f"{name} {value:.4g}" for name, value in sorted(numbers.items()))
        print(f"held-out data, {Path(best).name if best else 'the last weights'}: {told}", flush=True)
