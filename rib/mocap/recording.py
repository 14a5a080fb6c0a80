"""One motion-capture recording: the record that every reader gives and every store takes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rib.io.errors import RibError
from rib.io.files.regular import check_name_is_text

FPS_RANGE = (1.0, 10_000.0)
"""Frames a second of motion capture; a file that says otherwise would become hours of store, or nothing."""
MAX_VALUE = 1e7
"""Greatest position (in any unit) and angle; beyond it is no person, and squares overflow."""
MAX_JOINTS = 1000
"""No skeleton of a person has more."""


def check_mocap_values(values: np.ndarray, what: str) -> np.ndarray:
    """Numbers of a file as they are.

    Raises:
        ValueError: One is NaN, infinite or beyond `MAX_VALUE`.
    """
    wrong = ~(np.abs(values) <= MAX_VALUE)  # True for NaN
    if wrong.any():
        first = values[wrong].flat[0]
        told = f"{first:g}, more than {MAX_VALUE:g}" if np.isfinite(first) else "NaN or infinite values"
        raise ValueError(f"{what} holds {told}")
    return values


@dataclass(frozen=True)
class MocapRecording:
    """The joints of one person over T evenly spaced frames.

    Attributes:
        name: Unique inside a store; `/` stands between database, subject and clip where the source has
            folders.
        joints_m: (T, J, 3) metres, right-handed, y up.
        joint_names: J names.
        fps: Frames a second.
        subject: Who moves; recordings of one person share it, so that a split by subject is possible.
        source: Where the motion comes from (a file, a database).
        made_up: Names of joints that the source does not have and a mapping guessed.
    """

    name: str
    joints_m: np.ndarray
    joint_names: tuple[str, ...]
    fps: float
    subject: str
    source: str
    made_up: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in (self.name, self.subject, self.source):
            check_name_is_text(name)
        expected = (len(self.joint_names), 3)
        if self.joints_m.ndim != 3 or self.joints_m.shape[1:] != expected:
            raise RibError(
                f"{self.source}: joints have shape {self.joints_m.shape}, expected (frames, {expected[0]}, 3)"
            )
        if len(self.joints_m) == 0:
            raise RibError(f"{self.source}: holds no frame")
        low, high = FPS_RANGE
        if not low <= self.fps <= high:
            raise RibError(f"{self.source}: the frame rate is {self.fps:g}, expected {low:g} to {high:g}")
        if self.joints_m.dtype.kind not in "fiu":
            raise RibError(f"{self.source}: joints are {self.joints_m.dtype}, expected numbers")
        if not np.isfinite(self.joints_m).all():
            raise RibError(
                f"{self.source}: {self._bad_frames()} of {len(self)} frames hold NaN or infinite joints"
            )
        if np.abs(self.joints_m).max() > MAX_VALUE:
            raise RibError(f"{self.source}: a joint lies {np.abs(self.joints_m).max():g} away")

    def __len__(self) -> int:
        return len(self.joints_m)

    @property
    def valid(self) -> np.ndarray:
        """(J,) bool, False for joints that are made up."""
        return np.array([name not in self.made_up for name in self.joint_names])

    @property
    def duration_s(self) -> float:
        """Seconds from the first to the last frame."""
        return (len(self) - 1) / self.fps

    def _bad_frames(self) -> int:
        return int((~np.isfinite(self.joints_m)).any(axis=(1, 2)).sum())


CMU_DANCES = {"salsa": lambda take: "60" if take <= 15 else "61", "indian": lambda take: "94"}
"""CMU subjects behind dance clips that circulate under the dance's name (salsa 16-30 is 01-15's partner)."""


def subject_of_recording(path: Path) -> str:
    """Derive the subject of a recording from its file's name.

    `02_05`, `cmu_02_05` and `cmuasf_02_05` are CMU's subject "02"; `salsa_16` is "61", `indian_13` is "94".
    Any other file belongs to the subject its folder is named after.
    """
    stem = re.sub(r"^(cmu|cmuasf)_", "", path.stem.lower())
    if match := re.fullmatch(r"(\d{1,3})_\d+", stem):
        return match[1].zfill(2)
    if (match := re.fullmatch(r"([a-z]+)_(\d+)", stem)) and match[1] in CMU_DANCES:
        return CMU_DANCES[match[1]](int(match[2]))
    return path.parent.name
