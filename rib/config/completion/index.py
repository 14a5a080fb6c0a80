"""The index of words for the shell, made from every command's config."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from rib.config.app import OPTIONS
from rib.config.completion.words import (
    CompletionIndex,
    completion_index_path,
    completion_stamp,
    searched_config_folders,
)
from rib.config.compose import compose_defaults
from rib.config.help.usage import config_groups_of_verb
from rib.config.help.verbs import VERBS
from rib.config.paths import config_file, config_group_options, config_groups
from rib.config.schema import ROOTS
from rib.config.search import settle_config_search
from rib.io.files.whole import write_text_whole
from rib.io.settings.ranges import OneOf
from rib.io.settings.records import Settings, annotations_of_settings

FOLLOWS = {"configs": ["ls", "show", "cp"], "new": ["experiment"], "completion": ["bash", "zsh", "fish"]}
"""What follows commands without settings."""
SHOWN = ("--help", "--config-dir", "--multirun", "--cfg", "--info", "--resolve")
"""Hydra's options that people type."""


def write_completion_index() -> CompletionIndex:
    """Make the index and keep it in the user's cache."""
    settle_config_search([])
    index = build_completion_index()
    completion_index_path().parent.mkdir(parents=True, exist_ok=True)
    write_text_whole(completion_index_path(), json.dumps(index))
    return index


def build_completion_index(roots: Sequence[str] = tuple(ROOTS)) -> CompletionIndex:
    """The index of some commands with settings, and of all without."""
    folders = searched_config_folders()
    known = {group: config_group_options(group) for group in config_groups()}
    verbs = [verb for verb in VERBS if verb in roots]
    return {
        "stamp": completion_stamp(folders),
        "folders": folders,
        "verbs": {verb: FOLLOWS.get(verb, []) for verb in VERBS},
        "options": {verb: _options(verb) for verb in verbs},
        "choices": {verb: list(config_groups_of_verb(verb)) for verb in verbs},
        "keys": {verb: list(_keys(compose_defaults(verb))) for verb in verbs},
        "values": {verb: dict(_values(ROOTS[verb])) for verb in verbs},
        "groups": known,
        "inner": {
            f"{group}/{option}": list(_keys(found, f"{group}."))
            for group, names in known.items()
            for option in names
            if (found := _inner(group, option))
        },
    }


def _options(verb: str) -> list[str]:
    short = ["--output", "-o"] if "output" in ROOTS[verb].__dataclass_fields__ else []
    return [*(option for option in SHOWN if option in OPTIONS), *short]


def _keys(node: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in node.items():
        if str(name) == "_target_":
            continue
        yield f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _keys(value, f"{prefix}{name}.")


def _values(record: type[Settings], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """The words that settings take: those of a choice, and true and false."""
    for name, hint in annotations_of_settings(record).items():
        marks = [mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, OneOf)]
        plain = typing.get_args(hint)[0] if hasattr(hint, "__metadata__") else hint
        if marks:
            yield f"{prefix}{name}", [str(word) for word in marks[0].choices]
        elif plain is bool:
            yield f"{prefix}{name}", ["true", "false"]
        elif isinstance(plain, type) and issubclass(plain, Settings):
            yield from _values(plain, f"{prefix}{name}.")


def _inner(group: str, option: str) -> dict[str, Any]:
    """The settings in an option's file, with those of the options of its group that it begins from."""
    file = config_file(f"{group}/{option}")
    text = file.read_text(encoding="utf-8") if file else ""
    if not text or text.startswith("# @package _global_"):
        return {}
    content = yaml.safe_load(text) or {}
    found: dict[str, Any] = {}
    for base in content.pop("defaults", []):
        if isinstance(base, str) and base not in ("_self_", option):
            found |= _inner(group, base)
    return {**found, **content}
