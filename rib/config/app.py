"""From a command line to a plain, checked config, and to the task that it is for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rib.config.exit_codes import TaskEnded, exit_code
from rib.config.renamed import current_override
from rib.io.errors import RibError
from rib.io.files.whole import NO_SPACE, write_errors_in_one_line
from rib.io.plugins import import_plugins, wanted_plugins
from rib.io.recipe import did_you_mean
from rib.io.settings.paths import settle_path_settings
from rib.io.settings.records import Settings

Task = Callable[[Any], Any]
"""What a command does with its settings, the record that `rib.config.schema.ROOTS` names."""

OPTIONS = frozenset(
    (
        *("-h", "--help", "-m", "--multirun", "--run", "-r", "--cfg", "-c", "--resolve", "--package", "-p"),
        *("--info", "-i", "--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd"),
        *("--hydra-help", "--shell-completion", "-sc", "--experimental-rerun"),
    )
)
"""Hydra's own options, which every command has."""


def run_verb(verb: str, task: Task, arguments: list[str], root: str | None = None) -> None:
    """Compose conf/<verb>.yaml with the arguments, check it, and call the task with its record of settings.

    Args:
        verb: The command's name and its root config's.
        task: What the command does.
        arguments: Overrides `key=value`, and Hydra's own options such as `-m` and `--cfg job`.
        root: A root config that takes the place of conf/<verb>.yaml, by the name that Hydra knows it under.

    Raises:
        RibError: A mistake in the arguments or in a config.
    """
    from rib.config.overrides.choices import check_override_choice
    from rib.config.search import settle_config_search
    from rib.io.processes.memory import ask_for_huge_pages

    ask_for_huge_pages()
    arguments, plugins = settle_config_search(arguments)
    if {"-h", "--help"} & set(arguments):
        from rib.config.help.usage import verb_help

        print(verb_help(verb))
        return
    from rib.config.overrides.recipe_arguments import take_recipe_arguments
    from rib.config.overrides.shorthand import shorthand_to_overrides
    from rib.config.overrides.typed_ranges import override_with_sweeper
    from rib.config.schema import ROOTS
    from rib.config.sweeps.cluster import as_one_run

    if "input" in ROOTS[verb].__dataclass_fields__:
        arguments = shorthand_to_overrides(arguments, ROOTS[verb])
    for argument in arguments:
        option = argument.partition("=")[0]
        if option.startswith("-") and option not in OPTIONS:
            raise RibError(f"there is no option {option}", did_you_mean(option, sorted(OPTIONS)))
    # argparse reads no settings after an option that stands among them
    first = sorted(arguments, key=lambda argument: argument not in ("-m", "--multirun"))
    chosen = [check_override_choice(current_override(argument), ROOTS[verb]) for argument in first]
    chosen = take_recipe_arguments(chosen, ROOTS[verb])
    chosen = as_one_run(override_with_sweeper(verb, ROOTS[verb], chosen))
    _compose_and_call(verb, task, chosen, root or verb, plugins)


def _compose_and_call(
    verb: str, task: Task, arguments: list[str], root: str, plugins: tuple[str, ...]
) -> None:
    # With this set Hydra raises what went wrong instead of printing it and leaving with 1 itself.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    import hydra

    from rib.config import schema
    from rib.config.overrides.explain import ConfigError, explain_hydra_error
    from rib.config.overrides.literal import quote_path_override
    from rib.config.paths import conf_dir
    from rib.config.sweeps import results as sweep
    from rib.config.sweeps.cluster import sweep_error

    schema.register_config_roots()
    sys.argv = [f"rib {verb}", *(quote_path_override(argument, schema.ROOTS[verb]) for argument in arguments)]
    try:
        job = _job(verb, task, plugins)
        hydra.main(config_path=str(conf_dir()), config_name=root, version_base="1.3")(job)()
    except ConfigError as error:
        raise explain_hydra_error(error) from error
    except Exception as error:
        sweep.report_sweep(error)
        if (mistake := sweep_error(error)) is not None:
            raise mistake from error
        named = getattr(error, "filename", None)
        if named is None and getattr(error, "errno", None) not in NO_SPACE:
            raise
        # jobs tell their own errors: Hydra could not make a folder, or write into it
        with write_errors_in_one_line(Path(str(named)) if named else Path.cwd()):
            raise
    sweep.report_sweep(None)


def _job(verb: str, task: Task, plugins: tuple[str, ...]) -> Callable[[Any], Any]:
    """Wrap a task as the job function that Hydra calls, here or in a launcher's process, with its plugins.

    In a single run an error leaves as an exit code, since Hydra would print a line of its own above it. In a
    sweep it is raised, so that Hydra marks this trial as failed and runs the others.
    """

    def job(config: Any) -> Any:
        from hydra.core.hydra_config import HydraConfig
        from hydra.types import RunMode

        from rib.config.sweeps.results import (
            note_failed_trial,
            refuse_idle_sweep,
            sweep_overrides_of_this_job,
        )

        results: list[Any] = []

        def call() -> None:
            refuse_idle_sweep()
            if "run_dir" in config:
                config.run_dir = HydraConfig.get().runtime.output_dir
            results.append(task(compose_verb_settings(config, verb, sweep_overrides_of_this_job(), plugins)))

        if HydraConfig.get().mode == RunMode.MULTIRUN:
            from rib.io.processes.workers import end_with_starter

            end_with_starter()
            try:
                call()
            except Exception as error:
                if "run_dir" in config:
                    note_failed_trial(Path(config.run_dir), error)
                raise
        elif code := exit_code(call):
            raise TaskEnded(code)
        return results[0] if results else None  # nobody reads the pipe any more

    return job


def compose_verb_settings(
    config: Any, verb: str, typed: Iterable[str] = (), plugins: Iterable[str] = ()
) -> Settings:
    """The settings of a command: resolved, complete, every value checked.

    Args:
        config: What Hydra composed.
        verb: Name of the root config.
        typed: The arguments as they were given; what has no effect on the settings is refused.
        plugins: Plugins besides those that the settings name; all are imported, and stand in the settings.

    Raises:
        RibError: A mistake in the settings.
    """
    from omegaconf import OmegaConf

    from rib.config import schema
    from rib.config.overrides.explain import ConfigError, explain_hydra_error
    from rib.config.overrides.recipe_arguments import replace_typed_dicts, tell_merged_overrides
    from rib.config.recipes import check_config_recipes, check_plugin_classes_registered
    from rib.config.unused import refuse_unused_settings

    replace_typed_dicts(tuple(typed), config)
    try:
        resolved = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except ConfigError as error:
        raise explain_hydra_error(error) from error
    assert isinstance(resolved, dict)
    settings = {str(key): value for key, value in resolved.items()}
    settle_path_settings(settings, schema.ROOTS[verb])
    schema.ROOTS[verb].of(settings)
    if "plugins" in settings:
        settings["plugins"] = list(wanted_plugins([*plugins, *settings["plugins"]]))
        import_plugins(settings["plugins"])
    check_config_recipes(settings)
    if verb == "train":
        check_plugin_classes_registered(settings["task"])
    tell_merged_overrides(tuple(typed), settings)
    unresolved = OmegaConf.to_container(config, resolve=False)
    refuse_unused_settings(verb, schema.ROOTS[verb], typed, settings, unresolved)
    return schema.ROOTS[verb].of(settings)
