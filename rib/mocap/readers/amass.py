"""AMASS recordings: SMPL-H `*_poses.npz` and SMPL-X `*_stageii.npz`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rib.io.errors import RibError
from rib.io.files.regular import check_regular_file
from rib.mocap.kinematics import to_y_up
from rib.mocap.readers.body_model import JOINT_NAMES, BodyModels
from rib.mocap.readers.joint_files import UNREADABLE, why_mocap_file_unreadable
from rib.mocap.recording import MocapRecording, check_mocap_values

PATTERNS = ("*_poses.npz", "*_stageii.npz")
"""What AMASS calls its recordings; `shape.npz` and `*_stagei.npz` beside them hold no motion."""
KIND_BY_POSE_WIDTH = {len(names) * 3: kind for kind, names in JOINT_NAMES.items()}
FRAME_RATE_KEYS = ("mocap_framerate", "mocap_frame_rate")


def read_amass(path: Path, models: BodyModels) -> MocapRecording:
    """Read a recording `<database>/<subject>/<clip>_poses.npz` and pose its own body.

    Gender, shape and frame rate are the file's. The recording has all of the model's joints, turned from
    AMASS's z up to y up, and is called `<database>/<subject>_<clip>` as in the reference's store.

    Raises:
        RibError: The file is damaged, holds no poses, or poses, shape or translation are not numbers.
    """
    data = _load(path)
    kind = _check(path, data)
    model = models.get(kind, _gender(data["gender"]))
    joints_m = to_y_up(model.joints(data["poses"], data["betas"].reshape(-1), data["trans"]), up="z")
    database, subject = path.parent.parent.name, path.parent.name
    clip = path.stem.removesuffix("_poses").removesuffix("_stageii")
    return MocapRecording(
        name=f"{database}/{subject}_{clip}",
        joints_m=joints_m,
        joint_names=JOINT_NAMES[kind],
        fps=float(data["fps"].item()),
        subject=subject if database == "CMU" else f"{database}/{subject}",
        source=f"AMASS {database}",
    )


def _load(path: Path) -> dict[str, np.ndarray]:
    """The arrays that count; others are not even read (marker arrays may hold NaN or pickles)."""
    check_regular_file(path, "name an .npz file of AMASS")
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
    except UNREADABLE as error:
        raise RibError(f"{path} cannot be read ({why_mocap_file_unreadable(error)})") from error


def _check(path: Path, data: dict[str, np.ndarray]) -> str:
    """Refuse arrays of another shape or kind; the body model that the poses are of."""
    poses, trans = data["poses"], data["trans"]
    kind = KIND_BY_POSE_WIDTH.get(poses.shape[-1]) if poses.ndim == 2 else None
    if kind is None:
        columns = f"have {poses.shape[-1]} columns" if poses.ndim == 2 else f"are of shape {poses.shape}"
        raise RibError(f"{path}: poses {columns}, expected 156 (SMPL-H) or 165 (SMPL-X)")
    if trans.shape != (len(poses), 3) or data["fps"].size != 1 or data["gender"].size != 1:
        raise RibError(f"{path}: trans is of shape {trans.shape}, or frame rate or gender is no single value")
    for key in ("poses", "trans", "betas", "fps"):
        if data[key].dtype.kind not in "fiu":
            raise RibError(f"{path}: {key} holds {data[key].dtype}, expected numbers")
        try:
            check_mocap_values(data[key], key)
        except ValueError as error:
            raise RibError(f"{path}: {error}") from error
    return kind


def _gender(value: np.ndarray) -> str:
    """The files write a string or bytes."""
    item = value.item()
    return (item.decode() if isinstance(item, bytes) else str(item)).lower()
