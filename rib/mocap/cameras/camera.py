"""Virtual cameras: batches of 3-D joints to pixels, on any device, with gradients.

B: cameras, N: their points. Camera axes are the field's (OpenCV's): x to the right, y down, z into the
picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from kornia.geometry.conversions import axis_angle_to_rotation_matrix
from torch import Tensor

from rib.io.errors import RibError


@dataclass(frozen=True)
class VirtualCamera:
    """B cameras, each looking at a point from a distance.

    Attributes:
        rotation: (B, 3, 3), from the world's axes (y up) to the camera's.
        target_m: (B, 3), the point of the world on the optical axis.
        distance_m: (B,), from the camera to the target.
        focal_px: (B,), focal length; a metre at the target spans `focal_px / distance_m` pixels, in either
            projection.
        centre_px: (B, 2), where the target appears in the picture.
        min_depth_m: (B,), depths below it count as it: a joint beside or behind the camera stays finite.
        perspective: True: perspective; False: orthographic.
        limit_px: Joints farther than this from `centre_px` along x or y are put there; infinity for no limit.
    """

    rotation: Tensor
    target_m: Tensor
    distance_m: Tensor
    focal_px: Tensor
    centre_px: Tensor
    min_depth_m: Tensor
    perspective: bool = True
    limit_px: float = float("inf")

    def __len__(self) -> int:
        return len(self.rotation)

    def __getitem__(self, index: int | slice | Tensor) -> VirtualCamera:
        """Some of the cameras; an int gives a batch of one."""
        if isinstance(index, int):
            index = slice(index, index + 1 or None)
        fields = ("rotation", "target_m", "distance_m", "focal_px", "centre_px", "min_depth_m")
        return replace(self, **{name: getattr(self, name)[index] for name in fields})

    def view(self, points_m: Tensor) -> Tensor:
        """World points in the camera's axes, the target at (0, 0, distance).

        Args:
            points_m: (B, ..., 3) metres, y up.

        Returns:
            (B, ..., 3) metres, x to the right, y down, z into the picture.
        """
        return self._seen(points_m).mT.reshape(points_m.shape)

    def nearest_m(self, points_m: Tensor) -> Tensor:
        """(B,) The least depth of the world points (B, ..., 3); negative behind the camera."""
        return self._seen(points_m, slice(2, 3)).amin((1, 2))

    def project(self, points_m: Tensor) -> Tensor:
        """World points in the picture.

        Args:
            points_m: (B, ..., 3) metres, y up.

        Returns:
            (B, ..., 2) pixels, x to the right and y down.
        """
        seen_B3N = self._seen(points_m)
        depth_m = self.distance_m[:, None]
        if self.perspective:
            depth_m = torch.maximum(seen_B3N[:, 2], self.min_depth_m[:, None])
        px_per_m = (self.focal_px[:, None] / depth_m)[:, None]
        picture_px = torch.addcmul(self.centre_px[..., None], seen_B3N[:, :2], px_per_m)
        if self.limit_px < float("inf"):
            edge = self.centre_px[..., None]
            picture_px = picture_px.clamp(edge - self.limit_px, edge + self.limit_px)
        return picture_px.mT.contiguous().reshape(*points_m.shape[:-1], 2)

    def _seen(self, points_m: Tensor, axes: slice = slice(None)) -> Tensor:
        """Some axes of `view`, (B, axes, N): coordinates first, the product is ten times faster on a CPU."""
        if points_m.shape[0] != len(self) or points_m.shape[-1] != 3:
            raise RibError(
                f"{len(self)} cameras got points of shape {tuple(points_m.shape)}, expected (B, ..., 3)"
            )
        shift = F.pad(self.distance_m[:, None], (2, 0))[..., None] - self.rotation @ self.target_m[..., None]
        return torch.baddbmm(shift[:, axes], self.rotation[:, axes], points_m.reshape(len(self), -1, 3).mT)


def orbit_rotation(yaw_rad_B: Tensor, pitch_rad_B: Tensor, roll_rad_B: Tensor) -> Tensor:
    """Rotations to the axes of cameras that stand around a point, (B,) each -> (B, 3, 3).

    At zero angles the camera stands on the world's +z side and looks along -z, x to its right. Yaw walks it
    around the vertical axis, positive pitch raises it so that it looks down, roll turns it about its optical
    axis.
    """
    to_camera = torch.diag(torch.tensor([1.0, -1.0, -1.0])).to(yaw_rad_B)

    def turn(angle_B: Tensor, axis: int) -> Tensor:
        vector = torch.zeros(len(angle_B), 3).to(angle_B)
        vector[:, axis] = angle_B
        return axis_angle_to_rotation_matrix(vector)

    return turn(roll_rad_B, 2) @ turn(pitch_rad_B, 0) @ to_camera @ turn(-yaw_rad_B, 1)
