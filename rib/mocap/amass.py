"""AMASS recordings: SMPL-H `*_poses.npz` and SMPL-X `*_stageii.npz`."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from rib.io.errors import RibError
from rib.mocap.body_model import JOINT_NAMES, BodyModels
from rib.mocap.kinematics import y_up
from rib.mocap.recording import Recording

PATTERNS = ("*_poses.npz", "*_stageii.npz")
"""What AMASS calls its recordings; `shape.npz` and `*_stagei.npz` beside them hold no motion."""
KIND_BY_POSE_WIDTH = {len(names) * 3: kind for kind, names in JOINT_NAMES.items()}
FRAME_RATE_KEYS = ("mocap_framerate", "mocap_frame_rate")


def read_amass(path: Path, models: BodyModels) -> Recording:
    """Read a recording `<database>/<subject>/<clip>_poses.npz` and pose its own body.

    Gender, shape and frame rate are the file's. The recording has all of the model's joints, turned from
    AMASS's z up to y up, and is called `<database>/<subject>_<clip>` as in the reference's store.

    Raises:
        RibError: The file is damaged, holds no poses, or poses, shape or translation are not numbers.
    """
    data = _load(path)
    kind = KIND_BY_POSE_WIDTH.get(data["poses"].shape[-1])
    if kind is None:
        raise RibError(
            f"{path}: poses have {data['poses'].shape[-1]} columns, expected 156 (SMPL-H) or 165 (SMPL-X)"
        )
    for key in ("poses", "trans", "betas"):
        if not np.isfinite(data[key]).all():
            raise RibError(f"{path}: {key} holds NaN or infinite values")
    model = models.get(kind, _gender(data["gender"]))
    joints_m = y_up(model.joints(data["poses"], data["betas"].reshape(-1), data["trans"]), up="z")
    database, subject = path.parent.parent.name, path.parent.name
    clip = path.stem.removesuffix("_poses").removesuffix("_stageii")
    return Recording(
        name=f"{database}/{subject}_{clip}",
        joints_m=joints_m,
        joint_names=JOINT_NAMES[kind],
        fps=float(data["fps"]),
        subject=subject if database == "CMU" else f"{database}/{subject}",
        source=f"AMASS {database}",
    )


def _load(path: Path) -> dict[str, np.ndarray]:
    """The arrays that count; others are not even read (marker arrays may hold NaN or pickles)."""
    try:
        with np.load(path, allow_pickle=False) as data:
            rate = next((key for key in FRAME_RATE_KEYS if key in data), None)
            lacking = [key for key in ("poses", "trans", "betas", "gender") if key not in data]
            if lacking or rate is None:
                raise RibError(
                    f"{path} lacks {', '.join(lacking) or FRAME_RATE_KEYS[0]}: not an AMASS recording"
                )
            arrays = {key: data[key] for key in ("poses", "trans", "betas", "gender")}
            return {**arrays, "fps": data[rate]}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise RibError(f"{path} cannot be read ({error})") from error


def _gender(value: np.ndarray) -> str:
    """The files write a string or bytes."""
    item = value.item()
    return (item.decode() if isinstance(item, bytes) else str(item)).lower()
