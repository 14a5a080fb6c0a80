"""The tool from Python: `rib.interpolate("dance.mp4", rate=4)`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, overload

import numpy as np

from rib.config.compose import compose
from rib.config.overrides.literal import quote_override_value
from rib.io.errors import RibError
from rib.pipeline.batch import input_clips, interpolate_clips
from rib.pipeline.chain import Chain
from rib.pipeline.interpolate import interpolate_clip, open_interpolation_job
from rib.pipeline.settings import InterpolateSettings
from rib.video import ArraySource, FrameSource

ASSUMED_FPS = 30
"""Frames a second of arrays where nobody says."""

Named = str | Path


@dataclass(frozen=True)
class Result:
    """A result on disk.

    Attributes:
        place: The video, or the folder that holds everything.
        summary: What summary.json holds.
    """

    place: Path
    summary: Mapping[str, Any]


@overload
def interpolate(input: Named, rate: float | None = None, **settings: Any) -> Result: ...
@overload
def interpolate(
    input: list[str] | list[Path] | list[Named], rate: float | None = None, **settings: Any
) -> list[Result]: ...
@overload
def interpolate(
    input: np.ndarray | Sequence[np.ndarray], rate: float | None = None, **settings: Any
) -> np.ndarray: ...
def interpolate(
    input: Named | Sequence[Named] | np.ndarray | Sequence[Any] | FrameSource,
    rate: float | None = None,
    **settings: Any,
) -> Result | list[Result] | np.ndarray:
    """Turn a video, pictures or arrays into as many more frames a second.

    Args:
        input: What `rib interpolate` takes for `input=`; several such names; or frames in memory:
            (K, H, W, 3) uint8 RGB arrays, (3, H, W) tensors in 0..1, or any `FrameSource`.
        rate: Frames out for each frame in; or give `fps=` or `slow=`.
        settings: Any other setting of `rib interpolate`, such as `output="fast.mp4"`, `background="flow"`,
            `video={"crf": 20}`; `input_fps` is the frame rate of frames in memory (30 where it is not given).

    Returns:
        Where the result lies, for each of several inputs where several are given. For frames in memory,
        without `output`, the result itself: (N, H, W, 3) uint8 RGB.

    Raises:
        RibError: A mistake in the settings or in the input; the others of several inputs are there then.
    """
    if not _is_named(input):
        if settings.get("output") is None:
            return np.stack(list(frames(input, rate, **settings)))
        return _result(interpolate_clip(*_in_memory(input, rate, settings)))
    config = _composed(input, rate, settings)
    clips = input_clips(config)
    if len(clips) == 1:
        return _result(interpolate_clip(replace(config, input=clips[0], more_inputs=[])))
    outcomes = list(interpolate_clips(config, clips))
    errors = [f"{outcome.input}: {outcome.error}" for outcome in outcomes if outcome.error]
    if errors:
        raise RibError(f"{len(errors)} of {len(clips)} clips could not be made: {'; '.join(errors)}")
    return [Result(outcome.place or Path(), outcome.summary or {}) for outcome in outcomes]


def frames(
    input: Named | np.ndarray | Sequence[Any] | FrameSource, rate: float | None = None, **settings: Any
) -> Iterator[np.ndarray]:
    """Make the frames of a result one at a time, without writing any.

    Args:
        input: A file, a folder of pictures, or frames in memory (see `interpolate`).
        rate: See `interpolate`.
        settings: See `interpolate`.

    Yields:
        (H, W, 3) uint8 RGB; keyframes are the input's own pictures.
    """
    if _is_named(input):
        job = open_interpolation_job(_composed(input, rate, settings))
    else:
        job = open_interpolation_job(*_in_memory(input, rate, settings))
    chain = Chain.from_config(job.config)
    for frame in chain.frames(job.source, chain.analyse(job.source, job.moments, poses=False)):
        yield frame.picture


def _is_named(input: Any) -> bool:
    if isinstance(input, str | Path):
        return True
    return isinstance(input, list | tuple) and bool(input) and all(isinstance(i, str | Path) for i in input)


def _in_memory(
    input: Any, rate: float | None, settings: Mapping[str, Any]
) -> tuple[InterpolateSettings, FrameSource]:
    given = dict(settings)
    fps = given.pop("input_fps", None) or ASSUMED_FPS
    kept = isinstance(input, np.ndarray | list | tuple) or hasattr(input, "detach")
    source = ArraySource(input, fps=fps) if kept else input
    return _composed("frames", rate, given), source


def _composed(input: Any, rate: float | None, settings: Mapping[str, Any]) -> InterpolateSettings:
    first, *more = [input] if isinstance(input, str | Path) else input
    given = {"input": first, "rate": rate, **settings}
    if more:
        given["more_inputs"] = [str(name) for name in more]
    return compose("interpolate", *_overrides(given))


def _overrides(settings: Mapping[str, Any], inside: str = "") -> Iterator[str]:
    """Settings as they would be typed; a choice goes before what it is set to."""
    for key, value in settings.items():
        name = f"{inside}{key}"
        if isinstance(value, Mapping):
            yield from _overrides(value, f"{name}.")
        elif isinstance(value, Path) or (isinstance(value, str) and name in ("input", "output", "poses")):
            yield f"{name}={value}"
        else:
            yield f"{name}={_text(value)}"


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | Fraction):
        return str(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_text, value))}]"
    return str(value) if re.fullmatch(r"[\w./-]+", str(value)) else quote_override_value(str(value))


def _result(summary: dict[str, Any]) -> Result:
    return Result(Path(summary["output"]["place"]), summary)
