"""Translate what people type into settings: `rib interpolate dance.mp4 4x -o out.mp4`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rib.config.overrides.literal import quote_override_value
from rib.io.errors import RibError
from rib.io.settings.paths import path_exists
from rib.io.settings.records import Settings

_RATE = re.compile(r"(?:(\d+(?:\.\d+)?)x|x(\d+(?:\.\d+)?))", re.IGNORECASE)
_FPS = re.compile(r"(\d+(?:\.\d+)?|\d+/\d+)fps", re.IGNORECASE)
_KEY = re.compile(r"[+~]*([\w./@]+)")

TAKES_VALUE = frozenset(
    (
        *("--cfg", "-c", "--package", "-p", "--config-path", "-cp", "--config-name", "-cn"),
        *("--config-dir", "-cd", "--experimental-rerun"),
    )
)
"""Hydra's options that take the word behind them; `--info` takes one of `INFO`."""
INFO = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
OUTPUT = ("-o", "--output")
INPUT = ("-i", "--input")


def shorthand_to_overrides(arguments: Sequence[str], root: type[Settings]) -> list[str]:
    """The same arguments with words that stand alone as settings.

    `4x` is rate=4 and `60fps` is fps=60, `-o NAME` is output= and `-i NAME` is input=; any other word is an
    input. Of several inputs the first is `input` and the rest `more_inputs`.

    Args:
        arguments: What was typed after the verb.
        root: The typed root of the verb's config.

    Raises:
        RibError: A word is the name of a setting, or there are more inputs than the verb takes.
    """
    words, settings, inputs = list(arguments), list[str](), list[str]()
    names = set(root.__dataclass_fields__)
    while words:
        word = words.pop(0)
        key, equals, value = word.partition("=")
        if word in TAKES_VALUE or (word in ("-i", "--info") and words[:1] and words[0] in INFO):
            settings += [word, *words[:1]]
            del words[:1]
        elif key in OUTPUT and "output" in names:
            settings.append(f"output={value if equals else _next(word, words)}")
        elif key in INPUT:
            inputs.append(value if equals else _next(word, words))
        elif equals and key == "input":
            inputs.append(value)
        elif word.startswith("-") or (equals and _is_setting(key, names, word)):
            settings.append(word)
        elif (match := _RATE.fullmatch(word)) and "rate" in names:
            settings.append(f"rate={match[1] or match[2]}")
        elif (match := _FPS.fullmatch(word)) and "fps" in names:
            settings.append(f"fps={match[1]}")
        elif word in names and not path_exists(word):
            raise RibError(f"{word} was given without a value", f"type {word}=...")
        elif word.startswith(("+", "~")) and not path_exists(word):
            settings.append(word)
        else:
            inputs.append(word)
    return [*_inputs(inputs, names), *settings]


def _next(option: str, words: list[str]) -> str:
    if not words:
        raise RibError(f"{option} was given without a name", f"type {option} NAME")
    return words.pop(0)


def _is_setting(key: str, names: set[str], word: str) -> bool:
    """Whether `key=value` is a setting, and no file whose name has such a sign."""
    match = _KEY.fullmatch(key)
    return match is not None and (re.split(r"[.@/]", match[1])[0] in names or not path_exists(word))


def _inputs(inputs: Sequence[str], names: set[str]) -> list[str]:
    if not inputs:
        return []
    if len(inputs) > 1 and "more_inputs" not in names:
        raise RibError(f"{len(inputs)} inputs were given, {' and '.join(inputs[:2])}", "give one")
    settings = [f"input={inputs[0]}"]
    if len(inputs) > 1:
        settings.append(f"more_inputs=[{','.join(map(quote_override_value, inputs[1:]))}]")
    return settings
