"""Methods side by side: each a chain that is fed the keyframes alone, all walked through in lock-step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from rib.benchmark.settings import BenchmarkSettings
from rib.benchmark.shared_interpolator import BenchmarkInterpolatorMemo, SharedBenchmarkInterpolator
from rib.io.errors import RibError
from rib.pipeline.chain import Chain
from rib.pipeline.synthesis.synthesiser import SynthesisObserver
from rib.video import FrameSource, share_decoded_frames, subsample_frames

MAKING = ("background", "plate", "render", "composite")
"""Stages that run anew for every frame made."""


@dataclass(frozen=True)
class BenchmarkedFrame:
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


def build_method_chains(config: BenchmarkSettings) -> dict[str, Chain]:
    """A chain for each method: the config's stages with those that the method names in their place.

    All look for poses, mattes and cuts in the same artefacts, so what they share is found once; methods with
    the same interpolator share it and what it makes.
    """
    if not config.methods:
        raise RibError("methods=[] was given", "type methods=[rife,rib], or leave it out for all of them")
    chains = {name: Chain.from_config({**config, **stages}) for name, stages in config.methods.items()}
    artefacts = next(iter(chains.values())).artefacts
    memos: dict[str, BenchmarkInterpolatorMemo] = {}
    for name, chain in chains.items():
        key = json.dumps(chain.stages.recipes["background"], sort_keys=True)
        memo = memos.setdefault(key, BenchmarkInterpolatorMemo(partial(getattr, chain.stages, "background")))
        chains[name] = chain.sharing(artefacts, SharedBenchmarkInterpolator(memo, chain.watch))
    return chains


def walk_benchmark_methods(
    source: FrameSource,
    stride: int,
    chains: Mapping[str, Chain],
    observers: Mapping[str, SynthesisObserver] | None = None,
) -> Iterator[BenchmarkedFrame]:
    """Every frame up to the last keyframe, with the methods' frames; one moment is in memory at a time.

    The methods walk in step, so the keyframes are decoded once for all of them.

    Args:
        source: The clip; frames whose number is no multiple of the stride are never shown to a method.
        stride: Frames from one keyframe to the next.
        chains: By method.
        observers: By method, who sees everything that it makes.
    """
    keyframes = subsample_frames(source, stride)
    analyses = {name: chain.analyse(keyframes, source.fps, poses=False) for name, chain in chains.items()}
    decoded = share_decoded_frames(keyframes, len(chains))
    runs = {
        name: chain.frames(keyframes, analyses[name], (observers or {}).get(name), frames)
        for (name, chain), frames in zip(chains.items(), decoded, strict=True)
    }
    for index, (true, *frames) in enumerate(zip(source, *runs.values(), strict=False)):
        predicted = {name: frame.picture for name, frame in zip(runs, frames, strict=True)}
        trusted = {name: frame.trusted for name, frame in zip(runs, frames, strict=True)}
        yield BenchmarkedFrame(
            index, float(source.times_s[index]), index % stride == 0, true, predicted, trusted
        )


def num_benchmarked_frames(num_frames: int, stride: int) -> tuple[int, int]:
    """Frames up to the last keyframe, and how many of them are hidden."""
    intervals = (num_frames - 1) // stride
    return intervals * stride + 1, intervals * (stride - 1)


def seconds_per_hidden_frame(chain: Chain, hidden: int) -> float:
    """Wall seconds to make one hidden frame, without analysis and loading."""
    return sum(chain.watch.seconds.get(stage, 0.0) for stage in MAKING) / max(hidden, 1)
