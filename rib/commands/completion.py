"""`rib completion`: what bash needs to complete commands, choices and settings."""

from __future__ import annotations

import sys

from rib.config.app import exit_code

USAGE = """usage: eval "$(rib completion bash)"        # in ~/.bashrc, for `rib <Tab>` in bash

Commands, choices and settings are completed, with those of plugins and of a --config-dir that was typed.
"""


def command(arguments: list[str]) -> None:
    """Entry point for `rib completion`."""
    from rib.config.complete import BASH, words
    from rib.config.help.verbs import VERBS

    match arguments:
        case ["bash"]:
            print(BASH, end="")
        case ["words", *typed]:
            from rib.config.schema import ROOTS
            from rib.config.search import settle

            if typed[-2:-1] != ["--config-dir"]:  # whose folder is being typed
                settle(typed[:-1])
            print("\n".join(words(typed, list(VERBS), list(ROOTS))))
        case _:
            print(USAGE, end="")


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
