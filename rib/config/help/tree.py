"""Settings as a tree, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.tree import Tree


def settings_tree(title: str, settings: Mapping[str, Any]) -> Tree:
    """Every setting on a line of its own, groups within groups; `rich.print` shows it."""
    return _grown(Tree(title, guide_style="dim"), settings)


def _grown(tree: Tree, settings: Mapping[str, Any]) -> Tree:
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            _grown(tree.add(str(name), style="bold"), value)
        else:
            tree.add(f"{name}: {value!r}".replace("[", r"\["), style="not bold")
    return tree
