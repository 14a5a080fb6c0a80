"""Settings that are paths: declared on the field of a root, taken literally, checked before any work."""

from __future__ import annotations

import dataclasses
import errno
import os
import typing
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from rib.io.errors import RibError
from rib.io.settings.records import Settings

_PATHS = "paths"

PATH = {_PATHS: ("",)}
"""Metadata of a field that holds a path."""


LITERAL = {"literal": True}
"""Metadata of a field whose text is taken as it is typed, though it is no path."""


def paths_in_recipe(*names: str) -> dict[str, tuple[str, ...]]:
    """Metadata of a field that holds a recipe, or a dict of them, some of whose arguments are paths.

    Args:
        names: Dotted names inside it; `*` stands for any one.
    """
    return {_PATHS: names}


def is_path_setting(root: type, key: str) -> bool:
    """Whether a dotted name is a setting that holds a path.

    Args:
        root: The typed root of a command's config.
        key: The name, e.g. "input" or "background.path".
    """
    name, _, rest = key.partition(".")
    field = _fields(root).get(name)
    if field is None:
        return False
    if any(_matches(rest, pattern) for pattern in field.metadata.get(_PATHS, ())):
        return True
    inner = typing.get_type_hints(root)[name]
    return bool(rest) and dataclasses.is_dataclass(inner) and is_path_setting(typing.cast(type, inner), rest)


def is_optional_path_setting(root: type, key: str) -> bool:
    """Whether a path setting may be left out; those inside recipes may."""
    name, _, rest = key.partition(".")
    hint = typing.get_type_hints(root)[name]
    if rest and dataclasses.is_dataclass(hint):
        return is_optional_path_setting(typing.cast(type, hint), rest)
    return bool(rest) or type(None) in typing.get_args(hint)


def settle_path_settings(settings: dict[str, Any], root: type) -> None:
    """Make the paths in composed settings mean one thing, in place, wherever they are used.

    `~` and `~user` become that folder unless a file of the very name is there.

    Raises:
        RibError: A path is empty, too long, or its name is no UTF-8 (what rib writes about it could not hold
            it); or results would be strewn over the root of the disk.
    """
    for key, holder, name in _path_values(settings, root):
        holder[name] = _settled(key, holder[name])


def paths_read_by_command(settings: Settings, source_given: bool = False) -> dict[str, str]:
    """The paths that a command reads, by setting: all that are set but its output and its cache.

    Args:
        settings: Its settings.
        source_given: Whether a clip was handed over in the place of what `input` names.
    """
    found = _path_values(settings.plain(), type(settings))
    values = {key: holder[name] for key, holder, name in found if not (source_given and key == "input")}
    return {key: value for key, value in values.items() if key.rpartition(".")[2] not in WRITTEN}


WRITTEN = ("output", "dir")
"""What the settings are called whose paths are written to."""


def path_exists(value: str) -> bool:
    """Whether something is there under a name, be it a link that leads nowhere."""
    return os.path.lexists(value)


def _settled(key: str, value: str) -> str:
    if not value:
        raise RibError(f"{key}= is empty", f"type {key}=PATH")
    if value.startswith("~"):
        value = str(Path(value).absolute()) if path_exists(value) else _home(value)
    try:
        (value if Path(value).is_absolute() else str(Path(value).absolute())).encode("utf-8")
    except UnicodeEncodeError as error:
        shown = value.encode("utf-8", "backslashreplace").decode()
        raise RibError(f"{key}={shown}: the name is not UTF-8", "rename the file or folder") from error
    except FileNotFoundError:  # the working directory is gone; who opens the path says so
        pass
    place = Path(os.path.normpath(value))
    if key.rpartition(".")[2] in WRITTEN and place.is_absolute() and place == place.parent:
        raise RibError(f"{key}={value} is the root of the disk", f"name a place below it, such as {key}=out")
    try:
        Path(value).lstat()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise RibError(f"{key}={value[:40]}...: the name is too long", "name another one") from error
    return value


def _home(value: str) -> str:
    """The path with `~` or `~user` at its start followed, or in full where there is no such user."""
    try:
        return str(Path(value).expanduser())
    except RuntimeError:
        return str(Path(value).absolute())


def _path_values(settings: dict[str, Any], root: type, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Key, the dict or list that holds it, and the name or number in it, of every path that is set."""
    for key, holder, name in _strings(settings, prefix):
        if is_path_setting(root, key):
            yield key, holder, name


def _strings(node: Any, prefix: str) -> Iterator[tuple[str, Any, Any]]:
    for name, value in node.items() if isinstance(node, dict) else enumerate(node):
        key = f"{prefix}.{name}" if prefix else str(name)
        if isinstance(value, str):
            yield key, node, name
        elif isinstance(value, dict | list):
            yield from _strings(value, key)


def _matches(name: str, pattern: str) -> bool:
    words, patterns = name.split("."), pattern.split(".")
    return len(words) == len(patterns) and all(map(fnmatchcase, words, patterns))


def _fields(root: type) -> dict[str, dataclasses.Field[Any]]:
    return {field.name: field for field in dataclasses.fields(root)}
