"""Checkpoints: written whole or not at all, read without running anything in them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, cast

import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from rib.engine.resumable import check_restored_optimizers
from rib.engine.run_folder.data_fingerprint import describe_data_fingerprint
from rib.io.errors import RibError
from rib.io.files.streams import write_stream_whole
from rib.io.recipe import build_recipe_from_file
from rib.io.registry import REGISTRY
from rib.io.weights.net_files import check_weights, read_torch_file

FORMAT = 1
KEY = "rib"
"""Where in a checkpoint its own description lies."""
DUE = "validation_due"
"""In that description: the step that was taken last has yet to be validated."""
DISCRIMINATORS = ("discriminators.", "discriminator.")
"""Beginnings of names of weights that are of use in their own training alone."""
log = logging.getLogger(__name__)


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes under a temporary name and renames: a run that is killed leaves the last whole checkpoint."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """See `torch.save`; `storage_options` is not used."""
        with write_stream_whole(Path(path)) as stream:
            torch.save(checkpoint, cast(IO[bytes], stream))

    def load_checkpoint(
        self, path: Any, map_location: Any = "cpu", weights_only: bool | None = True
    ) -> dict[str, Any]:
        """Tensors and plain containers only, whatever was asked for."""
        return read_checkpoint(Path(path), map_location)


class DescribeCheckpoint(Callback):
    """Puts the recipes into every checkpoint, so that the file alone is enough to build the module again.

    Args:
        recipes: Plain dicts: `module` builds the module, `data` the data it was trained on.
    """

    def __init__(self, recipes: Mapping[str, Any]) -> None:
        self.recipes = dict(recipes)

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the description, and whether the step that was taken last has yet to be validated."""
        due = {DUE: True} if validation_is_due(trainer) else {}
        checkpoint[KEY] = {"format": FORMAT, **self.recipes, **due}


def validation_is_due(trainer: Trainer) -> bool:
    """Whether a checkpoint that is written now lies between a step and the validation that follows it."""
    loop = trainer.fit_loop.epoch_loop
    batches, fetcher = loop.batch_progress.current, trainer.fit_loop._data_fetcher
    within_step = batches.completed < batches.processed  # type: ignore[attr-defined]
    return within_step and fetcher is not None and loop._should_check_val_fx(fetcher)


class ResumeStopped(Callback):
    """Lets a run go on where it was when it is resumed, wherever it was stopped.

    Lightning saves an epoch that `max_steps` or `max_time` stopped as done, and the resumed run would leave
    out the rest of its batches; it goes on counting the time of the first run, so that the second would stop
    at once; and it takes a validation that had yet to come for one that was made. Steps that `max_steps` ends
    before an epoch does, and steps that no validation follows, it neither validates nor saves.
    """

    def __init__(self) -> None:
        self.owes_validation = False
        self._saved_step: int | None = None

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Have the last of `max_steps` validated, as Lightning does when `max_time` is over."""
        if 0 <= trainer.max_steps <= trainer.global_step:
            trainer.should_stop = True

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Note the step that is saved."""
        self._saved_step = trainer.global_step

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save the last step where no validation had it saved."""
        folder = getattr(trainer.checkpoint_callback, "dirpath", None)
        dry = trainer.fast_dev_run  # type: ignore[attr-defined]
        if folder and not dry and self._saved_step != trainer.global_step:
            trainer.save_checkpoint(Path(folder) / "last.ckpt", weights_only=False)

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Take the unfinished epoch's mark back, let `max_time` count anew, note a validation that is due."""
        described = checkpoint.get(KEY)
        self.owes_validation = isinstance(described, Mapping) and described.get(DUE) is True
        for name in [key for key in checkpoint.get("callbacks", {}) if key.startswith("Timer")]:
            del checkpoint["callbacks"][name]
        loop = checkpoint["loops"]["fit_loop"]
        batches, epochs = loop["epoch_loop.batch_progress"], loop["epoch_progress"]
        stopped = not batches["is_last_batch"] and batches["current"]["processed"] > 0
        if stopped and epochs["current"]["processed"] == epochs["current"]["started"]:
            for span in ("current", "total"):
                epochs[span]["processed"] = epochs[span]["completed"] = epochs[span]["started"] - 1
        if stopped and batches["current"]["completed"] == batches["current"]["processed"]:
            # saved in a validation within an epoch, before Lightning counts the step that it tells loggers
            loop["epoch_loop.state_dict"]["_batches_that_stepped"] = checkpoint["global_step"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Hold what the optimizers took over against their parameters, and validate where that is due."""
        if trainer.ckpt_path is not None:
            check_restored_optimizers(trainer.optimizers, str(trainer.ckpt_path))
        if self.owes_validation:
            self.owes_validation = False
            loop = trainer.fit_loop.epoch_loop.val_loop
            trainer.validating, loop.restarting = True, False
            loop.run()
            trainer.training = True


def read_checkpoint(path: Path, map_location: Any = "cpu") -> dict[str, Any]:
    """A checkpoint's content.

    Raises:
        RibError: There is no such file, or it holds something else than tensors and plain containers.
    """
    if not path.is_file():
        raise RibError(f"the checkpoint {path} does not exist", "type ckpt=PATH of a .ckpt file")
    content = read_torch_file(path, map_location)
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), Mapping):
        raise RibError(f"{path} holds no state_dict", "name a checkpoint that `rib train` wrote")
    return content


def load_checkpoint_module(path: Path, wanted: str | None = None) -> LightningModule:
    """The module in a checkpoint, in evaluation mode, built from the recipe that the file carries.

    Args:
        path: A file that `rib train` wrote.
        wanted: Dotted path of the class that is needed, or None for any.

    Raises:
        RibError: The file does not say how to build its module, or is one of another task.
    """
    content = read_checkpoint(path)
    known = content.get(KEY)
    if not isinstance(known, Mapping) or "module" not in known:
        raise RibError(f"{path} does not say what it is", "name a checkpoint that `rib train` wrote")
    target = REGISTRY.checked(known["module"], "module", path)["_target_"]
    if wanted is not None and target != wanted:
        raise RibError(f"{path} is a checkpoint of {target}, but one of {wanted} is needed")
    module = build_recipe_from_file(known["module"], "module", path)
    load_checkpoint_weights(module, content, path)
    return module.eval()


def describe_training_data(path: str | Path | None) -> str:
    """Words about the data that weights were trained on; None is the weights that come with rib."""
    if path is None:
        return "that come with rib"
    if Path(path).suffix != ".ckpt":
        return str(path)
    known = read_checkpoint(Path(path)).get(KEY)
    told = describe_data_fingerprint(known.get("fingerprint")) if isinstance(known, Mapping) else ""
    return told or f"{path}, which does not say what data it was trained on"


def load_checkpoint_weights(module: LightningModule, content: dict[str, Any], path: Path) -> None:
    """Give a module the weights of a checkpoint's content.

    Raises:
        RibError: They belong to another net, or are none; the line names the first difference.
    """
    module.on_load_checkpoint(content)
    check_weights(module.state_dict(), content["state_dict"], path, "name a checkpoint of the same net=")
    module.load_state_dict(content["state_dict"])


def load_weights_to_finetune(module: LightningModule, content: dict[str, Any], path: Path) -> None:
    """Give a module the weights that it is to be trained on from.

    Discriminators come along where both sides have them. Where the checkpoint has none they begin anew, where
    the module has none they are left out, and either is told in a line.

    Raises:
        RibError: See `load_checkpoint_weights`.
    """
    own, given = module.state_dict(), dict(content["state_dict"])
    for beginning in DISCRIMINATORS:
        ours, theirs = ({n for n in names if str(n).startswith(beginning)} for names in (own, given))
        if ours and not theirs:
            given |= {name: own[name] for name in ours}
            _tell(f"{path} has no discriminators: they begin anew")
        elif theirs and not ours:
            given = {name: tensor for name, tensor in given.items() if name not in theirs}
            _tell(f"the discriminators in {path} are left out: this run has none")
    load_checkpoint_weights(module, {**content, "state_dict": given}, path)


@rank_zero_only
def _tell(line: str) -> None:
    print(line, flush=True)
    log.info(line)
