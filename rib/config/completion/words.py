"""Words that can follow on a command line, for the shell: out of an index, in a few hundredths of a second.

Nothing heavy is imported here. The index is written by `rib --install-completion`, and again by the first
completion after rib, a config or a plugin has changed.
"""

from __future__ import annotations

import json
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypedDict

from rib.config.paths import conf_dir, conf_dirs


class CompletionIndex(TypedDict):
    """Words by the place where they can stand.

    Attributes:
        stamp: See `completion_stamp`.
        folders: Of configs besides rib's own, those of installed plugins.
        verbs: The commands, and of those without settings what follows.
        options: Of a command with settings.
        choices: Its groups.
        keys: Its dotted settings.
        values: Words that a setting takes, by command and setting.
        groups: Options of every group.
        inner: Dotted settings of every `group/option`.
    """

    stamp: str
    folders: list[str]
    verbs: dict[str, list[str]]
    options: dict[str, list[str]]
    choices: dict[str, list[str]]
    keys: dict[str, list[str]]
    values: dict[str, dict[str, list[str]]]
    groups: dict[str, list[str]]
    inner: dict[str, list[str]]


def completion_words(typed: Sequence[str], index: CompletionIndex) -> list[str]:
    """What can stand in the place of the last word; those that are complete end with a space.

    Args:
        typed: The words after `rib`, the last one unfinished, maybe empty.
        index: Where they are looked up.
    """
    if len(typed) < 2:
        return [*(f"{verb} " for verb in index["verbs"]), "--help ", "--version ", "--install-completion "]
    verb, current = typed[0], typed[-1]
    if verb not in index["keys"]:
        return _static(typed, index)
    prefix = current[: len(current) - len(current.lstrip("+~"))]
    key, equals, _ = current.removeprefix(prefix).partition("=")
    if equals:
        known = index["values"].get(verb, {}).get(key, index["groups"].get(key, []))
        return [f"{prefix}{key}={value} " for value in known]
    keys = [name for name in _keys(typed, index) if "." in key or "." not in name]
    found = [*(f"{prefix}{name}=" for name in keys), *_choices(verb, prefix, index)]
    return found if prefix else [*(f"{option} " for option in index["options"][verb]), *found]


def _static(typed: Sequence[str], index: CompletionIndex) -> list[str]:
    """Words of a command without settings: `rib configs show <Tab>`, `rib --install-completion <Tab>`."""
    if len(typed) == 2:
        shells = ["bash", "zsh", "fish"] if typed[0] == "--install-completion" else []
        return [f"{word} " for word in index["verbs"].get(typed[0], shells)]
    if typed[0] == "configs" and len(typed) == 3:
        if typed[1] == "ls":
            return [f"{group} " for group in index["groups"]]
        return [f"{group}/{option} " for group, known in index["groups"].items() for option in known]
    return []


def _keys(typed: Sequence[str], index: CompletionIndex) -> Iterator[str]:
    """The command's settings, those of a group as its chosen option has them."""
    chosen = dict(word.split("=", 1) for word in typed[1:-1] if "=" in word)
    inner = {group: f"{group}/{option}" for group, option in chosen.items()}
    replaced = {group: name for group, name in inner.items() if name in index["inner"]}
    for name in index["keys"][typed[0]]:
        if name.partition(".")[0] not in replaced:
            yield name
    for option in replaced.values():
        yield from index["inner"][option]


def _choices(verb: str, prefix: str, index: CompletionIndex) -> Iterator[str]:
    for group in index["choices"][verb]:
        yield from (f"{prefix}{group}={option} " for option in index["groups"].get(group, []))


def completion_index_path() -> Path:
    """Where the index lies, in the user's cache."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("rib")) / "completion.json"


def read_completion_index() -> CompletionIndex | None:
    """The index, or None where there is none or it is of before a change."""
    try:
        found: CompletionIndex = json.loads(completion_index_path().read_text(encoding="utf-8"))
        return found if found["stamp"] == completion_stamp(found["folders"]) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def completion_stamp(folders: Sequence[str]) -> str:
    """Words that change with rib's configs, with those in other folders, and with what is installed."""
    files = [f for folder in (str(conf_dir()), *folders) for f in Path(folder).glob("**/*.yaml")]
    newest = max((f.stat().st_mtime_ns for f in files), default=0)
    installed = Path(sysconfig.get_path("purelib")).stat().st_mtime_ns
    return f"{conf_dir()} {len(files)} {newest} {installed}"


def searched_config_folders() -> list[str]:
    """The folders of configs that are searched besides rib's own."""
    return [str(folder) for folder in conf_dirs()[1:]]
