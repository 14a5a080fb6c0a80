"""Arguments of constructors that conf/ does not name, as they are typed: `trainer.limit_train_batches=2`."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from rib.config.paths import config_file
from rib.io.errors import RibError
from rib.io.recipe import did_you_mean, locate_recipe_target
from rib.io.settings.records import Settings, annotations_of_settings

if TYPE_CHECKING:
    from omegaconf import DictConfig

_TRAINER = re.compile(r"trainer\.(\w+)=.*", re.DOTALL)
_DICT = re.compile(r"(?:\+\+)?([\w./@]+)=(\{.*\})", re.DOTALL)


def take_recipe_arguments(arguments: Iterable[str], root: type[Settings]) -> list[str]:
    """Let any argument of Lightning's Trainer be typed, and a dict with a `_target_` take another's place.

    Hydra wants a `+` before what no file names, and merges dicts: what is left of another class would only be
    refused by the new one.

    Args:
        arguments: What was typed.
        root: The typed root of the command's config.

    Raises:
        RibError: The Trainer takes no such argument.
    """
    changed: list[str] = []
    for argument in arguments:
        if argument.startswith("~") and argument[1:] in _global_groups():
            # null is their default
            changed = [one for one in changed if not one.startswith(f"{argument[1:]}=")]
            continue
        trainer, given = _TRAINER.fullmatch(argument), _dict_of(argument)
        if trainer and "trainer" in annotations_of_settings(root):
            changed.append(f"++{argument}" if _lacks(trainer[1]) else argument)
        elif given and "_target_" in given[1] and _may_be_null(given[0], root):
            changed += [f"{given[0]}=null", argument]
        elif given and "_target_" in given[1] and _is_setting(given[0], root):
            changed.append(f"++{argument.lstrip('+')}")  # what it leaves is cut by `replace_typed_dicts`
        else:
            changed.append(argument)
    return changed


def _may_be_null(key: str, root: type[Settings]) -> bool:
    """Whether a dotted key lies inside a recipe, and is neither a group nor a recipe that a field holds."""
    names, record = key.split("."), root
    if names[0] in ("callbacks", "logger"):  # dicts of recipes
        return len(names) > 2
    for depth, name in enumerate(names):
        hint = annotations_of_settings(record).get(name)
        if not (isinstance(hint, type) and issubclass(hint, Settings)):
            return len(names) > depth + 1
        record = hint
    return False


def _is_setting(key: str, root: type[Settings]) -> bool:
    return key.partition(".")[0] in annotations_of_settings(root)


def _global_groups() -> list[str]:
    """Groups of which nothing is chosen unless somebody does."""
    return ["experiment", "sweep", "launch", "debug"]


def _lacks(name: str) -> bool:
    """Whether conf/ does not name an argument that the Trainer takes."""
    file = config_file("trainer/cpu")
    if file and name in yaml.safe_load(file.read_text(encoding="utf-8")):
        return False
    names = recipe_parameters("pytorch_lightning.Trainer")
    if name not in names:
        raise RibError(f"there is no setting 'trainer.{name}'", did_you_mean(name, names))
    return True


def recipe_parameters(target: str) -> list[str]:
    """Names of the arguments that a class or function takes; empty where it takes any."""
    found = inspect.signature(locate_recipe_target(target)).parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in found):
        return []
    return [one.name for one in found]


def replace_typed_dicts(typed: Sequence[str], config: DictConfig) -> None:
    """Let `key={}` empty what it names, and `key={_target_: ...}` take its place whole.

    Hydra merges a dict into what stands, which then keeps what the dict does not name.

    Args:
        typed: The arguments; what those after it put inside stays.
        config: What Hydra composed of them; changed in place.
    """
    from omegaconf import DictConfig, OmegaConf

    for number, argument in enumerate(typed, start=1):
        given = _dict_of(argument)
        if given is None or (given[1] and "_target_" not in given[1]):
            continue
        later = [word.lstrip("+").partition("=")[0] for word in typed[number:]]
        inside = {word.removeprefix(f"{given[0]}.") for word in later if word.startswith(f"{given[0]}.")}
        node = OmegaConf.select(config, given[0], throw_on_missing=False)
        if isinstance(node, DictConfig):
            _cut(node, given[1], inside)


def _cut(node: DictConfig, given: Mapping[Any, Any], inside: set[str]) -> None:
    """Take out of a config what neither a dict gives nor dotted names add to it."""
    from omegaconf import DictConfig, open_dict

    for key in list(node):
        deeper = {name.partition(".")[2] for name in inside if name.partition(".")[0] == key}
        if key not in given and not deeper:
            with open_dict(node):
                del node[key]
        elif isinstance(given.get(key), Mapping) and isinstance(inner := node._get_node(key), DictConfig):
            _cut(inner, given[key], deeper)


def tell_merged_overrides(typed: Sequence[str], settings: Mapping[str, Any]) -> None:
    """Tell, in a line on stderr, what of a setting a dict that was typed leaves as it was.

    Args:
        typed: The arguments.
        settings: What came of them.
    """
    for argument in typed:
        if (given := _dict_of(argument)) is None or not given[1]:
            continue
        node: Any = settings
        for name in given[0].split("."):
            node = node.get(name) if isinstance(node, Mapping) else None
        kept = list(_kept(given[1], node))
        if kept:
            names = ", ".join(kept[:6]) + (f" and {len(kept) - 6} more" if len(kept) > 6 else "")
            _tell_once(f"rib: {argument[:120]} leaves {names} as before; ~{given[0]}.{kept[0]} takes one out")


@functools.cache
def _tell_once(line: str) -> None:
    print(line, file=sys.stderr)


def _kept(given: Mapping[Any, Any], node: Any, place: str = "") -> Iterable[str]:
    """Dotted names inside a dict that another, merged into it, did not give."""
    for key, value in node.items() if isinstance(node, Mapping) else ():
        if key not in given:
            yield f"{place}{key}"
        elif isinstance(given[key], Mapping):
            yield from _kept(given[key], value, f"{place}{key}.")


def _dict_of(argument: str) -> tuple[str, Mapping[Any, Any]] | None:
    """The key and the value of `key={...}`; None for anything else, such as several values of a sweep."""
    match = _DICT.fullmatch(argument)
    if match is None:
        return None
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        value = OverridesParser.create().parse_override(argument).value()
    except HydraException:
        return None
    return (match[1], value) if isinstance(value, Mapping) else None
