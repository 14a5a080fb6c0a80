"""Words that can follow on a command line, for the shell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rib.config.paths import groups, options

BASH = """_rib() {
  local IFS=$'\\n' word="${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=($(compgen -W "$(rib completion words "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "$word"))
}
COMP_WORDBREAKS=${COMP_WORDBREAKS//=/}
complete -o nospace -o default -F _rib rib
"""


def words(typed: Sequence[str], verbs: Sequence[str], roots: Sequence[str]) -> list[str]:
    """What can stand in the place of the last word.

    Args:
        typed: The words after `rib`, the last one unfinished, maybe empty.
        verbs: The commands.
        roots: Those among them that have settings.
    """
    if len(typed) < 2:
        return [f"{verb} " for verb in verbs]
    verb, current = typed[0], typed[-1]
    if verb not in roots:
        return []
    key, equals, _ = current.partition("=")
    if equals:
        return [f"{key}={option} " for option in options(key)] if key in groups() else []
    from rib.config.compose import composed_defaults

    keys = list(_keys(composed_defaults(verb)))
    deep = "." in current
    return ["--config-dir ", "--help ", *(f"{k}=" for k in keys if deep or "." not in k), *_choices(verb)]


def _choices(verb: str) -> Iterator[str]:
    from rib.config.help.usage import choices_of

    for group in choices_of(verb):
        yield from (f"{group}={option} " for option in options(group))


def _keys(node: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in node.items():
        if str(name) == "_target_":
            continue
        yield f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _keys(value, f"{prefix}{name}.")
