"""All recordings in memory as one tensor: windows of a whole batch are gathered on the device in one step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rib.io.errors import RibError
from rib.mocap.readers.joint_files import read_mocap_joint_file
from rib.mocap.recording import MocapRecording
from rib.mocap.resample import resample_recording
from rib.mocap.skeletons import mocap_joints_to_body19, skeleton_stature_m


@dataclass(frozen=True)
class MotionBank:
    """R recordings end to end, N frames together.

    Attributes:
        joints: (N, 19, 3) float32 metres, y up, in the order of `rib.structures.skeleton.BODY19`.
        offsets: (R + 1,) int64; recording r lies in `joints[offsets[r]:offsets[r + 1]]`.
        names: R names.
        subjects: R subjects.
        stature_m: (R,) float32, standing heights.
        valid: (R, 19) bool, False for joints that the source does not have and a mapping made up.
        fps: Frames a second, the same for all.
    """

    joints: Tensor
    offsets: Tensor
    names: tuple[str, ...]
    subjects: tuple[str, ...]
    stature_m: Tensor
    valid: Tensor
    fps: float

    @classmethod
    def from_recordings(cls, recordings: Iterable[MocapRecording], fps: float) -> MotionBank:
        """Map recordings of any known skeletons to the 19 joints at one frame rate.

        Raises:
            RibError: There is no recording, or one has an unknown skeleton.
        """
        bodies = [resample_recording(mocap_joints_to_body19(recording), fps) for recording in recordings]
        if not bodies:
            raise RibError("no recording was given, and a bank needs at least one")
        return cls(
            joints=torch.from_numpy(np.concatenate([body.joints_m for body in bodies]).astype(np.float32)),
            offsets=torch.tensor(np.cumsum([0] + [len(body) for body in bodies])),
            names=tuple(body.name for body in bodies),
            subjects=tuple(body.subject for body in bodies),
            stature_m=torch.tensor(
                [skeleton_stature_m(body.joints_m) for body in bodies], dtype=torch.float32
            ),
            valid=torch.from_numpy(np.stack([body.valid for body in bodies])),
            fps=float(fps),
        )

    @classmethod
    def from_folder(cls, folder: str | Path, fps: float = 60.0) -> MotionBank:
        """Read every `.npz` of joint positions in a folder, in the order of their names.

        Raises:
            RibError: The folder holds none, or one is damaged.
        """
        paths = sorted(Path(folder).expanduser().glob("*.npz"))
        if not paths:
            raise RibError(
                f"{folder} holds no .npz file of joint positions", "run `rib prepare data=mocap` first"
            )
        return cls.from_recordings(map(read_mocap_joint_file, paths), fps)

    def __len__(self) -> int:
        """The number of recordings."""
        return len(self.names)

    @property
    def lengths(self) -> Tensor:
        """(R,) int64, frames a recording."""
        return self.offsets.diff()

    def __getitem__(self, recording: int) -> Tensor:
        """One recording's joints, (T, 19, 3): a view."""
        return self.joints[self.offsets[recording] : self.offsets[recording + 1]]

    def frames(self, recordings_B: Tensor, frames_BT: Tensor) -> Tensor:
        """Gather frames of a batch of recordings.

        Args:
            recordings_B: (B,) int64, which recordings.
            frames_BT: (B, ...) int64, which of their frames; the caller keeps them inside the recordings.

        Returns:
            (B, ..., 19, 3) metres.
        """
        start = self.offsets[recordings_B].reshape(-1, *[1] * (frames_BT.ndim - 1))
        return self.joints[start + frames_BT]

    def select(self, recordings: Sequence[int]) -> MotionBank:
        """A bank of some of the recordings, in the order given."""
        index = torch.as_tensor(recordings, dtype=torch.int64, device=self.offsets.device)
        lengths = self.lengths[index]
        return MotionBank(
            joints=torch.cat([self[int(r)] for r in index]) if len(index) else self.joints[:0],
            offsets=torch.cat([lengths.new_zeros(1), lengths.cumsum(0)]),
            names=tuple(self.names[r] for r in recordings),
            subjects=tuple(self.subjects[r] for r in recordings),
            stature_m=self.stature_m[index],
            valid=self.valid[index],
            fps=self.fps,
        )

    def split(self, held_out: Iterable[str], setting: str = "subjects") -> tuple[MotionBank, MotionBank]:
        """Those of other subjects, and those of the held-out subjects.

        Args:
            held_out: Subjects.
            setting: What names them, for messages.

        Raises:
            RibError: A held-out subject occurs nowhere: a split that holds nothing out would deceive.
        """
        held = {str(subject) for subject in held_out}
        if unknown := held - set(self.subjects):
            raise RibError(
                f"{setting}: no recording is of subject {', '.join(sorted(unknown))}",
                f"type {setting}=[], or name some of {', '.join(sorted(set(self.subjects)))}",
            )
        inside = [r for r, subject in enumerate(self.subjects) if subject in held]
        outside = [r for r, subject in enumerate(self.subjects) if subject not in held]
        return self.select(outside), self.select(inside)

    def to(self, device: torch.device | str) -> MotionBank:
        """The same bank on a device."""
        moved = {name: getattr(self, name).to(device) for name in ("joints", "offsets", "stature_m", "valid")}
        return MotionBank(**moved, names=self.names, subjects=self.subjects, fps=self.fps)
