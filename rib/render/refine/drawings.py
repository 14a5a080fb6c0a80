"""Drawings of hidden frames beside the truth, on disk and as batches: what `net=renderer_base` learns from.

Letters: N moments of a gap, B crops, C planes of `Drawn`, H and W a gap's box, S the crop's side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import h5py
import numpy as np
import torch

from rib.io.errors import RibError
from rib.io.hdf5 import Hdf5Writer, write_hdf5
from rib.io.hdf5_reading import attribute, dataset, groups, number, open_hdf5, reading
from rib.render.refine.drawn import NUM_PLANES, Drawn

FORMAT = "rib.drawings 2"


@dataclass(frozen=True)
class Gap:
    """One gap's hidden frames.

    Attributes:
        planes: (N, C, H, W) uint8, `Drawn.planes` times 255.
        truth: (N, 3, H, W) uint8.
        gate: How far the gap was trusted, 0..1.
    """

    planes: np.ndarray
    truth: np.ndarray
    gate: float

    @classmethod
    def of(cls, drawn: Drawn, truth: torch.Tensor, gate: float) -> Gap:
        """From (N, 3, H, W) truths in 0..1."""
        return cls(_bytes(drawn.planes), _bytes(truth), gate)


class DrawnBatch(TypedDict):
    """Crops of drawings.

    Keys:
        planes: (B, C, S, S) float32 in 0..1, see `Drawn`.
        truth: (B, 3, S, S) float32 in 0..1.
    """

    planes: torch.Tensor
    truth: torch.Tensor


def _bytes(x: torch.Tensor) -> np.ndarray:
    return (x.clamp(0, 1) * 255 + 0.5).to(torch.uint8).cpu().numpy()


def write_gaps(path: Path, clips: Mapping[str, Iterable[Gap]], made_by: str = "") -> None:
    """Write the gaps of some clips, whole or not at all.

    Args:
        path: The file.
        clips: Gaps by the clip's name; they are written as they come.
        made_by: What they depend on, in a word; told again by `clips_of`.
    """
    with _written(path) as writer:
        for clip, gaps in clips.items():
            with writer.step() as file:
                file.create_group(clip).attrs["made_by"] = made_by
            for number, gap in enumerate(gaps):
                with writer.step() as file:
                    group = file.create_group(f"{clip}/{number:04d}")
                    group.attrs["gate"] = gap.gate
                    group.create_dataset("planes", data=gap.planes, compression="lzf")
                    group.create_dataset("truth", data=gap.truth, compression="lzf")


def add_clips(path: Path, parts: Iterable[Path]) -> None:
    """Add the clips of other files to a file, or make it of them; whole or not at all.

    A clip that has the name of one that was there takes its place.

    Raises:
        RibError: The file is none of ours.
    """
    before = [path] if path.is_file() else []
    with _written(path) as writer:
        for part in (*before, *parts):
            with _opened(part) as source, writer.step() as file:
                for clip in source:
                    if clip in file:
                        del file[clip]
                    source.copy(clip, file)


def clips_of(path: Path) -> dict[str, str]:
    """The clips of a file, each with what it was made by ("" where that is not known); {} without a file.

    Raises:
        RibError: The file is none of ours.
    """
    if not path.is_file():
        return {}
    with _opened(path) as file:
        clips = groups(file, str(path))
        return {clip: str(attribute(group, "made_by", "")) for clip, group in clips.items()}


@contextmanager
def _written(path: Path) -> Iterator[Hdf5Writer]:
    """A new file of drawings, whole or not at all."""
    with write_hdf5(path) as writer:
        with writer.step() as file:
            file.attrs["format"], file.attrs["planes"] = FORMAT, NUM_PLANES
        yield writer


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """A file of drawings.

    Raises:
        RibError: It is none.
    """
    remedy = "name another file, or make it anew"
    with reading(path, remedy), open_hdf5(path, remedy) as file:
        if attribute(file, "format") != FORMAT or attribute(file, "planes") != NUM_PLANES:
            raise RibError(f"{path} holds no drawings of this version", remedy)
        yield file


def read_gaps(path: Path, clips: Sequence[str] | None = None) -> dict[str, list[Gap]]:
    """The gaps of some clips of a file, or of all.

    Raises:
        RibError: The file is absent, none of ours, of another version, or lacks a clip.
    """
    if not path.is_file():
        raise RibError(
            f"there are no drawings at {path}",
            f"draw your own videos: rib prepare data=drawings data.prepare.videos=videos/ "
            f"data.prepare.output={path}",
        )
    with _opened(path) as file:
        held = groups(file, str(path))
        lacking = sorted(set(clips or ()) - set(held))
        if lacking:
            raise RibError(f"{path} lacks {', '.join(lacking)}", f"it has {', '.join(sorted(held))}")
        return {
            clip: [
                _read(gap, f"{path}: {clip}/{name}") for name, gap in groups(held[clip], str(path)).items()
            ]
            for clip in clips or sorted(held)
        }


def _read(group: h5py.Group, told: str) -> Gap:
    remedy = "make the drawings anew, or take the clip out"
    planes = dataset(group, "planes", "integer", (None, NUM_PLANES, None, None), told, remedy)
    num, _, height, width = planes.shape
    truth = dataset(group, "truth", "integer", (num, 3, height, width), told, remedy)
    if planes.dtype != np.uint8 or truth.dtype != np.uint8 or not planes.size:
        raise RibError(f"{told} holds {planes.size} values of {planes.dtype}, expected some of uint8", remedy)
    return Gap(planes[:], truth[:], number(attribute(group, "gate"), 0.0, 1.0, f"{told}: gate", remedy))
