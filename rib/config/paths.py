"""The folders of configs: conf/, beside the package in a checkout or inside it in a wheel, and the user's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import rib
from rib.io.errors import RibError


def conf_dir() -> Path:
    """The absolute path of conf/, whatever the working directory."""
    package = Path(rib.__file__).resolve().parent
    for folder in (package.parent / "conf", package / "_conf"):
        if (folder / "interpolate.yaml").is_file():
            return folder
    raise RibError(f"the folder conf/ was not found beside or inside {package}", "install rib again")


_added: list[Path] = []


def search_config_dirs_also(folders: Iterable[Path]) -> None:
    """Look for configs in these folders too, after rib's own; those named before are searched no more."""
    _added[:] = dict.fromkeys(folder.absolute() for folder in folders)


def conf_dirs() -> list[Path]:
    """Every folder that is searched for configs, rib's own first, which wins."""
    return [conf_dir(), *_added]


def config_group_options(group: str) -> list[str]:
    """The names that a config group offers, such as `pose` -> files, mediapipe."""
    return sorted({p.stem for folder in conf_dirs() for p in (folder / group).glob("*.yaml")})


def config_groups() -> list[str]:
    """The names of all config groups."""
    found = (p for folder in conf_dirs() for p in folder.iterdir())
    return sorted({p.name for p in found if p.is_dir() and any(p.glob("*.yaml"))})


def config_file(name: str) -> Path | None:
    """The file of a config, such as `pose/files` or `train`, in the first folder that has one."""
    files = (folder / f"{name}.yaml" for folder in conf_dirs())
    return next((file for file in files if file.is_file()), None)
