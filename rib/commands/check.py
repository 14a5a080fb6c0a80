"""`rib check`: every config composes and every recipe fits its constructor."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rib.config.app import run_verb
from rib.config.exit_codes import exit_code

if TYPE_CHECKING:
    from rib.config.schema import CheckSettings


def task(config: CheckSettings) -> None:
    """Go through everything in conf/."""
    from rib.config.compose import check_all_configs

    configs = recipes = 0
    for title, count in check_all_configs():
        if count is None:
            print(f"{title}: not checked, its launcher is not installed")
            continue
        configs += 1
        recipes += count
        if config.verbose:
            print(f"{title}: {count} recipes")
    print(f"{configs} configs with {recipes} recipes: all well")


def command(arguments: list[str]) -> None:
    """Entry point for `rib check`."""
    run_verb("check", task, arguments)


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
