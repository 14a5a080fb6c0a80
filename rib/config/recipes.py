"""Hold every recipe in a config against the constructor that it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rib.io.errors import RibError
from rib.io.plugins import is_of_plugin
from rib.io.recipe import check_recipe
from rib.io.registry import REGISTRY, REMEDY


def check_config_recipes(config: Any) -> int:
    """Check every dict with `_target_` inside a plain config; returns how many there were.

    Raises:
        RibError: The first recipe that its constructor would refuse, led by its place in the config.
    """
    count = 0
    for place, recipe in recipes_in_config(config):
        try:
            check_recipe(recipe, place=place)
        except RibError as error:
            what = error.what if error.what.startswith(f"{place}.") else f"{place}: {error.what}"
            raise RibError(what, error.remedy) from error
        count += 1
    return count


def check_plugin_classes_registered(task: Mapping[str, Any]) -> None:
    """Hold a task with classes of plugins against what they register: checkpoints carry its recipes.

    Args:
        task: Recipes `module` and `data`.

    Raises:
        RibError: A class is not registered for its place, so that no checkpoint of it could be read.
    """
    if any(is_of_plugin(str(recipe["_target_"])) for _, recipe in recipes_in_config(dict(task))):
        for key, place in (("module", "module"), ("data", "data module")):
            try:
                REGISTRY.checked(task[key], place, "a checkpoint could not be read again", f"task.{key}")
            except RibError as error:
                own = 'say above your class which arguments are recipes: @register("...", recipes={...})'
                raise RibError(error.what, own if error.remedy == REMEDY else error.remedy) from error


def recipes_in_config(node: Any, place: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every dict with `_target_` inside a plain config, with its dotted place."""
    if isinstance(node, Mapping):
        if "_target_" in node:
            yield place, node
        for key, value in node.items():
            yield from recipes_in_config(value, f"{place}.{key}" if place else str(key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from recipes_in_config(value, f"{place}[{index}]")
