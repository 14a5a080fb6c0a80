"""Joints of SMPL-H and SMPL-X body models, without their mesh.

Joints of a posed body follow from its shaped rest joints by forward kinematics alone (SMPL, Loper et al.
2015, eq. 10 and 3-4): the mesh and its pose blend shapes, 200 times the work, do not enter.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from rib.io.errors import RibError
from rib.io.files.regular import check_regular_file
from rib.mocap.kinematics import forward_kinematics
from rib.mocap.readers.joint_files import UNREADABLE, why_mocap_file_unreadable
from rib.mocap.recording import check_mocap_values
from rib.mocap.skeletons import SMPLH_JOINTS, SMPLX_JOINTS

JOINT_NAMES = {"smplh": SMPLH_JOINTS, "smplx": SMPLX_JOINTS}


@dataclass(frozen=True)
class BodyModel:
    """The joints of a body model.

    Attributes:
        rest_joints_m: (J, 3), joints of the mean shape in the rest pose.
        joint_shapes_m: (J, 3, S), how each shape component moves them.
        parents: J parents, -1 for the pelvis.
    """

    rest_joints_m: np.ndarray
    joint_shapes_m: np.ndarray
    parents: tuple[int, ...]

    @classmethod
    def load(cls, path: Path) -> BodyModel:
        """Read an `.npz` body model.

        Raises:
            RibError: The file is a pickle, is damaged or lacks what joints need.
        """
        if path.suffix == ".pkl":
            raise RibError(
                f"{path} is a pickle that needs chumpy, which does not exist for this Python",
                "download the .npz release of the model, or convert the file once under Python 3.10 with "
                "smplx's tools/clean_ch.py and numpy.savez",
            )
        check_regular_file(path, "name a body model as .npz")
        try:
            with np.load(path, allow_pickle=False) as data:
                regressor, template, shapes = data["J_regressor"], data["v_template"], data["shapedirs"]
                parents = data["kintree_table"][0].astype(np.int64)
            root = parents < 0
            root |= parents >= len(parents)  # the files write the root's parent as 2**32 - 1
            parents = np.where(root, -1, parents)
            if (parents >= np.arange(len(parents))).any() or len(regressor) != len(parents):
                raise ValueError("its joints do not hang on one another")
            return cls(
                rest_joints_m=check_mocap_values(regressor @ template, "the body"),
                joint_shapes_m=np.einsum("jv,vcs->jcs", regressor, shapes, optimize=True),
                parents=tuple(parents.tolist()),
            )
        except (*UNREADABLE, IndexError) as error:
            raise RibError(
                f"{path} is not a SMPL-H or SMPL-X body model ({why_mocap_file_unreadable(error)})"
            ) from error

    def joints(self, poses: np.ndarray, betas: np.ndarray, translation_m: np.ndarray) -> np.ndarray:
        """Joints of a posed body.

        Args:
            poses: (T, J * 3), axis-angle, relative to the parent.
            betas: (S',), shape; components that the model does not have are left out.
            translation_m: (T, 3).

        Returns:
            (T, J, 3) metres, in the model's axes.
        """
        used = min(len(betas), self.joint_shapes_m.shape[-1])
        rest = self.rest_joints_m + self.joint_shapes_m[..., :used] @ betas[:used]
        offsets = rest - np.where(np.array(self.parents)[:, None] < 0, 0, rest[list(self.parents)])
        rotations = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(len(poses), -1, 3, 3)
        return forward_kinematics(rotations, offsets, self.parents) + translation_m[:, None]


class BodyModels:
    """The body models in a user's folder, loaded when first asked for, each gender its own.

    Args:
        folder: Holds `<gender>/model.npz` (AMASS's SMPL-H release) or `SMPLH_MALE.npz`, `SMPLX_NEUTRAL.npz`
            and so on, itself or in a folder `smplh` or `smplx`.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).expanduser()
        self._loaded: dict[tuple[str, str], BodyModel] = {}

    def get(self, kind: str, gender: str) -> BodyModel:
        """The model of a kind ("smplh" or "smplx") and gender ("male", "female" or "neutral").

        Raises:
            RibError: The folder has no such model as `.npz`.
        """
        if (kind, gender) not in self._loaded:
            self._loaded[kind, gender] = self._find(kind, gender)
        return self._loaded[kind, gender]

    def _find(self, kind: str, gender: str) -> BodyModel:
        stems = [f"{kind}/{gender}/model", f"{gender}/model"]
        stems += [f"{kind}/{kind.upper()}_{gender.upper()}", f"{kind.upper()}_{gender.upper()}"]
        for path in (self.folder / f"{stem}.npz" for stem in stems):
            if path.exists() and len((model := BodyModel.load(path)).parents) == len(JOINT_NAMES[kind]):
                return model
        for path in (self.folder / f"{stem}.pkl" for stem in stems):
            if path.exists():
                return BodyModel.load(path)
        raise RibError(
            f"no {gender} {kind.upper()} body model in {self.folder}",
            f"download it from its makers and put it there as {stems[1]}.npz or {stems[3]}.npz",
        )
