"""Arguments as a user types them into ones that Hydra's grammar reads as they were meant.

A path setting takes the rest of its argument literally, whatever brackets, commas or signs stand in it.
"""

from __future__ import annotations

import dataclasses
import re

from rib.io.settings.paths import LITERAL, is_optional_path_setting, is_path_setting, path_exists

_SAFE = re.compile(r"[A-Za-z./_][\w./-]*", re.ASCII)
"""What Hydra and YAML read as the very same text, but for a few words."""

_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "nan", "inf", "none"})

_TROUBLE = re.compile(r"[^\w./:\\+-]")
"""What Hydra's grammar may read as something else than a piece of a path."""


def quote_path_override(argument: str, root: type) -> str:
    """The same argument with its value quoted where it is a path.

    Args:
        argument: `key=value`, `+key=value`, or anything else, which is left as it is.
        root: The typed root of the command's config.
    """
    typed, equals, value = argument.partition("=")
    if not equals or typed.startswith(("~", "-")):
        return argument
    key = typed.lstrip("+")
    if not is_override_taken_literally(root, key):
        misread = _TROUBLE.search(value) and value[:1] not in "'\"[{" and path_exists(value)
        return f"{typed}={quote_override_value(value)}" if misread else argument
    if value == "null" and is_optional_path_setting(root, key) and not path_exists(value):
        return argument
    if value == "???":  # OmegaConf's word for what is missing
        value = "./???"
    if _SAFE.fullmatch(value) and value.lower() not in _WORDS:
        return argument
    return f"{typed}={quote_override_value(value)}"


def is_override_taken_literally(root: type, key: str) -> bool:
    """Whether a dotted name is a setting whose text Hydra's grammar must not read: a path, or `LITERAL`.

    Args:
        root: The typed root of the command's config.
        key: The name.
    """
    marked = {field.name for field in dataclasses.fields(root) if LITERAL.keys() <= field.metadata.keys()}
    return key in marked or is_path_setting(root, key)


def quote_override_value(text: str) -> str:
    """A text as Hydra's grammar and OmegaConf give it back unchanged."""
    from hydra.core.override_parser.types import Quote, QuotedString

    return QuotedString(escape_interpolation(text), Quote.single).with_quotes()


def escape_interpolation(text: str) -> str:
    r"""A text in which OmegaConf finds nothing to fill in: `${` becomes `\${`."""
    # a backslash counts double only before ${
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", text)
