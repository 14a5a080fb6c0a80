"""Optuna's pruners: at every validation a trial asks whether it is worth going on, in any process."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf

from rib.engine.distributed.environment import distributed_env
from rib.engine.score import Pruner
from rib.io.errors import RibError
from rib.io.recipe import did_you_mean

log = logging.getLogger(__name__)
STUDY = "hydra_plugins.rib.StudySweeper"
"""Our sweeper, as conf/hydra/sweeper/study.yaml names it."""


def import_optuna() -> Any:
    """Import Optuna and keep it quiet.

    Raises:
        RibError: It is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise RibError(
            "sweeps by Optuna need the package optuna, which is not installed",
            "type: pip install 'render-in-between[sweep]'",
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def build_sweep_pruner(recipe: Any) -> Any:
    """Build one of `optuna.pruners` from settings; None gives one that ends nothing.

    Args:
        recipe: `_target_` and arguments, of which a pruner is a recipe too; or the class's name alone.

    Raises:
        RibError: There is no such pruner, or it takes no such arguments.
    """
    known = import_optuna().pruners
    if recipe is None:
        return known.NopPruner()
    if isinstance(recipe, str):
        recipe = {"_target_": f"optuna.pruners.{recipe}"}
    if not isinstance(recipe, Mapping) or "_target_" not in recipe:
        raise RibError(
            f"hydra.sweeper.pruner={recipe} is no pruner", "give it _target_: optuna.pruners.<one>"
        )
    names = [f"optuna.pruners.{name}" for name in known.__all__ if name.endswith("Pruner")]
    target = str(recipe["_target_"])
    if target not in names:
        raise RibError(f"hydra.sweeper.pruner: there is no {target}", did_you_mean(target, names))
    arguments = {
        str(key): build_sweep_pruner(value) if isinstance(value, Mapping) else value
        for key, value in recipe.items()
        if key != "_target_"
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some call themselves experimental
            return getattr(known, target.rpartition(".")[2])(**arguments)
    except (TypeError, ValueError) as error:
        raise RibError(f"hydra.sweeper.pruner: {target} refuses its settings ({error})") from error


def pruner_of_this_job() -> Pruner | None:
    """What the trial that runs in this process asks at every validation; None where no study prunes."""
    if not HydraConfig.initialized() or HydraConfig.get().mode != RunMode.MULTIRUN:
        return None
    hydra = HydraConfig.get()
    if hydra.sweeper.get("_target_") != STUDY or distributed_env().rank > 0:
        return None
    sweeper: Any = OmegaConf.to_container(hydra.sweeper, resolve=True)
    if sweeper.get("pruner") is None:
        return None
    return _asked_about(sweeper["storage"], sweeper["study_name"], hydra.job.num, sweeper["pruner"])


def _asked_about(storage: str, study_name: str, number: int, recipe: Any) -> Pruner:
    optuna = import_optuna()
    study = optuna.load_study(study_name=study_name, storage=storage, pruner=build_sweep_pruner(recipe))
    kept = optuna.storages.get_storage(storage)
    ids = kept.get_study_id_from_name(study_name)
    trial = optuna.trial.Trial(study, kept.get_trial_id_from_study_id_trial_number(ids, number))

    def ends(step: int, value: float) -> bool:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a run that goes on reports its last steps once more
                trial.report(value, step)
                return bool(trial.should_prune())
        except optuna.exceptions.StorageInternalError as error:
            log.warning("the study could not be asked at step %d, and the run goes on: %s", step, error)
            return False

    return ends
