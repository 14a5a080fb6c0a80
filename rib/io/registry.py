"""Registry of the classes that a recipe out of a file may name, by the place they are built for.

A file is a stranger's: weights, checkpoints, run folders and results travel. What the user types is another
matter; `rib.io.recipe` says what that may name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from rib.io.errors import RibError
from rib.io.plugins import unregistered_class_hint
from rib.io.registered import REGISTERED
from rib.io.renamed import ARGUMENTS, CLASSES, RENAMED

Found = TypeVar("Found", bound=Callable[..., Any])
TARGET = "_target_"
DEEPEST = 16
"""Nothing of ours is nested as deeply."""
REMEDY = "use a file that rib wrote"


class Registry:
    """Classes by place, the recipes among their arguments, and the names that they had before.

    Args:
        places: Of each place, dotted paths, and under each the places of the arguments that are recipes.
        renamed_modules: Dotted path today of modules that were called otherwise before.
        renamed_arguments: By class of today, its arguments of before and what they are called today.
        renamed_classes: Dotted path today of classes, by their module of today and their name of before.
    """

    def __init__(
        self,
        places: Mapping[str, Mapping[str, Mapping[str, str]]],
        renamed_modules: Mapping[str, str] | None = None,
        renamed_arguments: Mapping[str, Mapping[str, str]] | None = None,
        renamed_classes: Mapping[str, str] | None = None,
    ) -> None:
        self._places = {place: dict(entries) for place, entries in places.items()}
        self._modules = dict(renamed_modules or {})
        self._classes = dict(renamed_classes or {})
        self._aliases: dict[str, str] = {}
        self._arguments = {target: dict(names) for target, names in (renamed_arguments or {}).items()}
        self._objects: dict[str, Callable[..., Any]] = {}

    @property
    def places(self) -> tuple[str, ...]:
        """Every place."""
        return tuple(self._places)

    def register(
        self,
        place: str,
        found: Found | None = None,
        *,
        name: str | None = None,
        recipes: Mapping[str, str] | None = None,
        aliases: Mapping[str, str] | tuple[str, ...] = (),
    ) -> Any:
        """Let recipes from files name a class or function at a place; also a decorator: `@register("...")`.

        Args:
            place: What it is built for, one of `places` or a new one.
            found: The class or function; None gives a decorator.
            name: A short name that `_target_` may be besides the dotted path.
            recipes: The arguments that are recipes themselves, with the place of each; `name.*` is a dict of
                recipes. None takes those of the first class that it inherits from and that is known here.
            aliases: Dotted paths that it had before.
        """
        if found is None:
            return lambda given: self.register(place, given, name=name, recipes=recipes, aliases=aliases)
        target = f"{found.__module__}.{found.__qualname__}"
        known = self._places.setdefault(place, {})
        bases = (f"{base.__module__}.{base.__qualname__}" for base in getattr(found, "__mro__", ())[1:])
        inherited = next((known[base] for base in bases if base in known), {})
        known[target] = dict(inherited if recipes is None else recipes)
        self._objects[target] = found
        for alias in (*aliases, *([name] if name else [])):
            self._aliases[alias] = target
        return found

    def rename_argument(self, target: str, old: str, new: str) -> None:
        """Read an argument that files of before call `old` as `new`."""
        self._arguments.setdefault(target, {})[old] = new

    def canonical(self, target: str) -> str:
        """The dotted path today of a name that may be short or of before."""
        target = self._aliases.get(target, target)
        module, dot, name = target.rpartition(".")
        target = f"{self._modules.get(module, module)}{dot}{name}"
        return self._classes.get(target, target)

    def renamed(self, value: Any) -> Any:
        """Plain settings with every recipe by the names of today; nothing is checked."""
        if isinstance(value, Mapping):
            found = {key: self.renamed(one) for key, one in value.items()}
            if TARGET not in found:
                return found
            target = self.canonical(str(found[TARGET]))
            names = self._arguments.get(target, {})
            return {**{names.get(str(key), key): one for key, one in found.items()}, TARGET: target}
        return [self.renamed(one) for one in value] if isinstance(value, list | tuple) else value

    def registered(self, target: str) -> Callable[..., Any] | None:
        """The class or function that was given to `register` under a name, or None."""
        return self._objects.get(self.canonical(target))

    def plugged(self) -> list[tuple[str, str]]:
        """Place and dotted path of what was given to `register`."""
        return [(place, t) for place, entries in self._places.items() for t in entries if t in self._objects]

    def allowed(self, place: str) -> tuple[str, ...]:
        """Dotted paths that a recipe from a file may name at a place."""
        return tuple(self._places[place])

    def checked(self, recipe: Any, place: str, file: str | Path, where: str = "") -> dict[str, Any]:
        """Hold a recipe out of a file against what is registered, nested ones too; nothing is imported.

        Args:
            recipe: A dict with `_target_`, as the file holds it.
            place: What it is built for; "motion net or renderer net" is either.
            file: Where it comes from, for the message.
            where: Dotted place of the recipe inside the file, for the message.

        Returns:
            The same with today's names.

        Raises:
            RibError: It is no recipe, names what is not registered for its place, or holds something else
                than plain values.
        """
        title = f"{file}{f': {where}' if where else ''}"
        if not isinstance(recipe, Mapping) or not isinstance(recipe.get(TARGET), str):
            raise RibError(f"{title} is no recipe of a {place} (a dict with {TARGET})", REMEDY)
        target = self.canonical(recipe[TARGET])
        entries = {t: r for one in place.split(" or ") for t, r in self._places[one].items()}
        if target not in entries:
            raise RibError(
                f"{title} names {_short(recipe[TARGET])}, which is not registered as a {place}",
                "; ".join(
                    filter(
                        None, (f"allowed there: {', '.join(entries)}", unregistered_class_hint(target, place))
                    )
                ),
            )
        names = self._arguments.get(target, {})
        arguments = {names.get(str(key), key): value for key, value in recipe.items() if key != TARGET}
        return {TARGET: target, **self.settings(arguments, entries[target], file, where)}

    def settings(
        self, settings: Mapping[Any, Any], recipes: Mapping[str, str], file: str | Path, where: str = ""
    ) -> dict[str, Any]:
        """Check settings out of a file: plain values, and recipes only where they are known.

        Args:
            settings: The settings.
            recipes: Dotted keys that are recipes, with the place of each; `name.*` is a dict of recipes.
            file: Where they come from.
            where: Their own dotted place in it.

        Raises:
            RibError: See `checked`.
        """
        return self._mapping(settings, recipes, file, where, ())

    def _mapping(
        self, given: Mapping[Any, Any], recipes: Mapping[str, str], file: str | Path, where: str,
        inside: tuple[str, ...],
    ) -> dict[str, Any]:  # fmt: skip
        found = {}
        for key, value in given.items():
            if not isinstance(key, str):
                raise RibError(f"{file}: {where or 'it'} has the key {_short(key)}, which is no text", REMEDY)
            found[key] = self._value(value, recipes, file, f"{where}.{key}" if where else key, (*inside, key))
        return found

    def _value(
        self, value: Any, recipes: Mapping[str, str], file: str | Path, where: str, inside: tuple[str, ...]
    ) -> Any:
        if len(where.split(".")) > DEEPEST or len(inside) > DEEPEST:
            raise RibError(f"{file} nests its settings too deeply ({_short(where)})", REMEDY)
        if isinstance(value, Mapping):
            place = _place(inside, recipes)
            if place is not None and TARGET in value:
                return self.checked(value, place, file, where)
            if TARGET in value:
                raise RibError(
                    f"{file}: {where} names {_short(value[TARGET])}, where no recipe is allowed", REMEDY
                )
            return self._mapping(value, recipes, file, where, inside)
        if isinstance(value, list | tuple):
            return [
                self._value(one, recipes, file, f"{where}[{i}]", (*inside, f"[{i}]"))
                for i, one in enumerate(value)
            ]
        if value is not None and not isinstance(value, bool | int | float | str):
            raise RibError(f"{file}: {where} is a {type(value).__name__}, but only plain values can be read")
        return value


def _place(inside: tuple[str, ...], recipes: Mapping[str, str]) -> str | None:
    """The place that a dotted key is known to have a recipe for."""
    return recipes.get(".".join(inside), recipes.get(".".join((*inside[:-1], "*"))))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."


REGISTRY = Registry(REGISTERED, RENAMED, ARGUMENTS, CLASSES)
"""What this version of rib knows; plugins add theirs with `register`."""
REGISTRY.rename_argument("rib.render.trust.TrustMap", "rehearsal_weight", "holdout_weight")
register = REGISTRY.register
