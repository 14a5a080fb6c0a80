"""Acclaim files: a skeleton (.asf) and the motions of its owner (.amc), as CMU distributes them.

Conventions: a bone's local rotation is C M C^-1, C its `axis` and M the angles of its frame, both about fixed
axes in the order listed; bones are named after their ends, and `root` is the pelvis.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from rib.io.errors import RibError, reason_of_error
from rib.io.files.text import read_text_file
from rib.mocap.kinematics import chain_positions, global_rotations
from rib.mocap.recording import MAX_JOINTS, check_mocap_values

INCH_M = 0.0254
DOFS = frozenset({"tx", "ty", "tz", "rx", "ry", "rz", "l"})


@dataclass
class AsfBone:
    """One bone of a skeleton: a vector in the rest pose, file units and degrees."""

    name: str
    direction: np.ndarray = field(default_factory=lambda: np.zeros(3))
    length: float = 0.0
    axis: np.ndarray = field(default_factory=lambda: np.zeros(3))
    axis_order: str = "xyz"
    dof: tuple[str, ...] = ()


@dataclass
class AsfSkeleton:
    """A parsed ASF file.

    Attributes:
        bones: J bones, `root` first, parents before children.
        parents: J parents, -1 for the root.
        metres_per_unit: The file's `length` says how many of its units make an inch, so CMU's 0.45 is 5.644
            cm.
        degrees: Whether angles are degrees (else radians).
    """

    bones: list[AsfBone]
    parents: list[int]
    metres_per_unit: float
    degrees: bool


def read_asf(path: Path) -> AsfSkeleton:
    """Parse a skeleton.

    Raises:
        RibError: The file is not ASF, or a bone hangs nowhere or in two places.
    """
    text = read_text_file(path, "", "put the skeleton beside its motions", any_bytes=True)
    sections = re.split(r"^\s*:", text, flags=re.MULTILINE)
    content = {name: body for name, _, body in (section.partition("\n") for section in sections[1:])}
    content = {name.split()[0].lower(): body for name, body in content.items() if name.split()}
    try:
        units = dict(line.split()[:2] for line in content["units"].splitlines() if line.strip())
        bones = {bone.name: bone for bone in map(_bone, content["bonedata"].split("begin")[1:])}
        bones["root"] = _root(content["root"])
        return AsfSkeleton(
            *_ordered(bones, content["hierarchy"]),
            metres_per_unit=INCH_M / _above_0(units["length"]),
            degrees=units.get("angle", "deg").lower().startswith("deg"),
        )
    except (KeyError, ValueError, IndexError) as error:
        raise RibError(f"{path} is not a whole ASF file (at {str(error)[:200]})") from error


def read_amc(path: Path, skeleton: AsfSkeleton) -> dict[str, np.ndarray]:
    """Parse a motion: for each bone that moves, (T, its dof) in file units and the skeleton's angle unit.

    Raises:
        RibError: A frame is lacking, lacks a bone or holds something that is not a number.
    """
    text = read_text_file(path, "", "name an AMC file", any_bytes=True)
    frames: list[dict[str, list[float]]] = []
    numbers: list[int] = []
    try:
        for words in map(str.split, text.splitlines()):
            if not words or words[0][0] in "#:":
                continue
            if len(words) == 1 and words[0].isdecimal():
                numbers.append(int(words[0]))
                frames.append({})
            else:
                frames[-1][words[0]] = [float(word) for word in words[1:]]
        moving = [bone for bone in skeleton.bones if bone.dof]
        motion = {bone.name: np.array([frame[bone.name] for frame in frames]) for bone in moving}
        for bone in moving:
            values = motion[bone.name].reshape(len(frames), len(bone.dof))
            motion[bone.name] = check_mocap_values(values, f"the bone {bone.name}")
        if any(b != a + 1 for a, b in pairwise(numbers)):
            raise ValueError("its frames are not numbered one by one")
    except KeyError as error:
        raise RibError(
            f"{path}: a frame lacks the bone {str(error)[:80]}, which its skeleton moves"
        ) from error
    except (ValueError, IndexError) as error:
        raise RibError(
            f"{path} is not a whole AMC file of its skeleton ({reason_of_error(error)})"
        ) from error
    if not frames:
        raise RibError(f"{path} holds no frame")
    return motion


def amc_positions(skeleton: AsfSkeleton, motion: dict[str, np.ndarray]) -> np.ndarray:
    """Compute the bones' ends, (T, J, 3) in file units, y up; `root` is the pelvis."""
    frames = len(next(iter(motion.values())))
    local = np.empty((frames, len(skeleton.bones), 3, 3))
    bones = np.zeros((frames, len(skeleton.bones), 3))
    for index, bone in enumerate(skeleton.bones):
        frame_axes = _turn(bone.axis_order, bone.axis, skeleton.degrees)
        values = motion.get(bone.name, np.zeros((frames, 0)))
        turns = [i for i, dof in enumerate(bone.dof) if dof.startswith("r")]
        order = "".join(bone.dof[i][1] for i in turns)
        local[:, index] = (
            frame_axes * _turn(order, values[:, turns], skeleton.degrees) * frame_axes.inv()
        ).as_matrix()
        for i, dof in enumerate(bone.dof):
            if dof in ("tx", "ty", "tz"):
                bones[:, index, "xyz".index(dof[1])] = values[:, i]
    world = global_rotations(local, skeleton.parents)
    for index, bone in enumerate(skeleton.bones):
        bones[:, index] += world[:, index] @ (bone.direction * bone.length)
    return chain_positions(bones, skeleton.parents)


def asf_file_of_amc(motion: Path) -> Path:
    """The skeleton of a motion: `05.asf` for `05_02.amc`, or the only `.asf` of the folder.

    Raises:
        RibError: Neither is there.
    """
    own = motion.with_name(f"{motion.stem.partition('_')[0]}.asf")
    if own.exists():
        return own
    others = list(motion.parent.glob("*.asf"))
    if len(others) != 1:
        raise RibError(f"{motion} has no skeleton", f"put {own.name} beside it")
    return others[0]


def _turn(order: str, angles: np.ndarray, degrees: bool) -> Rotation:
    """Rotations about fixed axes, the first of `order` first."""
    return Rotation.from_euler(order, angles, degrees=degrees) if order else Rotation.identity()


def _bone(text: str) -> AsfBone:
    entries = {words[0]: words[1:] for words in map(str.split, text.splitlines()) if words}
    return AsfBone(
        name=entries["name"][0],
        direction=_vector(entries["direction"]),
        length=_vector(entries["length"], 1)[0],
        axis=_vector(entries["axis"]),
        axis_order=_order(entries["axis"][3]),
        dof=_dof(entries.get("dof", ())),
    )


def _root(text: str) -> AsfBone:
    entries = {words[0]: words[1:] for words in map(str.split, text.splitlines()) if words}
    return AsfBone(
        name="root",
        axis=_vector(entries["orientation"]),
        axis_order=_order(entries["axis"][0]),
        dof=_dof(entries["order"]),
    )


def _vector(words: Sequence[str], size: int = 3) -> np.ndarray:
    if len(words) < size:
        raise ValueError(f"{len(words)} numbers where {size} are needed")
    return check_mocap_values(np.array([float(word) for word in words[:size]]), "the skeleton")


def _above_0(word: str) -> float:
    number = float(word)
    if not 1e-6 < number < 1e6:
        raise ValueError(f"length {word}")
    return number


def _order(word: str) -> str:
    """The order of a bone's axes: x, y and z, each once."""
    if sorted(word.lower()) != ["x", "y", "z"]:
        raise ValueError(f"axis {word!r}")
    return word.lower()


def _dof(words: Sequence[str]) -> tuple[str, ...]:
    """Read a bone's degrees of freedom."""
    dof = tuple(word.lower() for word in words)
    if not DOFS.issuperset(dof) or len(set(dof)) < len(dof):
        raise ValueError(f"dof {' '.join(words)}")
    return dof


def _ordered(bones: dict[str, AsfBone], hierarchy: str) -> tuple[list[AsfBone], list[int]]:
    """The bones parents first, as the hierarchy lists them, and their parents."""
    order, parents = ["root"], [-1]
    children = {words[0]: words[1:] for words in map(str.split, hierarchy.splitlines()) if len(words) > 1}
    for index, name in enumerate(order):  # grows while it is walked
        for child in children.get(name, ()):
            if child in order or len(order) == MAX_JOINTS:
                raise ValueError(f"the bone {child} hangs in two places, or too many do")
            order.append(child)
            parents.append(index)
    if len(order) != len(bones):
        raise ValueError("bones outside the hierarchy: " + ", ".join(sorted(set(bones) - set(order))))
    return [bones[name] for name in order], parents
