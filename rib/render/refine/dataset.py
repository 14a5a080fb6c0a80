"""The refiner dataset: rendered hidden frames beside the truth, on disk and as batches.

Letters: N moments of an interval, B crops, C channels of `RefinerInput`, H and W the person's box, S the side
    of
a crop.
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
from rib.io.hdf5.reading import (
    hdf5_attribute,
    hdf5_dataset,
    hdf5_errors_in_one_line,
    hdf5_groups,
    hdf5_number,
    open_hdf5,
)
from rib.io.hdf5.writing import Hdf5Writer, write_hdf5
from rib.io.images import to_uint8
from rib.render.refine.refiner_input import NUM_CHANNELS, RefinerInput

# the names in the file are those of its first version, so that every version reads it
FORMAT = "rib.drawings 3"


@dataclass(frozen=True)
class RefinerSample:
    """Hidden frames of one interval.

    Attributes:
        channels: (N, C, H, W) uint8, `RefinerInput.channels` times 255.
        truth: (N, 3, H, W) uint8.
        gate: How far the interval was trusted, 0..1.
    """

    channels: np.ndarray
    truth: np.ndarray
    gate: float

    @classmethod
    def of(cls, inputs: RefinerInput, truth: torch.Tensor, gate: float) -> RefinerSample:
        """Store a refiner's input beside (N, 3, H, W) truths in 0..1."""
        return cls(to_uint8(inputs.channels).cpu().numpy(), to_uint8(truth).cpu().numpy(), gate)


class RefinerBatch(TypedDict):
    """Crops of samples.

    Keys:
        channels: (B, C, S, S) float32 in 0..1, see `RefinerInput`.
        truth: (B, 3, S, S) float32 in 0..1.
    """

    channels: torch.Tensor
    truth: torch.Tensor


def write_refiner_samples(
    path: Path, clips: Mapping[str, Iterable[RefinerSample]], made_by: str = ""
) -> None:
    """Write the samples of some clips, whole or not at all.

    Args:
        path: The file.
        clips: Samples by the clip's name; they are written as they come.
        made_by: A key of what they depend on; `refiner_clips_in_file` gives it again.
    """
    with _written(path) as writer:
        for clip, samples in clips.items():
            with writer.step() as file:
                file.create_group(clip).attrs["made_by"] = made_by
            for number, sample in enumerate(samples):
                with writer.step() as file:
                    group = file.create_group(f"{clip}/{number:04d}")
                    group.attrs["gate"] = sample.gate
                    group.create_dataset("planes", data=sample.channels, compression="lzf")
                    group.create_dataset("truth", data=sample.truth, compression="lzf")


def add_refiner_clips(path: Path, parts: Iterable[Path]) -> None:
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


def refiner_clips_in_file(path: Path) -> dict[str, str]:
    """List the clips of a file, each with its key (`made_by`, "" where it is not known); {} without a file.

    Raises:
        RibError: The file is none of ours.
    """
    if not path.is_file():
        return {}
    with _opened(path) as file:
        clips = hdf5_groups(file, str(path))
        return {clip: str(hdf5_attribute(group, "made_by", "")) for clip, group in clips.items()}


@contextmanager
def _written(path: Path) -> Iterator[Hdf5Writer]:
    """Open a new refiner dataset for writing, whole or not at all."""
    with write_hdf5(path) as writer:
        with writer.step() as file:
            file.attrs["format"], file.attrs["planes"] = FORMAT, NUM_CHANNELS
        yield writer


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """Open a refiner dataset.

    Raises:
        RibError: It is none.
    """
    remedy = "name another file, or make it anew"
    with hdf5_errors_in_one_line(path, remedy), open_hdf5(path, remedy) as file:
        if hdf5_attribute(file, "format") != FORMAT or hdf5_attribute(file, "planes") != NUM_CHANNELS:
            raise RibError(f"{path} is no refiner dataset of this version", remedy)
        yield file


@contextmanager
def open_refiner_samples(
    path: Path, clips: Sequence[str] | None = None
) -> Iterator[dict[str, list[tuple[h5py.Group, str]]]]:
    """Open a file for its samples: their groups, each with what it is called in messages, by clip.

    Raises:
        RibError: The file is absent, none of ours, of another version, or lacks a clip.
    """
    if not path.is_file():
        raise RibError(
            f"there is no refiner dataset at {path}",
            f"make one of your own videos: rib prepare data=refiner data.prepare.videos=videos/ "
            f"data.prepare.output={path}",
        )
    with _opened(path) as file:
        held = hdf5_groups(file, str(path))
        lacking = sorted(set(clips or ()) - set(held))
        if lacking:
            raise RibError(f"{path} lacks {', '.join(lacking)}", f"it has {', '.join(sorted(held))}")
        yield {
            clip: [
                (group, f"{path}: {clip}/{name}")
                for name, group in hdf5_groups(held[clip], str(path)).items()
            ]
            for clip in clips or sorted(held)
        }


def read_refiner_samples(path: Path, clips: Sequence[str] | None = None) -> dict[str, list[RefinerSample]]:
    """Read the samples of some clips of a file, or of all, into memory.

    Raises:
        RibError: See `open_refiner_samples`; or a sample is damaged.
    """
    with open_refiner_samples(path, clips) as held:
        return {clip: [_read(group, told) for group, told in samples] for clip, samples in held.items()}


def _read(group: h5py.Group, told: str) -> RefinerSample:
    channels, truth, gate = refiner_sample_parts(group, told)
    return RefinerSample(channels[:], truth[:], gate)


def refiner_sample_parts(group: h5py.Group, told: str) -> tuple[h5py.Dataset, h5py.Dataset, float]:
    """Channels, truth and gate of a sample (see `RefinerSample`); no pixel is read.

    Raises:
        RibError: One is absent, or not as it should be.
    """
    remedy = "make the dataset anew, or take the clip out"
    channels = hdf5_dataset(group, "planes", "integer", (None, NUM_CHANNELS, None, None), told, remedy)
    num, _, height, width = channels.shape
    truth = hdf5_dataset(group, "truth", "integer", (num, 3, height, width), told, remedy)
    if channels.dtype != np.uint8 or truth.dtype != np.uint8 or not channels.size:
        raise RibError(
            f"{told} holds {channels.size} values of {channels.dtype}, expected some of uint8", remedy
        )
    gate = hdf5_number(hdf5_attribute(group, "gate"), 0.0, 1.0, f"{told}: gate", remedy)
    return channels, truth, gate
