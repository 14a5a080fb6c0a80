"""The answer to a shell that asks what can follow; the index is made where there is none."""

from __future__ import annotations

import os
from collections.abc import Sequence

from rib.config.completion.words import completion_words, read_completion_index
from rib.config.paths import config_group_options, config_groups

OWN = ("--config-dir", "-cd", "plugins=", "+plugins=")
"""Words that bring configs that the index does not know."""


def answer_completion(typed: Sequence[str]) -> list[str]:
    """What can stand in the place of the last word typed after `rib`; the index is made if need be."""
    index = read_completion_index()
    if index is None:
        from rib.config.completion.index import write_completion_index

        index = write_completion_index()
    before = list(typed[:-1])
    if before[-1:] not in (["--config-dir"], ["-cd"]) and _has_own(before):
        index = {**index, "groups": _own_groups(before)}
    return completion_words(typed, index)


def _has_own(before: Sequence[str]) -> bool:
    return "RIB_PLUGINS" in os.environ or any(word.startswith(OWN) for word in before)


def _own_groups(before: Sequence[str]) -> dict[str, list[str]]:
    """Every group with the options of the user's folders and plugins."""
    from rib.config.search import settle_config_search
    from rib.io.errors import RibError

    try:
        settle_config_search(before)
    except RibError:  # told when the command runs
        return {}
    return {group: config_group_options(group) for group in config_groups()}
