"""Pictures in the order of the numbers in their names, and which numbers are missing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})
"""Pictures that are read."""

_COUNTED = re.compile(r"%(0?)(\d*)d")
_LAST_NUMBER = re.compile(r"(?P<before>.*?)(?P<dash>-?)(?P<digits>\d+)(?P<after>\D*)", re.DOTALL)


def pictures_in(folder: Path, only: str | None = None) -> list[Path]:
    """The pictures of a folder in order; hidden files and other suffixes are passed over.

    Args:
        folder: The folder.
        only: A pattern of names such as `[0-9]*.png`, or None for all.
    """
    found = (p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    return in_numeric_order(path for path in found if only is None or fnmatchcase(path.name, only))


def in_numeric_order(paths: Iterable[Path]) -> list[Path]:
    """Sort by the numbers in the names: 2 before 10, and -1 before 0 where a dash is a sign.

    It is one where the same name stands without it beside another number: `frame-1` and `frame0`, but not
    where all have it: `take-1` and `take-2`.
    """
    found = list(paths)
    plain = {match["before"] for path in found if (match := _number(path)) and not match["dash"]}

    def key(path: Path) -> tuple[int, list[tuple[int, str]], str]:
        match = _number(path)
        if match and match["dash"] and match["before"] in plain:
            return -int(match["digits"]), *natural_sort_key(path)
        return 1, *natural_sort_key(path)

    return sorted(found, key=key)


def natural_sort_key(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Sorts frame2 before frame10; the name itself decides between 1 and 01."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], path.name


def missing_numbers(paths: Sequence[Path], what: str = "picture") -> list[str]:
    """Where the numbers of files in order step further than they mostly do, a sentence for each place.

    Args:
        paths: Files in order. Names that do not count by one number, or count unevenly, say nothing.
        what: What one of them is called in the sentence.
    """
    matches = [_number(path) for path in paths]
    whole = [match for match in matches if match is not None]
    if len(whole) < len(paths) or len({(m["before"], m["after"].lower()) for m in whole}) != 1:
        return []
    signed = len({m["dash"] for m in whole}) > 1
    numbers = [-int(m["digits"]) if signed and m["dash"] else int(m["digits"]) for m in whole]
    steps = [b - a for a, b in pairwise(numbers)]
    usual, times = Counter(steps).most_common(1)[0]
    if usual < 1 or 2 * times <= len(steps):
        return []
    return [
        f"{what}s {numbers[k] + usual} to {numbers[k + 1] - usual} are missing: {paths[k].name} is followed "
        f"by {paths[k + 1].name}, without a pause"
        if steps[k] > 2 * usual
        else f"{what} {numbers[k] + usual} is missing: {paths[k].name} is followed by {paths[k + 1].name}"
        for k in range(len(steps))
        if steps[k] > usual
    ]


def picture_pattern_glob(pattern: str) -> re.Pattern[str] | None:
    """What names a pattern with one `%d` or `%04d` stands for, or None where it has none."""
    found = list(_COUNTED.finditer(pattern))
    if len(found) != 1:
        return None
    (one,) = found
    width = int(one[2] or 0)
    digits = f"-?[0-9]{{{max(1, width)},}}" if one[1] else "-?[0-9]+"
    return re.compile(re.escape(pattern[: one.start()]) + digits + re.escape(pattern[one.end() :]))


def _number(path: Path) -> re.Match[str] | None:
    return _LAST_NUMBER.fullmatch(path.stem)
