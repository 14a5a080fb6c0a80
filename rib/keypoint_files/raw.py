"""Keypoint files before the joints are known: names of frames and rows of numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rib.io.errors import RibError
from rib.keypoint_files.strict_json import kind_of_json_value

HANDS = 2 * 21 * 3
"""Numbers of both hands: x, y and confidence of 21 points each, the left hand first."""
MAX_DIGITS = 18
"""A frame's number has no more: it fits 64 bits."""
MAX_ID = 2**31
"""People's numbers stay below it."""
MAX_COORDINATE = 1e6
"""No picture is as large, in pixels."""


@dataclass
class RawKeypointFrame:
    """Everybody in one frame, as their numbers stand in the file.

    Attributes:
        name: What to call the frame in an error: a file or an image.
        bodies: One row of x, y, confidence a person.
        hands: One row of `HANDS` numbers a person, or an empty one where there are no hands.
        ids: Each person's number in the clip, or -1 where the file tells none.
    """

    name: str
    bodies: list[list[float]] = field(default_factory=list)
    hands: list[list[float]] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)

    def add(self, body: list[float], hands: list[float] | None = None, person_id: Any = None) -> None:
        """One more person; an id that is no whole number from 0 on, or a list of one, is none."""
        self.bodies.append(body)
        self.hands.append(hands or [])
        self.ids.append(_id_of(person_id))


@dataclass(frozen=True)
class RawKeypointClip:
    """A clip as it stands in the files.

    Attributes:
        frames: In order of time.
        numbers: The frames' own numbers where frames without people are left out, else None.
        first_number: What the format calls its first frame.
        flags: Whether a third value may be COCO's visibility flag (0 absent, 1 hidden, 2 seen).
    """

    frames: list[RawKeypointFrame]
    numbers: list[int] | None = None
    first_number: int = 0
    flags: bool = False


def _id_of(given: Any) -> int:
    number = given[0] if isinstance(given, list) and len(given) == 1 else given
    whole = isinstance(number, int) and not isinstance(number, bool) and 0 <= number < MAX_ID
    return number if whole else -1


def keypoint_numbers(value: Any, where: str) -> list[float]:
    """A list of x, y, confidence as it stands in a file.

    Raises:
        RibError: It is no flat list whose length is a multiple of three.
    """
    if not isinstance(value, list) or len(value) % 3:
        given = f"{len(value)} values" if isinstance(value, list) else kind_of_json_value(value)
        raise RibError(f"{where} has {given}, expected a list of x, y, confidence for each point")
    return value


def keypoint_rows(values: list[list[float]], names: list[str]) -> np.ndarray:
    """S rows of equal length, at least one, as (S, J, 3) float64.

    Args:
        values: x, y, confidence, x, y, confidence, ...
        names: Where each row was found.

    Raises:
        RibError: Something in them is no finite number, or lies beyond `MAX_COORDINATE`.
    """
    try:
        array = np.array(values, dtype=np.float64).reshape(len(values), -1, 3)
        good = np.abs(array) <= MAX_COORDINATE  # False for NaN
        if good.all():
            return array
        row = int(np.flatnonzero(~good.all(axis=(1, 2)))[0])
        worst = f"{names[row]} ({array[row][~good[row]][0]:g})"
    except (ValueError, TypeError, OverflowError):
        if len(values) > 1:
            return np.concatenate(
                [keypoint_rows([row], [name]) for row, name in zip(values, names, strict=True)]
            )
        worst = f"{names[0]} (something else than a number of a usual size)"
    raise RibError(
        f"a keypoint that is not a finite number: {worst}",
        f"write coordinates in pixels, below {MAX_COORDINATE:g}, and missing points as 0, 0, 0",
    )


def keypoint_file_order(name: str) -> list[tuple[int, int, str]]:
    """A sorting key by which frame2 stands before frame10."""
    digits = re.compile(r"\d+")
    # a number by its length and its digits: names of strangers hold numbers that no int should become
    return [
        (1, len(number := part.lstrip("0")), number) if digits.fullmatch(part) else (0, 0, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]


def last_number_in_name(name: str) -> int | None:
    """The last whole number in a file's name (without its suffix), or None where it is absent or too long."""
    found = re.findall(r"\d+", re.sub(r"\.[A-Za-z]\w*$", "", name))
    return int(found[-1]) if found and len(found[-1]) <= MAX_DIGITS else None
