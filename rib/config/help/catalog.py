"""The configs that there are, rib's and the user's: listed, shown, copied, and new ones written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rib.config.paths import conf_dir, config_file, config_group_options, config_groups
from rib.io.errors import RibError
from rib.io.files.whole import write_text_whole
from rib.io.recipe import did_you_mean
from rib.io.registry import REGISTRY

_NAME = re.compile(r"\w[\w-]*", re.ASCII)


def list_configs(group: str | None = None) -> Iterator[str]:
    """A line a group with its options, or a line an option of one group with what it says about itself.

    Classes that plugins register follow, by the place that they are built for.

    Raises:
        RibError: There is no such group.
    """
    if group is None:
        for name in config_groups():
            yield f"{name}: {' '.join(_told(name, option) for option in config_group_options(name))}"
        for place, target in REGISTRY.plugged():
            yield f"registered as {place}: {target}"
        return
    if not config_group_options(group):
        raise RibError(f"there is no config group {group!r}", did_you_mean(group, config_groups()))
    width = max(map(len, config_group_options(group)))
    for option in config_group_options(group):
        yield f"{option:{width}}  {_first_comment(_found(f'{group}/{option}'))}"


def show_config(name: str) -> str:
    """The text of a config such as `net/motion_tiny` or `train`.

    Raises:
        RibError: There is none.
    """
    return _found(name).read_text(encoding="utf-8")


def copy_config(name: str, new: str, folder: Path) -> Path:
    """Copy a config under another name into a folder of the user's; returns the file.

    Args:
        name: Such as `net/motion_tiny`.
        new: What the copy is called, in the same group.
        folder: What `--config-dir` is to name.

    Raises:
        RibError: There is no such config, or the name is taken.
    """
    group, slash, _ = name.rpartition("/")
    if not slash:
        raise RibError(f"{name} is a command's root, of which there is one", "copy GROUP/OPTION")
    return _write(folder, group, new, show_config(name))


def write_experiment_config(name: str, folder: Path, task: str) -> Path:
    """Write an experiment with comments, to be filled in; returns the file.

    Args:
        name: Of the experiment.
        folder: What `--config-dir` is to name.
        task: The option of `task=` that it trains.

    Raises:
        RibError: There is no such task, or the name is taken.
    """
    if task not in config_group_options("task"):
        raise RibError(
            f"task={task}: there is no such option", did_you_mean(task, config_group_options("task"))
        )
    net = "motion_base" if task.startswith("motion") else "renderer_base"
    text = EXPERIMENT.format(name=name, folder=folder, task=task, net=net)
    return _write(folder, "experiment", name, text)


EXPERIMENT = """# @package _global_
# The question that this experiment asks, in a line, and the number to expect.
#   rib train --config-dir {folder} experiment={name}
defaults:
  # or begin from what another experiment changes: - motion_smoke
  - override /task: {task}
  - override /net: {net}
  # - override /trainer: gpu
  # - override /logger: wandb

# the run's folder is runs/<name>/<date>
name: {name}
seed: 1
# what differs, and nothing else: `rib configs show task/{task}` has every setting with its meaning and unit
task:
  module:
    optimizer: {{lr: 1e-3}}
trainer:
  max_epochs: 10
"""


def _write(folder: Path, group: str, name: str, text: str) -> Path:
    if not _NAME.fullmatch(name):
        raise RibError(f"{name[:80]!r} is no name of a config", "use letters, digits, _ and -")
    file = folder / group / f"{name}.yaml"
    if name in config_group_options(group) or file.exists():
        raise RibError(f"{group}={name} is there already", "choose another name")
    write_text_whole(file, text)
    return file


def _found(name: str) -> Path:
    file = config_file(name)
    if file is None:
        group, _, option = name.rpartition("/")
        raise RibError(
            f"there is no config {name!r}",
            did_you_mean(option, config_group_options(group))
            if group in config_groups()
            else "name GROUP/OPTION; `rib configs ls` lists them",
        )
    return file


def _told(group: str, option: str) -> str:
    """An option; one that is not rib's is marked."""
    return option if (conf_dir() / group / f"{option}.yaml").is_file() else f"{option}*"


def _first_comment(file: Path) -> str:
    lines = (line[1:].strip() for line in file.read_text(encoding="utf-8").splitlines() if line[:1] == "#")
    return next((line for line in lines if not line.startswith("@package")), "")
