"""Choices as they are typed, `group=option`, before Hydra, which has no words for one that is no name."""

from __future__ import annotations

import re

from rib.config.paths import conf_dir, options
from rib.io.errors import RibError

_NO_NAME = re.compile(r"|null|true|false|yes|no|on|off|[+-]?[\d.][\d.e+-]*|[+-]?(nan|inf)", re.IGNORECASE)


def check_choice(argument: str) -> str:
    """Refuse a config group's value that can be no option; gives the argument back.

    Args:
        argument: What was typed, such as "pose=files".

    Raises:
        RibError: A group is set to null, to nothing or to a number.
    """
    key, equals, value = argument.partition("=")
    group = key.lstrip("+").partition("@")[0]
    if not equals or not re.fullmatch(r"[\w/]+", group) or not (conf_dir() / group).is_dir():
        return argument
    if _NO_NAME.fullmatch(value.strip()):
        raise RibError(
            f"{group}={value} names no option, but one is needed",
            f"choose one of: {', '.join(options(group))}",
        )
    return argument
