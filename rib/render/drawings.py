"""Drawings of hidden frames beside the truth, on disk and as batches: what `net=renderer_base` learns from.

Letters: N moments of a gap, B crops, C planes of `Drawn`, H and W a gap's box, S the crop's side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import h5py
import numpy as np
import torch

from rib.errors import RibError
from rib.render.drawn import NUM_PLANES, Drawn

FORMAT = "rib.drawings 1"


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


def write_gaps(path: Path, clip: str, gaps: Sequence[Gap]) -> None:
    """Add a clip's gaps to a file."""
    with h5py.File(path, "a") as file:
        file.attrs["format"], file.attrs["planes"] = FORMAT, NUM_PLANES
        if clip in file:
            del file[clip]
        for number, gap in enumerate(gaps):
            group = file.create_group(f"{clip}/{number:04d}")
            group.attrs["gate"] = gap.gate
            group.create_dataset("planes", data=gap.planes, compression="lzf")
            group.create_dataset("truth", data=gap.truth, compression="lzf")


def read_gaps(path: Path, clips: Sequence[str] | None = None) -> dict[str, list[Gap]]:
    """The gaps of some clips of a file, or of all.

    Raises:
        RibError: The file is absent, none of ours, of another version, or lacks a clip.
    """
    if not path.is_file():
        raise RibError(f"there are no drawings at {path}", "run experiments/renderer_quality/draw.py")
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT or file.attrs.get("planes") != NUM_PLANES:
                raise RibError(f"{path} holds no drawings of this version", "make it anew")
            lacking = sorted(set(clips or ()) - set(file))
            if lacking:
                raise RibError(f"{path} lacks {', '.join(lacking)}", f"it has {', '.join(sorted(file))}")
            return {clip: [_read(file[clip][gap]) for gap in file[clip]] for clip in clips or sorted(file)}
    except OSError as error:
        raise RibError(f"{path} is not an HDF5 file ({error})") from error


def _read(group: h5py.Group) -> Gap:
    return Gap(group["planes"][:], group["truth"][:], float(group.attrs["gate"]))
