"""The clips of a folder as small pictures, decoded once and kept."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from rib.video import open_frame_source

SIZE_PX = (192, 144)
"""Every clip is brought to this size, whatever its shape: twice what any of the rules looks at."""
MOST_FRAMES = 400
"""Of each clip, from its first frame on."""


def small_clips(folders: list[Path], kept: Path) -> dict[str, np.ndarray]:
    """(T, 144, 192, 3) uint8 RGB of every video, by name.

    Args:
        folders: Where the videos lie.
        kept: A folder for the small pictures, so that another run need not decode.
    """
    kept.mkdir(parents=True, exist_ok=True)
    clips = {}
    for path in sorted(p for folder in folders for p in folder.iterdir() if p.suffix in (".mp4", ".mkv")):
        stored = kept / f"{path.stem}.npy"
        if not stored.is_file():
            np.save(stored, _shrunk(path))
        clips[path.stem] = np.load(stored, mmap_mode="r")
    return clips


def _shrunk(path: Path) -> np.ndarray:
    frames = []
    for frame in open_frame_source(path):
        frames.append(cv2.resize(frame, SIZE_PX, interpolation=cv2.INTER_AREA))
        if len(frames) == MOST_FRAMES:
            break
    return np.stack(frames)
