"""One frame rate for all recordings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.interpolate import CubicSpline

from rib.mocap.recording import MocapRecording

SAME_RATE = 1e-5
"""Rates closer than this, relatively, are the same: 120.00004577636719 fps is 120, 59.94 is not 60."""


def resample_recording(recording: MocapRecording, fps: float) -> MocapRecording:
    """The recording at `fps` frames a second, its first frame unmoved.

    Where the rate is a whole multiple of `fps` the captured frames are kept bit by bit (120 to 60: every
    second); elsewhere a cubic spline in time runs through them. The result never reaches past the last
    captured frame.
    """
    step = round(recording.fps / fps)
    if step >= 1 and abs(recording.fps / (step * fps) - 1) < SAME_RATE:
        return replace(recording, joints_m=recording.joints_m[::step], fps=float(fps))
    if len(recording) == 1:
        return replace(recording, fps=float(fps))
    times_s = np.arange(len(recording)) / recording.fps
    count = int(np.floor(recording.duration_s * fps * (1 + 1e-9))) + 1
    wanted_s = np.minimum(np.arange(count) / fps, times_s[-1])
    joints_m = CubicSpline(times_s, recording.joints_m)(wanted_s)
    return replace(recording, joints_m=joints_m.astype(recording.joints_m.dtype), fps=float(fps))
