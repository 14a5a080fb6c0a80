"""One measurement, in a process of its own, so that its peak memory is its own too."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from rib.background.ifnet.net import IFNet, load_ifnet, merge_warped_pair
from rib.background.rife import FINE_UP_TO_PX, RifeInterpolator
from rib.benchmark.speed.settings import SpeedBenchmarkSettings
from rib.io.images import to_pictures, to_tensor
from rib.pipeline.chain import Chain
from rib.pipeline.stage_set import resolve_stage_device
from rib.pipeline.timeline import output_fps, output_timeline_as_asked
from rib.video import InMemorySource, VideoWriter, open_frame_source, without_duplicate_frames


@dataclass(frozen=True)
class SpeedMeasurement:
    """Time and memory of one process.

    Attributes:
        made: Frames in between.
        seconds: Wall seconds by stage; `total` is all of them but loading.
        cpu_seconds: The same in seconds of all cores.
        peak_bytes: The process's largest memory, libraries included.
        precision: Of the interpolator's net, "none" where there is no net.
        threads: Of PyTorch.
    """

    made: int
    seconds: dict[str, float]
    cpu_seconds: dict[str, float]
    peak_bytes: int
    precision: str
    threads: int


def measure_chain(
    config: SpeedBenchmarkSettings, clip: Path, rate: float, everybody: bool, output: Path
) -> SpeedMeasurement:
    """Time what `rib interpolate` does from opening a clip to its finished video.

    Args:
        config: The chain, and where it keeps its analysis.
        clip: A video.
        rate: Frames out for each keyframe.
        everybody: Whether everybody is drawn, or one person.
        output: The video to write.
    """
    _use_threads(config)
    chain = Chain.from_config({**config, "people": "all" if everybody else config.people})
    watch = chain.watch
    with watch("decode"):
        given = InMemorySource(open_frame_source(str(clip)))
        fps = output_fps(given.fps, rate, None, None)
        source = without_duplicate_frames(given)
    moments = output_timeline_as_asked(source, fps, None, whole=True, even=True)
    analysis = chain.analyse(source, moments, poses=False)
    video, made = config.video, 0
    assert video.codec
    assert video.crf is not None
    assert video.pixel_format
    writer = VideoWriter(
        output, moments.fps, source.size_px, video.codec, video.crf, video.pixel_format, look=source.look,
        preset=video.preset or "auto",
    )  # fmt: skip
    with watch("write frames"), writer:
        for frame in chain.frames(source, analysis):
            writer.write(frame.picture)
            made += frame.keyframe < 0
    background = chain.stages.background
    net = background.net if isinstance(background, RifeInterpolator) else None
    return _measurement(made, dict(watch.seconds), dict(watch.cpu_seconds), net)


def measure_rife(config: SpeedBenchmarkSettings, clip: Path, rate: float) -> SpeedMeasurement:
    """Time RIFE 4.0 as its authors run it: pair by pair and moment by moment, in float32, nothing written."""
    _use_threads(config)
    device = resolve_stage_device(config.device)
    frames = list(open_frame_source(str(clip)))
    net = load_ifnet(4.0).to(device)
    start, cpu_start, made = time.perf_counter(), time.process_time(), 0
    with torch.inference_mode():
        for a, b in pairwise(frames):
            pair = torch.stack([to_tensor(a, device), to_tensor(b, device)])[None]
            for fraction in _fractions(rate):
                _interpolate(net, pair, fraction)
                made += 1
    seconds = {"total": time.perf_counter() - start}
    return _measurement(made, seconds, {"total": time.process_time() - cpu_start}, net)


def _interpolate(net: IFNet, pair: torch.Tensor, fraction: float) -> Any:
    height, width = pair.shape[-2:]
    coarseness = 1 if height * width < FINE_UP_TO_PX else 2
    multiple = 64 * coarseness
    padded = F.pad(pair, (0, -width % multiple, 0, -height % multiple))
    estimate = net(padded, pair.new_tensor([fraction]), coarseness)
    return to_pictures(merge_warped_pair(padded, estimate)[0][..., :height, :width])


def _fractions(rate: float) -> Iterator[float]:
    """Moments between two keyframes, for a whole number of frames."""
    steps = max(1, round(rate))
    return (step / steps for step in range(1, steps))


def _measurement(
    made: int, seconds: dict[str, float], cpu_seconds: dict[str, float], net: torch.nn.Module | None
) -> SpeedMeasurement:
    for each in (seconds, cpu_seconds):
        each.setdefault("total", sum(s for name, s in each.items() if not name.startswith("load ")))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_bytes = peak if sys.platform == "darwin" else peak * 1024
    precision = "none" if net is None else str(next(net.parameters()).dtype).removeprefix("torch.")
    return SpeedMeasurement(made, seconds, cpu_seconds, peak_bytes, precision, torch.get_num_threads())


def _use_threads(config: SpeedBenchmarkSettings) -> None:
    if config.speed.threads:
        torch.set_num_threads(config.speed.threads)
