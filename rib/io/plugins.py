"""Packages of the user's own whose classes recipes may name besides rib's.

Three places name them: `plugins=[mypkg]` among the settings, the environment variable `RIB_PLUGINS` and the
entry points `rib.plugins` of installed packages. No file does: importing a package runs it.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
import traceback
from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points
from pathlib import Path

from rib.io.errors import RibError, error_in_one_line

GROUP = "rib.plugins"
VARIABLE = "RIB_PLUGINS"
CONF = "conf"
"""The folder inside a plugin that holds configs, in groups as those of rib."""
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_imported: dict[str, None] = {}


def wanted_plugins(named: Iterable[str] = (), environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Every plugin by its dotted name, once: installed ones, those of the environment, and those named.

    Args:
        named: Names out of the settings.
        environ: Where `RIB_PLUGINS` is looked up, names with commas between them.

    Raises:
        RibError: A name is none of a package.
    """
    of_environ = [name.strip() for name in environ.get(VARIABLE, "").split(",") if name.strip()]
    found = dict.fromkeys([*installed_plugins(), *of_environ, *named])
    for name in found:
        if not _NAME.fullmatch(name):
            raise RibError(f"plugins=[{name[:80]}] is no package's name", "type plugins=[mypkg]")
    return tuple(found)


def installed_plugins() -> dict[str, str]:
    """The modules that installed packages declare as plugins, and the package of each."""
    return {
        point.module: point.dist.name if point.dist else point.name for point in entry_points(group=GROUP)
    }


def import_plugins(names: Iterable[str]) -> None:
    """Import plugins, so that they register their classes and recipes may name them.

    Raises:
        RibError: One is not there, or fails while it is imported.
    """
    for name in names:
        if name in _imported:
            continue
        try:
            importlib.import_module(name)
        except Exception as error:
            raise _mistake(name, error) from error
        _imported[name] = None


def imported_plugins() -> tuple[str, ...]:
    """The plugins of this process."""
    return tuple(_imported)


def is_of_plugin(target: str) -> bool:
    """Whether a dotted path lies in a package that was imported as a plugin."""
    return target.partition(".")[0] in {name.partition(".")[0] for name in _imported}


def plugin_config_folders(names: Iterable[str]) -> list[Path]:
    """The folders `conf/` of plugins that have one; none of the packages is imported for that."""
    folders = []
    for name in names:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            continue  # importing it says so
        for place in (spec.submodule_search_locations or ()) if spec else ():
            if (folder := Path(place) / CONF).is_dir():
                folders.append(folder.resolve())
    return folders


def refuse_absent_plugins(names: Iterable[str]) -> None:
    """Refuse names that no package has, before a config of theirs is looked for; nothing is imported.

    Raises:
        RibError: There is no such package.
    """
    for name in names:
        try:
            found = importlib.util.find_spec(name) is not None
        except ModuleNotFoundError as error:  # of a package around it
            raise _mistake(name, error) from error
        except (ImportError, ValueError):
            continue  # importing it says so
        if not found:
            raise _mistake(name, ModuleNotFoundError(name=name))


def unregistered_class_hint(target: str, place: str) -> str:
    """What to do about a recipe from a file that names a class which nobody registered, or ""."""
    package = target.partition(".")[0]
    if "." not in target or package in sys.stdlib_module_names or not _NAME.fullmatch(target):
        return ""
    if is_of_plugin(target):
        return f'the plugin {package} registers none by that name: put @register("{place}") above the class'
    return f"if that is a plugin which you trust, type plugins=[{package}]"


def _mistake(name: str, error: Exception) -> RibError:
    if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
        owner = installed_plugins().get(name)
        return RibError(
            f"plugins=[{name}]: there is no package {error.name!r} to import",
            f"install {owner} again"
            if owner
            else "install it (pip install -e FOLDER), or type PYTHONPATH=FOLDER before the command",
        )
    own = [f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename]
    where = f" ({own[-1].filename}:{own[-1].lineno})" if len(own) > 1 else ""
    return RibError(f"plugins=[{name}]: importing it failed{where}: {error_in_one_line(error)[:200]}")
