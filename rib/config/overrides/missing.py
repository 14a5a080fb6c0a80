"""The comment in conf/ of a setting without a default, for who did not give it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hydra.core.hydra_config import HydraConfig

from rib.config.paths import config_file

_SETTING = re.compile(r"((?:^ *#.*\n)*)^ *(\w+): \?\?\?(?: *# *(.*))?$", re.MULTILINE)


def comment_of_missing_setting(key: str) -> str:
    """The comment above or beside `???` in the configs of this run; "" where they have none, or several.

    Args:
        key: Such as `task.data.folder`.
    """
    name = key.rpartition(".")[2]
    files = (file for chosen in _chosen_configs() if (file := config_file(chosen)) is not None)
    comments = {
        beside or " ".join(line.strip(" #") for line in above.splitlines())
        for file in files
        for above, setting, beside in _SETTING.findall(file.read_text(encoding="utf-8"))
        if setting == name
    }
    return comments.pop() if len(comments) == 1 else ""


def _chosen_configs() -> Iterator[str]:
    """The root config and the groups' options, such as `train` and `task/motion`; none outside a run."""
    if not HydraConfig.initialized():
        return
    hydra = HydraConfig.get()
    yield str(hydra.job.config_name)
    yield from (f"{group.partition('@')[0]}/{option}" for group, option in hydra.runtime.choices.items())
