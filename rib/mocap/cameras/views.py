"""Sampling of virtual cameras, by our recipe and the reference's: one camera a window.

B windows of T frames and J = 19 joints. All draws come from the generator that is handed in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import torch
from torch import Tensor

from rib.io.settings.ranges import ListSize, Positive, Range, RisingList
from rib.mocap.cameras.camera import VirtualCamera, orbit_rotation
from rib.structures.skeleton import BODY19

LEFT = [BODY19.index("left_shoulder"), BODY19.index("left_hip")]
RIGHT = [BODY19.index("right_shoulder"), BODY19.index("right_hip")]
MID_HIP = BODY19.index("mid_hip")


class RandomCameras:
    """Cameras all around the person, who stands `height_px` tall in the picture whatever the distance.

    Args:
        yaw_deg: Half the range of directions around the person; 180 is all round.
        pitch_deg: Half the range of pitch, drawn evenly.
        roll_deg: Standard deviation of roll, drawn from a normal distribution.
        distance_m: Least and greatest distance from the person's mean position, drawn evenly.
        clearance_m: A camera that a walking person would come closer to than this steps back; depth is
            floored at half of it.
        height_px: Height in the picture of the standing person at the camera's distance.
        centre_px: Where the person's mean position appears.
        perspective: False for orthographic cameras.
    """

    def __init__(
        self,
        yaw_deg: Annotated[float, Range(0, 180)],
        pitch_deg: Annotated[float, Range(0, 90)],
        roll_deg: Annotated[float, Range(0, 180)],
        distance_m: Annotated[Sequence[Positive], ListSize(2, 2), RisingList()],
        clearance_m: Positive,
        height_px: Positive,
        centre_px: Annotated[Sequence[Annotated[float, Range(-1e6, 1e6)]], ListSize(2, 2)],
        perspective: bool,
    ) -> None:
        self.yaw_rad, self.pitch_rad, self.roll_rad = map(math.radians, (yaw_deg, pitch_deg, roll_deg))
        self.distance_m = tuple(distance_m)
        self.clearance_m = clearance_m
        self.height_px = height_px
        self.centre_px = tuple(centre_px)
        self.perspective = perspective

    def __call__(self, joints_BTJ3: Tensor, stature_m_B: Tensor, generator: torch.Generator) -> VirtualCamera:
        """Draw a camera for each window.

        Args:
            joints_BTJ3: Metres, y up, float.
            stature_m_B: Standing heights in metres.
            generator: On any device; a CPU's draws the same cameras whatever the joints' device.
        """
        B = len(joints_BTJ3)
        yaw, pitch, where = _even(B, 3, generator).to(joints_BTJ3).unbind(-1)
        roll = torch.randn(B, generator=generator, device=generator.device).to(joints_BTJ3)
        nearest, farthest = self.distance_m
        camera = VirtualCamera(
            rotation=orbit_rotation(yaw * self.yaw_rad, pitch * self.pitch_rad, roll * self.roll_rad),
            target_m=_mean_hip(joints_BTJ3),
            distance_m=nearest + (where + 1) / 2 * (farthest - nearest),
            focal_px=torch.ones(B).to(joints_BTJ3),
            centre_px=torch.tensor([self.centre_px]).expand(B, 2).to(joints_BTJ3),
            min_depth_m=torch.full((B,), self.clearance_m / 2).to(joints_BTJ3),
            perspective=self.perspective,
        )
        return self._frame(camera, joints_BTJ3, stature_m_B)

    def _frame(self, camera: VirtualCamera, joints_BTJ3: Tensor, stature_m_B: Tensor) -> VirtualCamera:
        """Step back from who comes too near, then choose the focal length."""
        distance_m = camera.distance_m + (self.clearance_m - camera.nearest_m(joints_BTJ3)).clamp(min=0)
        return replace(camera, distance_m=distance_m, focal_px=self.height_px / stature_m_B * distance_m)


class ReferenceCameras:
    """The reference's cameras: angles from the person's own heading, fixed focal length and depth.

    Its picture plane is in units where a metre at `depth_m` spans `focal / depth_m`; `scale_px` makes them
    pixels.

    Args:
        angles_deg: Half the ranges of pitch, roll and yaw, drawn evenly.
        focal: Focal length in units of the picture plane.
        depth_m: Distance from the mean pelvis.
        jitter: Focal length and depth vary evenly by this part of themselves.
        depth_floor: Depths are floored at this part of the camera's distance.
        plane_limit: The picture plane ends here, on either side.
        scale_px: Pixels to a unit of the picture plane.
        centre_px: Where the mean pelvis appears.
        perspective: False for orthographic cameras.
    """

    def __init__(
        self,
        angles_deg: Sequence[float],
        focal: float,
        depth_m: float,
        jitter: float,
        depth_floor: float,
        plane_limit: float,
        scale_px: float,
        centre_px: Sequence[float],
        perspective: bool,
    ) -> None:
        self.angles_rad = tuple(map(math.radians, angles_deg))
        self.focal = focal
        self.depth_m = depth_m
        self.jitter = jitter
        self.depth_floor = depth_floor
        self.plane_limit = plane_limit
        self.scale_px = scale_px
        self.centre_px = tuple(centre_px)
        self.perspective = perspective

    def __call__(self, joints_BTJ3: Tensor, stature_m_B: Tensor, generator: torch.Generator) -> VirtualCamera:
        """Draw a camera for each window.

        Args:
            joints_BTJ3: Metres, y up, float.
            stature_m_B: Not used: the reference does not normalise the person's height.
            generator: On any device; a CPU's draws the same cameras whatever the joints' device.
        """
        B = len(joints_BTJ3)
        draws = _even(B, 5, generator).to(joints_BTJ3)
        pitch, roll, yaw = (draws[:, i] * half for i, half in enumerate(self.angles_rad))
        focal, depth_m = (
            value * (1 + self.jitter * draws[:, i]) for i, value in ((3, self.focal), (4, self.depth_m))
        )
        return VirtualCamera(
            rotation=orbit_rotation(camera_heading_rad(joints_BTJ3) + yaw, pitch, roll),
            target_m=_mean_hip(joints_BTJ3),
            distance_m=depth_m,
            focal_px=focal * self.scale_px,
            centre_px=torch.tensor([self.centre_px]).expand(B, 2).to(joints_BTJ3),
            min_depth_m=depth_m * self.depth_floor,
            perspective=self.perspective,
            limit_px=self.plane_limit * self.scale_px,
        )


def camera_heading_rad(joints_BTJ3: Tensor) -> Tensor:
    """(B,) The yaw at which a camera sees the person from the front, by shoulders and hips."""
    left = (joints_BTJ3[:, :, LEFT] - joints_BTJ3[:, :, RIGHT]).mean(dim=(1, 2))
    return torch.atan2(-left[:, 2], left[:, 0])


def _mean_hip(joints_BTJ3: Tensor) -> Tensor:
    return joints_BTJ3[:, :, MID_HIP].mean(dim=1)


def _even(count: int, columns: int, generator: torch.Generator) -> Tensor:
    """(count, columns) draws from -1..1."""
    return torch.rand(count, columns, generator=generator, device=generator.device) * 2 - 1
