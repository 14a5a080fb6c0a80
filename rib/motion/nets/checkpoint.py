"""Motion nets in files: recipe, weights and facts together, so that a file alone is enough."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from torch import nn

from rib.io.errors import RibError, reason_of_error
from rib.io.registry import REGISTRY
from rib.io.weights.net_files import (
    NetFile,
    build_net_of_file,
    not_a_net_file,
    read_net_file,
    write_net_file,
)

FORMAT, FORMAT_VERSION = "rib.motion", 1
SHIPPED = "motion_base.safetensors"


@dataclass(frozen=True)
class MotionNetFacts:
    """Facts that are checked before a net is used.

    Attributes:
        joint_set: The joints that it moves, a name of `rib.structures.skeleton.JOINT_SETS`.
        fps: The frame rate that it is bound to, or None where it takes time in seconds.
        format: Always "rib.motion".
        format_version: Counts up when files of before can no longer be read.
    """

    joint_set: str
    fps: float | None
    format: str = FORMAT
    format_version: int = FORMAT_VERSION


def facts_of_motion_net(net: nn.Module) -> MotionNetFacts:
    """Collect a net's facts."""
    return MotionNetFacts(str(net.joint_set), net.fps)  # type: ignore[arg-type]


def shipped_motion_weights() -> Path:
    """The weights that come with the package."""
    return Path(str(files("rib.motion") / "weights" / SHIPPED))


def save_motion_net(
    path: str | Path, net: nn.Module, recipe: Mapping[str, Any], notes: Mapping[str, str]
) -> None:
    """Write a net's weights as `.safetensors`, with its recipe, facts and notes in the header.

    Args:
        path: The file to write.
        net: What `recipe` builds, trained.
        recipe: The net's recipe, a plain dict.
        notes: What else to say: data, commit, figures.
    """
    write_net_file(path, net, recipe, {**notes, "facts": json.dumps(asdict(facts_of_motion_net(net)))})


def load_motion_net(path: str | Path, joint_set: str = "body19", fps: float | None = None) -> nn.Module:
    """The net alone of `load_motion_net_and_recipe`."""
    return load_motion_net_and_recipe(path, joint_set, fps)[0]


def load_motion_net_and_recipe(
    path: str | Path, joint_set: str = "body19", fps: float | None = None
) -> tuple[nn.Module, dict[str, Any]]:
    """A net for use and its recipe, from `save_motion_net`'s file or from a training checkpoint.

    Args:
        path: `.safetensors`, or Lightning's `.ckpt`.
        joint_set: The joints wanted.
        fps: The frame rate wanted, or None where it does not matter.

    Raises:
        RibError: The file is absent, damaged or none of ours, or it is of another joint set, frame rate or
            format version.
    """
    file = read_net_file(path, "motion")
    _check(file.path, _facts(file), joint_set, fps)
    return build_net_of_file(file, "motion net"), REGISTRY.renamed(file.recipe)


def _facts(file: NetFile) -> MotionNetFacts:
    try:
        return MotionNetFacts(**(json.loads(file.header["facts"]) if file.header else file.content[FORMAT]))
    except Exception as error:  # what a stranger wrote there may be anything
        raise not_a_net_file(file.path, "motion", reason_of_error(error)) from error


def _check(path: Path, facts: MotionNetFacts, joint_set: str, fps: float | None) -> None:
    if (facts.format, facts.format_version) != (FORMAT, FORMAT_VERSION):
        raise RibError(
            f"{path} is of format {facts.format} {facts.format_version}, "
            f"this version of rib reads {FORMAT} {FORMAT_VERSION}",
            "use the version of rib that wrote it, or train anew",
        )
    if facts.joint_set != joint_set:
        raise RibError(f"{path} moves the joints of {facts.joint_set!r}, but {joint_set!r} is wanted")
    bound = facts.fps
    if bound is not None and not (isinstance(bound, int | float) and 0 < bound < math.inf):
        raise RibError(f"{path} is bound to {bound!r} frames a second", "use a file that rib wrote")
    if bound is not None and fps is not None and abs(bound - fps) > 1e-3 * fps:
        raise RibError(
            f"{path} was trained for {bound:g} frames a second, but {fps:g} are wanted",
            f"choose fps={bound:g}, or motion=transformer with the weights that come with rib",
        )
