"""Code and configs of the user's own, as a command line names them: `plugins=` and `--config-dir`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rib.config.paths import conf_dir, conf_dirs, search_config_dirs_also
from rib.io.errors import RibError
from rib.io.plugins import plugin_config_folders, refuse_absent_plugins, wanted_plugins

CONFIG_DIR = ("--config-dir", "-cd")
_PLUGINS = re.compile(r"\+{0,2}plugins=(.*)", re.DOTALL)


def settle_config_search(arguments: Sequence[str], keep: bool = False) -> tuple[list[str], tuple[str, ...]]:
    """Search the folders of configs that a command line names, and those of plugins.

    Args:
        arguments: As they were typed.
        keep: Go on searching the folders of before too.

    Returns:
        The arguments without `--config-dir`, and the names of all plugins: installed ones, those of the
        environment and those typed.

    Raises:
        RibError: A folder is not there or has a config by the name of one of rib's; a name is no package's;
            or there is no such package.
    """
    left, folders = _without_folders(list(arguments))
    typed = plugins_on_command_line(left)
    names = wanted_plugins(typed)
    refuse_absent_plugins(name for name in typed if name != "null")
    search_config_dirs_also(
        [*(conf_dirs()[1:] if keep else ()), *_own([*folders, *plugin_config_folders(names)])]
    )
    return [_as_list(argument) for argument in left], names


def plugins_on_command_line(arguments: Iterable[str]) -> list[str]:
    """The names in `plugins=[a,b]`, also without the brackets; the last one counts."""
    typed = [match[1] for argument in arguments if (match := _PLUGINS.fullmatch(argument))]
    words = typed[-1].strip().strip("[]").split(",") if typed else []
    return [name for word in words if (name := word.strip().strip("'\""))]


def _as_list(argument: str) -> str:
    if not _PLUGINS.fullmatch(argument):
        return argument
    return f"{argument.partition('=')[0]}=[{','.join(plugins_on_command_line([argument]))}]"


def _without_folders(arguments: list[str]) -> tuple[list[str], list[Path]]:
    left, folders = [], []
    while arguments:
        option, equals, value = (argument := arguments.pop(0)).partition("=")
        if option not in CONFIG_DIR:
            left.append(argument)
            continue
        if not equals and not arguments:
            raise RibError(f"{option} names no folder", f"type {option} FOLDER")
        folder = Path(value if equals else arguments.pop(0)).expanduser()
        if not folder.is_dir():
            raise RibError(f"{option} {folder}: there is no such folder", f"type {option} FOLDER")
        folders.append(folder.absolute())
    return left, folders


def _own(folders: list[Path]) -> list[Path]:
    """The folders, once none of their configs hides behind one of rib's."""
    for folder in folders:
        for file in sorted(folder.glob("*/**/*.yaml")):
            name = file.relative_to(folder)
            if (conf_dir() / name).is_file() and not (conf_dir() / name).samefile(file):
                raise RibError(f"{file} has the name of a config of rib", "give it another name")
    return folders


def register_config_search() -> None:
    """Have Hydra search the folders too."""
    from hydra.core.config_search_path import ConfigSearchPath
    from hydra.core.plugins import Plugins
    from hydra.plugins.search_path_plugin import SearchPathPlugin

    if _registered:
        return

    class OwnConfigs(SearchPathPlugin):
        """Adds the folders after rib's conf/."""

        def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
            """Called by Hydra before it composes."""
            for folder in conf_dirs()[1:]:
                search_path.append("rib", f"file://{folder}")

    Plugins.instance().register(OwnConfigs)
    _registered.append(OwnConfigs)


_registered: list[Any] = []
