"""`rib --install-completion`, `rib completion`: what bash, zsh and fish need to complete rib's words."""

from __future__ import annotations

import sys

from rib.config.exit_codes import exit_code

USAGE = """usage: rib --install-completion bash|zsh|fish     # once; then `rib <Tab>` in a new shell
       rib completion bash|zsh|fish               # only print the script

Commands, options, choices, settings and the words that settings take are completed, with those of plugins and
of a --config-dir that was typed.
"""


def command(arguments: list[str]) -> None:
    """Entry point for `rib completion`."""
    from rib.config.completion.shells import completion_script, install_completion

    match arguments:
        case ["install", shell]:
            files = install_completion(shell)
            from rib.config.completion.index import write_completion_index
            from rib.config.completion.words import read_completion_index

            if read_completion_index() is None:
                write_completion_index()
            print(f"written: {', '.join(map(str, files))}\nopen a new {shell} and type: rib <Tab>")
        case ["words", *typed]:  # scripts of rib 0.1
            from rib.config.completion.answer import answer_completion

            print("\n".join(answer_completion(typed)))
        case [shell] if not shell.startswith("-") and shell != "install":
            print(completion_script(shell), end="")
        case _:
            print(USAGE, end="")


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
