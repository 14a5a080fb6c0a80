"""The settings that a result or a run folder was made with, as data: nothing in them is run or filled in."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rib.config.renamed import add_new_settings, current_settings, drop_gone_settings
from rib.io.errors import RibError, reason_of_error
from rib.io.files.text import read_text_file
from rib.io.recipe import did_you_mean
from rib.io.registry import REGISTRY
from rib.io.settings.paths import is_path_setting, path_exists

FILES = {"config.yaml": "interpolate", "config.json": "train"}
"""The frozen settings of a result and of a run folder, and the command that wrote them."""
RECIPES = {
    "interpolate": {
        "pose": "pose stage",
        "mask": "mask stage",
        "motion": "motion stage",
        "background": "background stage",
        "render": "render stage",
        "plate": "plate",
    },
    "train": {
        "task.module": "module",
        "task.data": "data module",
        "net": "motion net or renderer net",
        "trainer": "trainer",
        "callbacks.*": "callback",
        "logger.*": "logger",
    },
}
"""Where recipes stand in a command's settings, and what each is of."""
NEVER_TAKEN = ("hydra", "plugins")
"""Settings that would run something; they are told, and left out."""
INNER = (".hydra", "checkpoints", "frames", "poses")
"""Folders inside a result or a run folder."""
LARGEST_BYTES = 200_000


@dataclass(frozen=True)
class FrozenConfig:
    """Settings out of a file.

    Attributes:
        verb: The command that they are of.
        file: The file.
        settings: Plain values, and recipes that name registered classes alone.
        left_out: What was found besides and is not taken, by name.
        start: The folder that the command was started in, or None where nothing says so.
    """

    verb: str
    file: Path
    settings: dict[str, Any]
    left_out: dict[str, Any]
    start: Path | None


def read_frozen_config(path: Path, root_of: Mapping[str, type]) -> FrozenConfig:
    """Read the settings of a result or a run folder.

    Args:
        path: The folder, or a file in it.
        root_of: The typed root of each command.

    Raises:
        RibError: There are none, they cannot be read, hold an unknown key, a value to be filled in or
            anything but plain values, or a recipe names what is not registered for its place.
    """
    file = _find(path)
    verb, content = FILES[file.name], _content(file)
    known = [field.name for field in dataclasses.fields(root_of[verb])]  # type: ignore[arg-type]
    left_out = {key: content.pop(key) for key in NEVER_TAKEN if key in content}
    current_settings(content)
    left_out |= drop_gone_settings(content)
    for key in content:
        if key not in known:
            raise RibError(f"{file}: there is no setting {str(key)[:80]!r}", did_you_mean(str(key), known))
    settings = REGISTRY.settings(content, RECIPES[verb], file)
    add_new_settings(settings)
    for key, value in texts_in_config(settings):
        if "${" in value and not (is_path_setting(root_of[verb], key) and path_exists(value)):
            raise RibError(
                f"{file}: {key}={value[:80]} would have to be filled in", f"type {key}= and what it means"
            )
    return FrozenConfig(verb, file, settings, left_out, _start(file))


def texts_in_config(node: Any, where: str = "") -> list[tuple[str, str]]:
    """Every text inside plain settings, with its dotted key."""
    if isinstance(node, str):
        return [(where, node)]
    if isinstance(node, Mapping):
        inner = [(f"{where}.{key}" if where else key, value) for key, value in node.items()]
    elif isinstance(node, list):
        inner = [(f"{where}.{number}", value) for number, value in enumerate(node)]
    else:
        return []
    return [found for key, value in inner for found in texts_in_config(value, key)]


def _find(path: Path) -> Path:
    path = path.expanduser().resolve()
    if not path.exists():
        raise RibError(f"there is no {path}", "name the folder of a result or of a training")
    if path.is_file() and path.name in FILES and path.parent.name not in INNER:
        return path
    if path.is_file() and (path.with_suffix(".rib") / "config.yaml").is_file():
        return path.with_suffix(".rib") / "config.yaml"
    folder = path if path.is_dir() else path.parent
    folder = folder.parent if folder.name in INNER else folder
    for name in ("config.json", "config.yaml"):
        if (folder / name).is_file():
            return folder / name
    raise RibError(
        f"{path} holds neither a result's config.yaml nor a training's config.json",
        "name the result of `rib interpolate` or the run folder of `rib train`",
    )


def _content(file: Path) -> dict[Any, Any]:
    text = read_text_file(file, "the settings ", "name a folder that rib wrote", largest_bytes=LARGEST_BYTES)
    try:
        content = json.loads(text) if file.suffix == ".json" else yaml.load(text, _NoAliases)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise RibError(f"{file} cannot be read as settings ({reason_of_error(error)})") from error
    if not isinstance(content, dict):
        raise RibError(f"{file} holds no settings", "name a folder that rib wrote")
    return content


class _NoAliases(yaml.SafeLoader):
    """Plain YAML without anchors, a few of which can stand for more than any memory holds."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """See PyYAML."""
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("it refers to parts of itself")
        return super().compose_node(parent, index)


def _start(file: Path) -> Path | None:
    """The folder that the command was started in, as the papers beside the settings tell it."""
    told: Any
    if file.suffix == ".yaml":
        told = _told(file.with_name("summary.json"), "started_in")
    else:
        told = _told(file.with_name("start.json"), "folder")
    if told is None:  # Hydra's own paper of a training
        told = _told(file.parent / ".hydra" / "hydra.yaml", "hydra", "runtime", "cwd")
    return Path(told) if isinstance(told, str) and Path(told).is_absolute() else None


def _told(file: Path, *keys: str) -> Any:
    try:
        found: Any = _content(file)
    except RibError:
        return None
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found
