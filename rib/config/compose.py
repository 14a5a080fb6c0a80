"""Compose configs from Python: for notebooks, tests and `rib check`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, Literal, overload

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from rib.benchmark.settings import BenchmarkSettings
from rib.benchmark.speed.settings import SpeedBenchmarkSettings
from rib.config import schema
from rib.config.app import compose_verb_settings
from rib.config.overrides.choices import check_override_choice
from rib.config.overrides.explain import ConfigError, MissingPluginError, explain_hydra_error
from rib.config.overrides.literal import quote_path_override
from rib.config.overrides.recipe_arguments import take_recipe_arguments
from rib.config.paths import conf_dir, config_group_options, config_groups
from rib.config.recipes import check_config_recipes
from rib.config.renamed import current_override
from rib.config.search import settle_config_search
from rib.config.sweeps.pruning import STUDY, build_sweep_pruner
from rib.datasets.settings import PrepareSettings
from rib.engine.settings import TrainSettings
from rib.evaluation.settings import ClipEvaluationSettings
from rib.io.errors import RibError
from rib.io.plugins import import_plugins
from rib.io.recipe import check_recipe
from rib.io.settings.records import Settings
from rib.motion.evaluation.settings import MotionEvaluationSettings
from rib.pipeline.settings import InterpolateSettings, UpsampleSettings


@overload
def compose(verb: Literal["interpolate"], *overrides: str) -> InterpolateSettings: ...
@overload
def compose(verb: Literal["benchmark"], *overrides: str) -> BenchmarkSettings: ...
@overload
def compose(verb: Literal["benchmark_speed"], *overrides: str) -> SpeedBenchmarkSettings: ...
@overload
def compose(verb: Literal["upsample"], *overrides: str) -> UpsampleSettings: ...
@overload
def compose(verb: Literal["prepare"], *overrides: str) -> PrepareSettings: ...
@overload
def compose(verb: Literal["train"], *overrides: str) -> TrainSettings: ...
@overload
def compose(verb: Literal["evaluate"], *overrides: str) -> MotionEvaluationSettings: ...
@overload
def compose(verb: Literal["evaluate_humanslomo"], *overrides: str) -> ClipEvaluationSettings: ...
@overload
def compose(verb: str, *overrides: str) -> Settings: ...
def compose(verb: str, *overrides: str) -> Settings:
    """The settings of a command, resolved and checked.

    Args:
        verb: The command, e.g. "interpolate".
        overrides: What would be typed after it, e.g. "rate=4", "background=flow", "--config-dir=my/conf"; a
            folder of configs, and those of plugins, are searched from then on.

    Raises:
        RibError: An unknown key or option, a wrong type, or a setting that was not given.
    """
    known = [check_override_choice(current_override(word), schema.ROOTS[verb]) for word in overrides]
    typed, plugins = settle_config_search(take_recipe_arguments(known, schema.ROOTS[verb]), keep=True)
    composed = _compose(verb, *(quote_path_override(word, schema.ROOTS[verb]) for word in typed))
    return compose_verb_settings(composed, verb, typed, plugins)


def compose_defaults(verb: str) -> dict[str, Any]:
    """The settings of a command where nothing is typed, with what follows another setting not filled in."""
    content: Any = OmegaConf.to_container(_compose(verb), resolve=False)
    return {str(key): value for key, value in content.items()}


def check_all_configs() -> Iterator[tuple[str, int | None]]:
    """Compose every root with every option of every group that it uses, and check every recipe.

    Yields:
        What was composed ("interpolate background=flow") and how many recipes it held; None where it needs a
        launcher that is not installed.

    Raises:
        RibError: The first config that does not compose or recipe that its constructor would refuse.
    """
    for verb in schema.ROOTS:
        root = _compose(verb)
        yield verb, _check(verb, verb, root)
        chosen = {str(key) for key in root} | _named(verb)
        for group in config_groups():
            if group not in chosen:
                continue
            for option in config_group_options(group):
                text = f"{group}={option}"
                try:
                    config = _compose(verb, text)
                except MissingPluginError:
                    yield f"{verb} {text}", None
                    continue
                count = _check(verb, f"{verb} {text}", config)
                yield f"{verb} {text}", count + (_check_sweep(verb, text) if group == "sweep" else 0)


def _named(verb: str) -> set[str]:
    """Groups in a root's own list of defaults; those of `@package _global_` leave no key in the config."""
    defaults = OmegaConf.load(conf_dir() / f"{verb}.yaml").defaults
    return {str(key) for item in defaults if isinstance(item, DictConfig) for key in item}


def _check_sweep(verb: str, text: str) -> int:
    """Hold a sweep against its sweeper's constructor, and what it varies against the settings there are."""
    config = _compose(verb, text, return_hydra_config=True)
    sweeper: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
    if sweeper["_target_"] == STUDY:
        check_recipe({**sweeper, "_target_": "rib.config.sweeps.optuna_study.StudySweeper"})
        if find_spec("optuna"):
            build_sweep_pruner(sweeper.get("pruner"))
    for name in sweeper.get("params") or {}:
        if not _is_setting(config, name):
            raise RibError(f"{verb} {text}: it varies {name!r}, which is no setting")
    return 1


def _is_setting(config: DictConfig, name: str) -> bool:
    """Whether a dotted name is a setting or a config group."""
    parent, _, key = name.rpartition(".")
    node = OmegaConf.select(config, parent) if parent else config
    return name in config_groups() or (isinstance(node, DictConfig) and key in node)


def _check(verb: str, title: str, config: DictConfig) -> int:
    try:
        resolved: Any = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
        schema.ROOTS[verb].of(resolved)
        import_plugins(resolved.get("plugins") or ())
        return check_config_recipes(resolved)
    except ConfigError as error:
        mistake = explain_hydra_error(error)
        raise RibError(f"{title}: {mistake.what}", mistake.remedy) from error
    except RibError as error:
        raise RibError(f"{title}: {error.what}", error.remedy) from error


def _compose(verb: str, *overrides: str, return_hydra_config: bool = False) -> DictConfig:
    schema.register_config_roots()
    chosen = [check_override_choice(current_override(one), schema.ROOTS[verb]) for one in overrides]
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
            return hydra_compose(verb, chosen, return_hydra_config=return_hydra_config)
    except ConfigError as error:
        raise explain_hydra_error(error) from error
