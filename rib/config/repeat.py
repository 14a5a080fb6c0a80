"""`rib repeat`: the settings of a result or a run folder as a root that the user's own words then change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from rib.config.compose import compose_defaults
from rib.config.frozen import FrozenConfig, read_frozen_config, texts_in_config
from rib.config.overrides.literal import escape_interpolation
from rib.config.overrides.shorthand import INPUT, OUTPUT, TAKES_VALUE, shorthand_to_overrides
from rib.config.paths import conf_dir
from rib.config.renamed import GONE, current_override
from rib.config.schema import ROOTS
from rib.config.search import plugins_on_command_line
from rib.io.errors import RibError
from rib.io.plugins import import_plugins, imported_plugins, wanted_plugins
from rib.io.settings.paths import is_path_setting

ROOT = "repeat"
"""The name under which Hydra knows the settings."""
GROUPS = {
    "interpolate": ("pose", "mask", "motion", "background", "render", "video"),
    "train": ("net", "trainer", "callbacks", "logger", "launch", "sweep", "debug"),
}
"""Choices that can be made anew when repeating; a training keeps its task."""
OWN = {"interpolate": ("output", "overwrite", "cache"), "train": ("run_dir", "run")}
"""Settings of where a command writes: those of the one that is repeated are not taken."""
LINKS = {
    "interpolate": {
        "motion.device": "device",
        "background.device": "device",
        "background.batch_mpx": "batch_mpx",
        "pose.path": "poses",
        "pose.layout": "keypoints",
        "motion.path": "poses",
        "motion.layout": "keypoints",
    },
    "train": {
        "task.module.net": "net",
        "task.data.seed": "seed",
        "callbacks.seeds.seed": "seed",
        "callbacks.checkpoint.monitor": "optimize.metric",
        "callbacks.checkpoint.mode": "optimize.mode",
        "callbacks.early_stopping.metric": "optimize.metric",
        "callbacks.early_stopping.mode": "optimize.mode",
        "logger.wandb.name": "name",
    },
}
"""Settings that follow another in conf/, and go on following it where the frozen values agree."""
TRAINING = f"{ROOT}_training"
"""The name under which Hydra knows what another choice of `trainer` leaves as it was."""
MACHINE = ("_target_", "accelerator", "devices", "num_nodes", "precision", "strategy")
"""What a choice of `trainer` is of; how long a run is, how it is clipped and so on stay those of the run."""
RATES = ("rate", "fps")
"""Settings that say the same in two ways: the one that is typed takes the place of the other."""
FILLED = {"interpolate": (), "train": ("trainer", "optimize")}
"""Settings that get today's defaults where they lack some, if they are of the same class; () is all."""
NO_PATHS = ("synthetic", "untrained")
"""Words that stand in the place of a path."""


def register_repeated_config(path: str, typed: Sequence[str]) -> tuple[str, list[str], list[str]]:
    """Make the settings in a folder known to Hydra as the root `ROOT`.

    Args:
        path: The folder of a result or of a training, or a file in it.
        typed: What the user typed besides, to change settings.

    Returns:
        The command to run, its arguments, and lines to tell the user.

    Raises:
        RibError: The settings cannot be read, or would have something outside the repetition written.
    """
    import_plugins(wanted_plugins(plugins_on_command_line(typed)))
    frozen = read_frozen_config(Path(path), ROOTS)
    if "input" in ROOTS[frozen.verb].__dataclass_fields__:
        _refuse_second_folder(path, typed, frozen.verb)
        typed = shorthand_to_overrides(typed, ROOTS[frozen.verb])
    typed = [current_override(argument) for argument in typed]
    changed = {re.split("[=@]", argument.lstrip("+~"))[0] for argument in typed}
    notes = [
        _NOTES[name].format(file=frozen.file, value=str(value)[:80])
        for name, value in frozen.left_out.items()
        if name in _NOTES and (name != "plugins" or _lacking(value))
    ]
    notes += _of_before(frozen)
    settings = {key: value for key, value in frozen.settings.items() if key not in OWN[frozen.verb]}
    _from_start(settings, frozen, changed, notes)
    _take_typed_rate(settings, typed, changed)
    if frozen.verb == "train":
        _into_own_folder(settings, frozen, changed)
    arguments = list(typed)
    if frozen.verb == "interpolate":
        arguments.append(_fresh_output(frozen, typed))
    chosen = changed & set(GROUPS[frozen.verb])
    _store(frozen.verb, _linked(settings, frozen.verb), chosen)
    return frozen.verb, [argument for argument in arguments if argument], notes


def _refuse_second_folder(path: str, typed: Sequence[str], verb: str) -> None:
    """Raise where a word stands alone that `rib interpolate` would take for an input."""
    for before, word in pairwise(["", *typed]):
        if word.startswith("-") or before in (*INPUT, *OUTPUT, *TAKES_VALUE):
            continue
        if shorthand_to_overrides([word], ROOTS[verb]) == [f"input={word}"]:
            raise RibError(
                f"rib repeat was given {word} after {path}, and repeats one result",
                f"repeat each by itself; for another clip with these settings type input={word}",
            )


def _take_typed_rate(settings: dict[str, Any], typed: Sequence[str], changed: set[str]) -> None:
    """Let the rate that is typed take the place of the other kind, in place."""
    for one, other in (RATES, RATES[::-1]):
        if one in changed - {other} and f"{one}=null" not in typed and settings.get(other) is not None:
            settings[other] = None


def _lacking(plugins: Any) -> bool:
    """Whether settings name plugins that the user did not bring."""
    return not (isinstance(plugins, list) and {str(name) for name in plugins} <= set(imported_plugins()))


_NOTES = {
    "hydra": "{file}: its section hydra: is left out",
    "plugins": "{file} names plugins ({value}), which are not imported; type plugins= to bring yours",
}


def _of_before(frozen: FrozenConfig) -> list[str]:
    """One line where the result has settings that nothing reads today."""
    gone = [key for key in GONE if key in frozen.left_out]
    if not gone:
        return []
    today = "; ".join(dict.fromkeys(GONE[key] for key in gone))
    what = f"{', '.join(gone)} are left out and frames may differ"
    return [f"{frozen.file} is of an earlier release: {what} ({today})"]


def _from_start(settings: dict[str, Any], frozen: FrozenConfig, changed: set[str], notes: list[str]) -> None:
    """Let relative paths mean what they meant where the command was started, in place."""
    relative = []
    for key, value in texts_in_config(settings):
        if not is_path_setting(ROOTS[frozen.verb], key) or value in NO_PATHS or key in changed:
            continue
        if value and not value.startswith("~") and not Path(value).is_absolute():
            relative.append(key)
            _put(settings, key, str((frozen.start or Path.cwd()) / value))
    if relative and frozen.start is None:
        notes.append(
            f"{frozen.file} does not say where it was started: {', '.join(relative)} taken from this folder"
        )


def _into_own_folder(settings: dict[str, Any], frozen: FrozenConfig, changed: set[str]) -> None:
    """Let what a training writes lie in its own folder, in place.

    Raises:
        RibError: Something would be written elsewhere, and the user did not type it.
    """
    before = str(frozen.settings.get("run_dir", ""))
    for part in ("callbacks", "logger", "trainer"):
        for key, value in texts_in_config(settings.get(part), part):
            if (
                before
                and (value == before or value.startswith(f"{before}/"))
                and ".." not in Path(value).parts
            ):
                _put(settings, key, _Text("${run_dir}" + escape_interpolation(value[len(before) :])))
            elif key not in changed and _leads_elsewhere(key, value):
                raise RibError(
                    f"{frozen.file}: {key}={value[:80]} lies outside the run's folder",
                    f"type {key}= where it is to lie",
                )
    name = settings.get("name")
    if "name" not in changed and isinstance(name, str) and (Path(name).is_absolute() or ".." in name):
        raise RibError(f"{frozen.file}: name={name[:80]} leads out of runs/", "type name=")


_FOLDER_KEYS = {"dirpath", "folder", "save_dir", "default_root_dir", "root_dir", "dir"}


def _leads_elsewhere(key: str, value: str) -> bool:
    name = key.rpartition(".")[2]
    if name == "_target_":
        return False
    return name in _FOLDER_KEYS or Path(value).is_absolute() or ".." in Path(value).parts


def _fresh_output(frozen: FrozenConfig, typed: Sequence[str]) -> str:
    """`output=` for a repeated interpolation: what was typed, or a new folder or video beside the result.

    Raises:
        RibError: It is the very result that is repeated.
    """
    from rib.video.writing.containers import CONTAINERS

    result = frozen.file.parent
    video = Path(str(frozen.settings.get("output")))
    if result.name == f"{video.stem}.rib" and video.suffix.lower() in CONTAINERS:
        result = result.with_suffix(video.suffix)
    named = [argument.partition("=")[2] for argument in typed if argument.startswith("output=")]
    if not named:
        number, suffix = 2, result.suffix if result.suffix in CONTAINERS else ""
        while (output := result.with_name(f"{result.name.removesuffix(suffix)}_{number}{suffix}")).exists():
            number += 1
        return f"output={output}"
    if (
        Path(named[-1]).expanduser().absolute().resolve() in (result.resolve(), frozen.file.parent.resolve())
        and "overwrite=true" not in typed
    ):
        raise RibError(f"output={named[-1]} is the result that is repeated", "name another folder")
    return ""


def _linked(settings: dict[str, Any], verb: str) -> dict[str, Any]:
    """The settings for OmegaConf: texts stand as they are, and what follows another still follows it."""
    linked: dict[str, Any] = _escaped(settings)
    found = dict(_leaves(settings, LINKS[verb]))
    for key, value in found.items():
        followed = LINKS[verb][key]
        if (followed, value) in _leaves(settings, [followed]):
            _put(linked, key, "${" + followed + "}")
    return linked


def _leaves(settings: Mapping[str, Any], keys: Iterable[str]) -> list[tuple[str, Any]]:
    found = []
    for key in keys:
        node: Any = settings
        for name in key.split("."):
            node = node.get(name, _MISSING) if isinstance(node, Mapping) else _MISSING
        if node is not _MISSING:
            found.append((key, node))
    return found


_MISSING = object()


class _Text(str):
    """Text of ours that is to be filled in."""

    __slots__ = ()


def _escaped(node: Any) -> Any:
    if isinstance(node, _Text):
        return str(node)
    if isinstance(node, str):
        return escape_interpolation(node)
    if isinstance(node, Mapping):
        return {key: _escaped(value) for key, value in node.items()}
    return [_escaped(value) for value in node] if isinstance(node, list) else node


def _put(settings: Any, key: str, value: Any) -> None:
    *path, last = key.split(".")
    for name in path:
        settings = settings[int(name)] if isinstance(settings, list) else settings[name]
    settings[int(last) if isinstance(settings, list) else last] = value


def _store(verb: str, settings: dict[str, Any], chosen: set[str]) -> None:
    """Put today's defaults beneath the settings, and both where Hydra looks for a root."""
    from hydra.core.config_store import ConfigStore

    defaults = compose_defaults(verb)
    root = OmegaConf.load(conf_dir() / f"{verb}.yaml")
    assert isinstance(root, DictConfig)
    content = {**defaults, **settings}
    for key in FILLED[verb] or settings:
        own, value = defaults.get(key), settings.get(key)
        if isinstance(own, dict) and isinstance(value, dict) and own.get("_target_") == value.get("_target_"):
            content[key] = {**own, **value}
    content = {key: value for key, value in content.items() if key not in chosen}
    groups: list[Any] = [{group: None} for group in GROUPS[verb]]
    if "trainer" in chosen and isinstance(trainer := settings.get("trainer"), Mapping):
        kept = {key: value for key, value in trainer.items() if key not in MACHINE}
        ConfigStore.instance().store(name=TRAINING, node=kept, provider="rib")
        groups.insert(groups.index({"trainer": None}) + 1, f"{TRAINING}@trainer")
    listed = [
        f"{verb}_schema",
        "_self_",
        *groups,
        *(one for one in root.defaults if isinstance(one, DictConfig) and "override" in str(next(iter(one)))),
    ]
    node = {"defaults": listed, **content, "hydra": OmegaConf.to_container(root.hydra)}
    ConfigStore.instance().store(name=ROOT, node=node, provider="rib")
