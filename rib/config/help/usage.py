"""Help of `rib <verb> --help`: the root config with its comments, which are its documentation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rib.config.annotations import hints_inside, ranges_in
from rib.config.paths import conf_dir, config_file, config_group_options
from rib.config.schema import ROOTS
from rib.io.settings.records import annotations_of_settings

_GLOBAL = "# @package _global_"
_SETTING = re.compile(r"^( {0,2})(\w+):")
_CHOICE = re.compile(r"^  - /?([\w/]+)(?:@\w+)?: (.+)$", re.MULTILINE)


def verb_help(verb: str) -> str:
    """The command's settings as they stand in conf/, and the options of every group that it uses."""
    root = conf_dir() / f"{verb}.yaml"
    title = root.read_text(encoding="utf-8").partition("\ndefaults:\n")[0]
    choices, settings = _read(root)
    return "\n".join(
        [
            f"usage: rib {verb} key=value ... [-m for a sweep] [--cfg job to print the config]",
            "",
            title.strip(),
            "",
            "choices # default (each with settings of its own, e.g. pose.<setting>=...; see conf/<choice>/):",
            *([_choice(group, chosen) for group, chosen in choices.items()] or ["  none"]),
            "",
            "settings:",
            *(_with_ranges(block, annotations_of_settings(ROOTS[verb])) for block in settings),
        ]
    )


def _choice(group: str, chosen: str) -> str:
    """A group's options and its default."""
    return f"  {group}={'|'.join(config_group_options(group))}  # {chosen}"


def _with_ranges(block: str, hints: Mapping[str, Any]) -> str:
    """A block of settings, each number with the range that is declared for it."""
    told, inside = [], ""
    for line in block.splitlines():
        found = _SETTING.match(line)
        if found is None:
            told.append(line)
            continue
        indent, name = found.groups()
        inside = inside if indent else name
        known = hints if not indent else hints_inside({}, hints.get(inside))
        words = [each.words().removeprefix("a number").strip() for each in ranges_in(known.get(name))]
        told.append(f"{line}  # {' or '.join(words)}" if any(words) else line)
    return "\n".join(told)


def config_groups_of_verb(verb: str) -> dict[str, str]:
    """The groups that a command chooses from, with their defaults."""
    return _read(conf_dir() / f"{verb}.yaml")[0]


def _read(path: Path) -> tuple[dict[str, str], list[str]]:
    """Groups with their defaults, and blocks of settings, of a config and of the global ones it includes."""
    body = path.read_text(encoding="utf-8").partition("\ndefaults:\n")[2]
    lines = body.splitlines()
    end = next((i for i, line in enumerate(lines) if line and not line.startswith((" ", "#"))), len(lines))
    while end and lines[end - 1].startswith("#"):  # the first setting's comment
        end -= 1
    choices: dict[str, str] = {}
    settings = ["\n".join(lines[end:]).partition("\nhydra:")[0].strip()]
    for group, option in _CHOICE.findall("\n".join(lines[:end])):
        included = config_file(f"{group}/{option}")
        if included and included.read_text(encoding="utf-8").startswith(_GLOBAL):
            inner_choices, inner_settings = _read(included)
            choices |= inner_choices
            settings = inner_settings + settings
        elif "/" not in group and not group.startswith("override"):
            choices[group] = option
    return choices, [block for block in settings if block]
