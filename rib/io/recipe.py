"""Build objects from plain dicts, as configs and checkpoints hold them."""

from __future__ import annotations

import contextlib
import difflib
import functools
import importlib
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rib.io.errors import RibError, reason_of_error
from rib.io.plugins import is_of_plugin
from rib.io.registry import REGISTRY
from rib.io.settings.foreign_ranges import foreign_annotations
from rib.io.settings.values import find_misfit

ALLOWED_PACKAGES = ("rib", "torch", "torchmetrics", "kornia", "pytorch_lightning")
"""A recipe that a user types may name nothing outside these packages and plugins, or what was registered.

A recipe out of a file may name far less: `build_recipe_from_file`.
"""


def build_recipe(recipe: Mapping[str, Any], **extra: Any) -> Any:
    """Call what `recipe["_target_"]` names with the recipe's other items.

    Nested dicts and lists are passed on as they are: who receives a recipe builds it.

    Args:
        recipe: A dict with `_target_`, the dotted path of a class or function, and its keyword arguments.
        extra: Further keyword arguments; they win over the recipe's.

    Raises:
        RibError: The target is missing, outside `ALLOWED_PACKAGES` or takes no such argument.
    """
    check_recipe(recipe, known=extra)
    arguments = {key: value for key, value in recipe.items() if not key.startswith("_")}
    return locate_recipe_target(recipe["_target_"])(**{**arguments, **extra})


def build_recipe_from_file(recipe: Any, place: str, file: str | Path) -> Any:
    """Build what a recipe out of a file describes, once it is known to name registered classes alone.

    Args:
        recipe: What the file holds, which may be anything.
        place: What is to be built, a place of `rib.io.registry`.
        file: The file, for the message.

    Raises:
        RibError: It names what is not registered for its place, or what it describes cannot be built.
    """
    known = REGISTRY.checked(recipe, place, file)
    try:
        return build_recipe(known)
    except RibError as error:
        raise RibError(f"{file}: {error.what}", error.remedy) from error
    except Exception as error:  # whatever a stranger's numbers do to a constructor
        told = f"{file}: no {known['_target_']} can be built as it says ({reason_of_error(error)})"
        raise RibError(told) from error


def locate_recipe_target(target: str) -> Callable[..., Any]:
    """The class or function that was registered by a name, or at a dotted path of what a user may name."""
    registered = REGISTRY.registered(target)
    if registered is not None:
        return registered
    target = REGISTRY.canonical(target)
    package = target.partition(".")[0]
    if package not in ALLOWED_PACKAGES and not is_of_plugin(target):
        allowed = ", ".join(ALLOWED_PACKAGES)
        raise RibError(
            f"a recipe names {target!r}, which lies outside the allowed packages ({allowed})",
            f"type plugins=[{package}] if it is a package of yours" if "." in target else "",
        )
    module_name, _, name = target.rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise RibError(f"a recipe names {target!r}, which cannot be imported ({error})") from error
    if not callable(found):
        raise RibError(f"a recipe names {target!r}, which is not a class or function")
    return found


def check_recipe(recipe: Mapping[str, Any], known: Mapping[str, Any] | None = None, place: str = "") -> None:
    """Compare a recipe with its constructor's signature and ranges, without calling it.

    Args:
        recipe: A dict with `_target_`.
        known: Arguments that the builder supplies itself.
        place: Where the recipe stands among the settings, for messages.

    Raises:
        RibError: An argument that the constructor does not take ("did you mean ...?"), a value outside what
            it takes, or an argument that it lacks.
    """
    if not isinstance(recipe, Mapping):
        raise RibError(f"{place or 'a recipe'} is {recipe!r}, but settings with a _target_ are expected")
    if "_target_" not in recipe:
        raise RibError(f"a recipe has no _target_ (its keys: {', '.join(map(str, recipe)) or 'none'})")
    target = recipe["_target_"]
    if not isinstance(target, str):
        raise RibError(f"a recipe's _target_ is {target!r}, but the dotted name of a class is expected")
    parameters = inspect.signature(locate_recipe_target(target)).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    names = [n for n, p in parameters.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    given = {str(key) for key in recipe if not str(key).startswith("_")} | set(known or {})
    for key in sorted(given - set(names)):
        if not takes_any:
            raise RibError(f"{target} takes no {key!r}", did_you_mean(key, names))
    hints = constructor_annotations(target)
    for key in sorted(given & set(names) & set(recipe)):
        if (found := find_misfit(recipe[key], hints.get(key, Any), recipe)) is not None:
            raise found.error(f"{place}.{key}" if place else f"{target}: {key}")
    lacking = [n for n in names if parameters[n].default is inspect.Parameter.empty and n not in given]
    if lacking and known is not None:
        raise RibError(f"{target} needs {', '.join(map(repr, lacking))}")


@functools.cache
def constructor_annotations(target: str) -> dict[str, Any]:
    """Collect the annotations of a constructor's arguments by name, with their ranges."""
    found = locate_recipe_target(target)
    function = found.__init__ if inspect.isclass(found) else found  # type: ignore[misc]
    hints: dict[str, Any] = {}
    for name, hint in getattr(function, "__annotations__", {}).items():
        with contextlib.suppress(NameError, TypeError, AttributeError):  # a name for type checkers only
            holder = types.SimpleNamespace(__annotations__={name: hint})
            hints |= typing.get_type_hints(holder, function.__globals__, include_extras=True)
    return {**hints, **foreign_annotations(target)}


def with_setting(recipe: Mapping[str, Any], place: str, value: Any) -> dict[str, Any]:
    """A recipe with another value at a dotted place; the given one stays as it is."""
    key, _, rest = place.partition(".")
    return {**recipe, key: with_setting(recipe.get(key) or {}, rest, value) if rest else value}


def did_you_mean(word: str, choices: list[str]) -> str:
    """A closing sentence for an error about a misspelt word."""
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"choose one of: {', '.join(choices)}"
