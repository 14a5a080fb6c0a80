"""BVH (Biovision Hierarchy) files.

A joint's rotation is the product of its rotation channels in the order the file lists them, R = R_1 R_2 R_3;
position channels stand in place of the joint's offset. End sites become joints called `<parent>_end`.

Read here and not by a library: bvhio, the maintained one under a free licence, walks Python objects frame by
frame, 20 times slower than whole arrays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from rib.io.errors import RibError
from rib.io.files.text import read_text_file
from rib.mocap.kinematics import forward_kinematics
from rib.mocap.recording import MAX_JOINTS, check_mocap_values

CHANNELS = frozenset(f"{axis}{kind}" for axis in "xyz" for kind in ("position", "rotation"))
COMMON_FPS = (60, 120, 30, 24, 25, 50, 90, 100, 240)


@dataclass
class BvhFile:
    """A parsed BVH file.

    Attributes:
        names: J joint names, end sites among them, in the file's order (parents first).
        parents: J parents, -1 for roots.
        offsets: (J, 3), file units.
        channels: For each joint the names of its channels, in lower case.
        motion: (T, channels), file units and degrees.
        fps: Frames a second.
    """

    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[list[float]] = field(default_factory=list)
    channels: list[list[str]] = field(default_factory=list)
    motion: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    fps: float = 0.0


def read_bvh(path: Path) -> BvhFile:
    """Parse a BVH file.

    Raises:
        RibError: The file is not BVH, its motion is not a whole number of frames or fewer than it says.
    """
    text = read_text_file(path, "", "name a BVH file", any_bytes=True)
    hierarchy, found, motion = text.partition("MOTION")
    if not found:
        raise RibError(f"{path} is not a BVH file: it has no MOTION section")
    bvh = BvhFile()
    try:
        _parse_hierarchy(iter(hierarchy.replace("{", " { ").replace("}", " } ").split()), bvh)
        _parse_motion(motion.strip().splitlines(), bvh)
    except (ValueError, IndexError, OverflowError, StopIteration) as error:
        raise RibError(f"{path} is not a whole BVH file ({error or 'it ends too early'})") from error
    return bvh


def bvh_positions(bvh: BvhFile) -> np.ndarray:
    """Compute the joints' positions, (T, J, 3) in the file's units and axes."""
    frames = len(bvh.motion)
    rotations = np.tile(np.eye(3), (frames, len(bvh.names), 1, 1))
    offsets = np.tile(np.array(bvh.offsets), (frames, 1, 1))
    column = 0
    for joint, channels in enumerate(bvh.channels):
        values = bvh.motion[:, column : column + len(channels)]
        column += len(channels)
        turns = [i for i, channel in enumerate(channels) if channel.endswith("rotation")]
        for i in sorted(set(range(len(channels))) - set(turns)):
            offsets[:, joint, "xyz".index(channels[i][0])] = values[:, i]
        if turns:
            order = "".join(channels[i][0].upper() for i in turns)  # capitals: intrinsic, R_1 R_2 R_3
            rotations[:, joint] = Rotation.from_euler(order, values[:, turns], degrees=True).as_matrix()
    return forward_kinematics(rotations, offsets, bvh.parents)


def bvh_nominal_fps(frame_time: str) -> float:
    """The frame rate behind a frame time that was rounded when it was printed.

    "0.0083333" and "0.008333" are 120 fps, "0.0333" is 30, "0.016683" is 59.94.
    """
    seconds = float(frame_time)
    if not seconds > 0:
        raise ValueError(f"frame time {frame_time}")
    decimals = len(frame_time.partition(".")[2])
    nearest = round(1 / seconds)
    if nearest and abs(nearest * seconds - 1) < 1e-9:
        return float(nearest)
    for fps in (*COMMON_FPS, nearest):
        if fps and f"{1 / fps:.{decimals}f}" == f"{seconds:.{decimals}f}":
            return float(fps)
    return 1 / seconds


def _parse_hierarchy(words: Iterator[str], bvh: BvhFile) -> None:
    open_joints: list[int] = []
    for word in words:
        kind = word.upper()
        if kind in ("ROOT", "JOINT", "END"):
            label = " ".join(iter(lambda: next(words), "{"))  # a name may hold spaces
            parent = open_joints[-1] if open_joints else -1
            bvh.names.append(f"{bvh.names[parent]}_end" if kind == "END" else label)
            bvh.parents.append(parent)
            bvh.offsets.append([0.0, 0.0, 0.0])
            bvh.channels.append([])
            open_joints.append(len(bvh.names) - 1)
        elif kind == "OFFSET":
            bvh.offsets[open_joints[-1]] = [float(next(words)) for _ in range(3)]
        elif kind == "CHANNELS":
            bvh.channels[open_joints[-1]] = _channels(words)
        elif kind == "}":
            open_joints.pop()
        elif kind != "HIERARCHY":
            raise ValueError(f"the hierarchy holds {word[:40]!r}")
        if len(bvh.names) > MAX_JOINTS:
            raise ValueError(f"more than {MAX_JOINTS} joints")
    if open_joints or not bvh.names:
        raise ValueError("the hierarchy is not closed")
    check_mocap_values(np.array(bvh.offsets), "the hierarchy")


def _channels(words: Iterator[str]) -> list[str]:
    """A joint's channels, their number first: positions, and up to three rotations about axes that differ."""
    count = int(next(words))
    if not 0 <= count <= 6:
        raise ValueError(f"a joint has {count} channels")
    channels = [next(words).lower() for _ in range(count)]
    if unknown := set(channels) - CHANNELS:
        raise ValueError(f"there is no channel {min(unknown)[:40]!r}")
    turns = [channel[0] for channel in channels if channel.endswith("rotation")]
    if len(turns) > 3 or any(a == b for a, b in pairwise(turns)):
        raise ValueError(f"a joint turns about {', '.join(turns)}")
    return channels


def _parse_motion(lines: list[str], bvh: BvhFile) -> None:
    start = next((i for i, line in enumerate(lines) if line.lower().startswith("frame time")), None)
    if start is None:
        raise ValueError("it has no frame time")
    bvh.fps = bvh_nominal_fps(lines[start].replace(":", " ").split()[-1])
    values = np.array(" ".join(lines[start + 1 :]).split(), dtype=np.float64)
    channels = sum(map(len, bvh.channels))
    if len(values) == 0 or not channels or len(values) % channels:
        raise ValueError(f"{len(values)} numbers are not a whole number of frames of {channels} channels")
    bvh.motion = check_mocap_values(values, "the motion").reshape(-1, channels)
    said = [line.split()[-1] for line in lines[:start] if line.lower().startswith("frames:")]
    if said and int(said[0]) > len(bvh.motion):
        raise ValueError(f"it says that it has {said[0]} frames and ends after {len(bvh.motion)}")
