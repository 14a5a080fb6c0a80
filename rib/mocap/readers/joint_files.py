"""Recordings as `.npz` files of joint positions."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

from rib.io.errors import RibError
from rib.io.files.regular import check_regular_file
from rib.io.files.whole import write_file_whole
from rib.mocap.recording import MocapRecording, subject_of_recording

UNREADABLE = (
    OSError, ValueError, TypeError, AttributeError, KeyError, EOFError, MemoryError, NotImplementedError,
    RuntimeError, SyntaxError, OverflowError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What numpy and zipfile raise for a damaged `.npz`, or for one that asks for more memory than there is."""
KEYS = ("joints", "names", "fps")


def why_mocap_file_unreadable(error: BaseException) -> str:
    """Explain one of `UNREADABLE` in one line; numpy's advice to run a stranger's pickle is left out."""
    text = " ".join(str(error).split())[:200]
    if "pickle" in text:
        return "it holds pickled objects, which could run a program"
    return "it asks for more memory than there is" if isinstance(error, MemoryError) else text or "damaged"


def read_mocap_joint_file(path: Path) -> MocapRecording:
    """Read an `.npz` with `joints` (T, J, 3) metres and y up, `names` (J,) and `fps`.

    `name`, `subject`, `source` and `made_up` are read where they are there; else the file's name tells.

    Raises:
        RibError: The file is damaged or lacks one of the three.
    """
    check_regular_file(path, "name an .npz file of joint positions")
    try:
        with np.load(path, allow_pickle=False) as data:
            lacking = [key for key in KEYS if key not in data]
            if lacking:
                raise RibError(f"{path} lacks {', '.join(lacking)}; joint files hold {', '.join(KEYS)}")
            return MocapRecording(
                name=str(data.get("name", path.stem)),
                joints_m=data["joints"],
                joint_names=tuple(map(str, data["names"])),
                fps=float(data["fps"].item()),
                subject=str(data.get("subject", subject_of_recording(path))),
                source=str(data.get("source", path)),
                made_up=tuple(map(str, data.get("made_up", ()))),
            )
    except UNREADABLE as error:
        raise RibError(f"{path} cannot be read ({why_mocap_file_unreadable(error)})") from error


def write_mocap_joint_file(path: Path, recording: MocapRecording) -> None:
    """Write what `read_mocap_joint_file` reads, whole or not at all."""
    with write_file_whole(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            joints=recording.joints_m,
            names=np.array(recording.joint_names),
            fps=recording.fps,
            name=recording.name,
            subject=recording.subject,
            source=recording.source,
            made_up=np.array(recording.made_up, dtype=np.str_),
        )
