"""Recordings as `.npz` files of joint positions."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from rib.errors import RibError
from rib.mocap.recording import Recording, subject_of

KEYS = ("joints", "names", "fps")


def read_joints(path: Path) -> Recording:
    """Read an `.npz` with `joints` (T, J, 3) metres and y up, `names` (J,), `fps` and, if it likes, `source`.

    Raises:
        RibError: The file is damaged or lacks one of the three.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            lacking = [key for key in KEYS if key not in data]
            if lacking:
                raise RibError(f"{path} lacks {', '.join(lacking)}; joint files hold {', '.join(KEYS)}")
            joints_m, names, fps = data["joints"], tuple(map(str, data["names"])), float(data["fps"])
            source = str(data["source"]) if "source" in data else str(path)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise RibError(f"{path} cannot be read ({error})") from error
    return Recording(path.stem, joints_m, names, fps, subject_of(path), source)
