"""Ranges on the command line, `lr=interval(1e-4,1e-2)`: Optuna searches them, without further words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rib.config.overrides.literal import is_override_taken_literally
from rib.io.errors import RibError

_RANGE = re.compile(r"\binterval\(")
_CHOOSES = ("sweep=", "hydra/sweeper=", "+sweep=", "+hydra/sweeper=")


def override_with_sweeper(verb: str, root: type, arguments: Sequence[str]) -> list[str]:
    """Choose the sweeper of ranges where one was typed and no other sweeper was.

    Args:
        verb: The command.
        root: The typed root of its config.
        arguments: What was typed.

    Raises:
        RibError: A range without -m, or for a command whose runs nothing judges.
    """
    ranges = [
        argument
        for argument in arguments
        if _RANGE.search(argument.partition("=")[2])
        and not is_override_taken_literally(root, argument.partition("=")[0].lstrip("+"))
        and not argument.startswith("hydra.")
    ]
    if not ranges:
        return list(arguments)
    if verb != "train":
        raise RibError(
            f"{ranges[0]} is a range, which `rib {verb}` cannot search", "give a list: -m key=a,b,c"
        )
    if not {"-m", "--multirun"} & set(arguments):
        raise RibError(f"{ranges[0]} is a range, for the runs of a sweep", "type -m after the command's verb")
    if any(argument.startswith(_CHOOSES) for argument in arguments):
        return list(arguments)
    return [*arguments, "hydra/sweeper=study"]
