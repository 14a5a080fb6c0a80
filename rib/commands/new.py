"""`rib new experiment NAME`: a commented file to begin from."""

from __future__ import annotations

import sys
from pathlib import Path

from rib.config.exit_codes import exit_code
from rib.io.errors import RibError

USAGE = """usage: rib new experiment NAME [task=motion] [--config-dir FOLDER]

Writes FOLDER/experiment/NAME.yaml, or conf/experiment/NAME.yaml, with a comment at every line to fill in.
"""


def command(arguments: list[str]) -> None:
    """Entry point for `rib new`."""
    from rib.config.help.catalog import write_experiment_config
    from rib.config.paths import conf_dirs
    from rib.config.search import CONFIG_DIR, settle_config_search

    named = any(argument.partition("=")[0] in CONFIG_DIR for argument in arguments)
    words, _ = settle_config_search(arguments)
    task = [word.removeprefix("task=") for word in words if word.startswith("task=")]
    match [word for word in words if not word.startswith(("task=", "plugins="))]:
        case [] | ["-h" | "--help", *_]:
            print(USAGE, end="")
        case ["experiment", name]:
            folder = conf_dirs()[1] if named else Path("conf")
            print(
                f"written: {(file := write_experiment_config(name, folder, task[-1] if task else 'motion'))}"
            )
            print(f"type: rib train --config-dir {file.parent.parent} experiment={name}")
        case other:
            raise RibError(f"rib new {' '.join(other)} cannot be read", "type: rib new experiment NAME")


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
