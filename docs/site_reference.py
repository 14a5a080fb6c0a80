"""Pages of the site that are made: commands, settings (from conf/ and the typed records), changelog."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from rib.config.help.catalog import show_config
from rib.config.help.usage import verb_help
from rib.config.help.verbs import VERBS
from rib.config.paths import conf_dir, config_group_options, config_groups
from rib.config.schema import ROOTS
from rib.io.settings.records import Settings, annotations_of_settings


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages; called by mkdocs."""
    changelog = (Path(config.config_file_path).parent / "CHANGELOG.md").read_text(encoding="utf-8")
    pages = {"commands": commands(), "settings": settings(), "changelog": changelog}
    for name, text in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files


def commands() -> str:
    """Every command with its help, and the ranges of its settings."""
    parts = ["# Commands", "", "As `rib <verb> --help` prints them."]
    for verb, told in VERBS.items():
        parts += ["", f"## rib {verb}", "", f"{told[0].upper()}{told[1:]}."]
        for root in [name for name in ROOTS if name == verb or name.startswith(f"{verb}_")]:
            parts += ["", "```yaml", verb_help(root), "```", "", *table(ROOTS[root])]
    return "\n".join(parts) + "\n"


def settings() -> str:
    """Every option of every group as it stands in conf/, comments with meaning, unit and range."""
    parts = ["# Settings", "", "Options of every group, as `rib configs show GROUP/OPTION` prints them."]
    for group in config_groups():
        parts += ["", f"## {group}"]
        for option in config_group_options(group):
            if (conf_dir() / group / f"{option}.yaml").is_file():
                parts += [
                    "",
                    f"### {group}={option}",
                    "",
                    "```yaml",
                    show_config(f"{group}/{option}").rstrip(),
                    "```",
                ]
    return "\n".join(parts) + "\n"


def table(record: type[Settings]) -> Iterator[str]:
    """Type and range of every setting of a record."""
    yield from ("| setting | type | range |", "|---|---|---|")
    yield from rows(record)


def rows(record: type[Settings], prefix: str = "") -> Iterator[str]:
    """A row a setting, those of records inside it too."""
    for name, hint in annotations_of_settings(record).items():
        marks = getattr(hint, "__metadata__", ())
        plain = typing.get_args(hint)[0] if marks else hint
        inner = next((h for h in (plain, *typing.get_args(plain)) if is_record(h)), None)
        if inner is not None:
            yield from rows(inner, f"{prefix}{name}.")
        else:
            yield f"| `{prefix}{name}` | {words_of(plain)} | {', '.join(map(range_of, marks))} |"


def is_record(hint: Any) -> bool:
    """Whether a type is a record of settings."""
    return isinstance(hint, type) and issubclass(hint, Settings)


def words_of(hint: Any) -> str:
    """A type without its module, for a table."""
    text = hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)
    return text.replace("typing.", "").replace("|", "or")


def range_of(mark: Any) -> str:
    """What a mark takes, in words."""
    if hasattr(mark, "words"):
        return str(mark.words())
    return ", ".join(mark.choices) if hasattr(mark, "choices") else type(mark).__name__
