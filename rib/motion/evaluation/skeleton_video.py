"""Skeletons side by side as a GIF or MP4: the truth, and what methods make of its keyframes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from scipy.ndimage import uniform_filter1d

from rib.io.errors import RibError
from rib.io.files.whole import write_file_whole
from rib.motion.evaluation.protocol import FPS
from rib.structures.skeleton import BODY19, joint_set_named
from rib.video import VideoWriter

BACKGROUND, TEXT, KEYFRAME = (250, 250, 248), (70, 70, 70), (200, 60, 40)
LEFT, RIGHT, MIDDLE = (200, 90, 30), (30, 110, 190), (90, 90, 90)
MARGIN = 0.12
SUBPIXEL = 4
GIF_STEP = 2
FOLLOW_FRAMES = 31


def write_motion_video(
    path: Path, panels: Mapping[str, np.ndarray], stride: int, size_px: int, codec: str, crf: int
) -> None:
    """Write one video of several motions of the same person.

    Args:
        path: A .gif (30 frames a second) or .mp4 (60) to write.
        panels: (N, 19, 2) px by title; the picture follows the first.
        stride: Every so many frames is a keyframe, which is marked.
        size_px: Width and height of a panel.
        codec: Encoder of an .mp4.
        crf: Its constant rate factor; lower is better and larger.

    Raises:
        RibError: The path ends in neither.
    """
    frames = motion_video_frames(panels, stride, size_px)
    if path.suffix == ".gif":
        _write_gif(path, frames)
    elif path.suffix == ".mp4":
        size = (size_px * len(panels), size_px)
        with VideoWriter(path, Fraction(int(FPS)), size, codec, crf, "yuv420p") as writer:
            for frame in frames:
                writer.write(frame)
    else:
        raise RibError(f"skeletons would be written to {path}", "name a .gif or .mp4 file")


def _write_gif(path: Path, frames: Iterator[np.ndarray]) -> None:
    from PIL import Image

    pictures = [Image.fromarray(frame) for number, frame in enumerate(frames) if number % GIF_STEP == 0]
    with write_file_whole(path) as temporary:
        pictures[0].save(
            temporary, save_all=True, append_images=pictures[1:], duration=1000 * GIF_STEP / FPS, loop=0
        )


def motion_video_frames(panels: Mapping[str, np.ndarray], stride: int, size_px: int) -> Iterator[np.ndarray]:
    """The frames of `write_motion_video`, (size_px, panels * size_px, 3) uint8 RGB."""
    truth = next(iter(panels.values()))
    low, high = truth.min(1), truth.max(1)
    scale = size_px * (1 - 2 * MARGIN) / (high - low).max()
    middle = uniform_filter1d((low + high) / 2, FOLLOW_FRAMES, axis=0)
    for number in range(len(next(iter(panels.values())))):
        row = []
        for title, joints_px in panels.items():
            panel = np.full((size_px, size_px, 3), BACKGROUND, np.uint8)
            placed = (joints_px[number] - middle[number]) * scale + size_px / 2
            render_motion_skeleton(panel, placed)
            colour = KEYFRAME if number % stride == 0 else TEXT
            cv2.putText(panel, title, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
            row.append(panel)
        yield np.concatenate(row, axis=1)


def render_motion_skeleton(
    picture: np.ndarray, joints_px: np.ndarray, found: np.ndarray | None = None
) -> None:
    """Draw 19 joints (19, 2) into an (H, W, 3) uint8 RGB picture: left and right in colours of their own.

    Limbs to a joint that was not found, (19,) bool, are left out.
    """
    points = np.round((joints_px - 0.5) * 2**SUBPIXEL).astype(int)
    for a, b in joint_set_named("body19").limbs:
        if found is not None and not (found[a] and found[b]):
            continue
        colour = LEFT if BODY19[b].startswith("left") else RIGHT if BODY19[b].startswith("right") else MIDDLE
        cv2.line(picture, points[a].tolist(), points[b].tolist(), colour, 2, cv2.LINE_AA, SUBPIXEL)
