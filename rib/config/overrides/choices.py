"""Choices as they are typed, `group=option`, before Hydra, which has no words for one that is no name."""

from __future__ import annotations

import re

from rib.config.paths import config_group_options
from rib.io.errors import RibError

_TOO_LONG = re.compile(r"[\d_]{4000,}")
_NO_NAME = re.compile(r"|null|true|false|yes|no|on|off|[+-]?[\d.][\d.e+-]*|[+-]?(nan|inf)", re.IGNORECASE)


def check_override_choice(argument: str, root: type) -> str:
    """Refuse a value that Hydra would choke on, such as a group's that is no name.

    Returns:
        The argument; `~group` for a group that is to be null.

    Args:
        argument: What was typed, such as "pose=files".
        root: The typed root of the command's config; a group that it can do without may be null.

    Raises:
        RibError: A group is set to null, to nothing or to a number; or a number is longer than Python reads.
    """
    key, equals, value = argument.partition("=")
    if digits := _TOO_LONG.search(value):
        raise RibError(f"{key}= is given a number of {len(digits.group())} digits", "type a shorter one")
    group = key.lstrip("+").partition("@")[0]
    if not equals or not _is_group(group):
        return argument
    if value == "null" and _may_lack(group, root):
        return f"~{group}"
    several = value.strip().startswith("[") and value.strip("[] ")
    names = value.strip().strip("[]").split(",") if several else [value]
    if any(_NO_NAME.fullmatch(name.strip()) for name in names):
        raise RibError(
            f"{group}={value} names no option, but one is needed",
            f"choose one of: {', '.join(config_group_options(group))}",
        )
    return argument


def _may_lack(group: str, root: type) -> bool:
    """Whether a group is none that a field has to be given by."""
    fields = root.__dataclass_fields__  # type: ignore[attr-defined]
    return "/" not in group and (group not in fields or fields[group].default is None)


def _is_group(name: str) -> bool:
    return bool(re.fullmatch(r"[\w/]+", name) and config_group_options(name))
