"""Methods side by side: each a chain that is fed the keyframes alone, all walked through in lock-step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rib.io.errors import RibError
from rib.pipeline.chain import Chain
from rib.video import FrameSource, every

MAKING = ("background", "plate", "render", "compose")
"""Stages that run anew for every frame made."""


@dataclass(frozen=True)
class Moment:
    """One frame of the clip and every method's frame at its time.

    Attributes:
        index: Its number in the clip.
        time_s: Its time.
        is_keyframe: Whether the methods were given it.
        true: (H, W, 3) uint8 RGB.
        predicted: By method, the same shape; at a keyframe a copy of it.
        trusted: By method, the share of pixels with trust above one half; 0 at a keyframe.
    """

    index: int
    time_s: float
    is_keyframe: bool
    true: np.ndarray
    predicted: Mapping[str, np.ndarray]
    trusted: Mapping[str, float] = field(default_factory=dict)


def build_chains(config: Mapping[str, Any]) -> dict[str, Chain]:
    """A chain for each method: the config's stages with those that the method names in their place.

    All look for poses, mattes and cuts in the same artefacts, so what they share is found once.
    """
    if not config["methods"]:
        raise RibError("methods=[] was given", "type methods=[rife,rib], or leave it out for all of them")
    chains = {name: Chain.from_config({**config, **stages}) for name, stages in config["methods"].items()}
    artefacts = next(iter(chains.values())).artefacts
    for chain in chains.values():
        chain.artefacts = artefacts
    return chains


def walk(source: FrameSource, stride: int, chains: Mapping[str, Chain]) -> Iterator[Moment]:
    """Every frame up to the last keyframe, with the methods' frames; one moment is in memory at a time.

    Args:
        source: The clip; frames whose number is no multiple of the stride are never shown to a method.
        stride: Frames from one keyframe to the next.
        chains: By method.
    """
    keyframes = every(source, stride)
    runs = {
        name: chain.frames(keyframes, chain.analyse(keyframes, source.fps)) for name, chain in chains.items()
    }
    for index, (true, *frames) in enumerate(zip(source, *runs.values(), strict=False)):
        predicted = {name: frame.picture for name, frame in zip(runs, frames, strict=True)}
        trusted = {name: frame.trusted for name, frame in zip(runs, frames, strict=True)}
        yield Moment(index, float(source.times_s[index]), index % stride == 0, true, predicted, trusted)


def num_scored(num_frames: int, stride: int) -> tuple[int, int]:
    """Frames up to the last keyframe, and how many of them are hidden."""
    gaps = (num_frames - 1) // stride
    return gaps * stride + 1, gaps * (stride - 1)


def seconds_a_frame(chain: Chain, hidden: int) -> float:
    """Wall seconds to make one hidden frame, without analysis and loading."""
    return sum(chain.watch.seconds.get(stage, 0.0) for stage in MAKING) / max(hidden, 1)
