from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from rib.background.folder import FolderInterpolator
from rib.io.errors import RibError
from rib.structures.interval import Interval, Keyframe


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve pictures 1.png .. 12.png of 20 x 16 pixels; number n is red by n levels."""
    for number in range(1, 13):
        picture = np.zeros((16, 20, 3), np.uint8)
        picture[..., 2] = number
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture)
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def interval(*indices: int, height: int = 16) -> Interval:
    blank = torch.zeros(3, height, 20)
    times = np.linspace(0, 1, len(indices) + 2)[1:-1]
    return Interval(Keyframe(0, 0.0, blank), Keyframe(1, 1.0, blank), times, indices=indices)


def test_frames_are_taken_by_their_number_in_natural_order(folder: Path) -> None:
    found = FolderInterpolator(str(folder))(interval(1, 2, 10)).interpolated
    assert found.shape == (3, 3, 16, 20)
    assert (found[:, 0, 0, 0] * 255).round().tolist() == [2, 3, 11]
    assert found[:, 1:].abs().max() == 0


def test_the_right_count_and_size_are_accepted(folder: Path) -> None:
    background = FolderInterpolator(str(folder))
    background.prepare(num_frames=12, size_px=(20, 16))
    assert background(interval(1, 2, 10)).interpolated.shape == (3, 3, 16, 20)


def test_another_count_names_both_numbers(folder: Path) -> None:
    with pytest.raises(RibError, match="holds 12 pictures, the output has 13 frames"):
        FolderInterpolator(str(folder)).prepare(num_frames=13, size_px=(20, 16))


def test_another_size_names_both_sizes(folder: Path) -> None:
    with pytest.raises(RibError, match="is 20 x 16 pixels, the output 40 x 32"):
        FolderInterpolator(str(folder)).prepare(num_frames=12, size_px=(40, 32))
    with pytest.raises(RibError, match="is 20 x 16 pixels, the output 20 x 18"):
        FolderInterpolator(str(folder))(interval(1, height=18))


def test_a_file_that_is_no_picture_is_named(folder: Path) -> None:
    (folder / "3.png").write_text("not a picture")
    with pytest.raises(RibError, match=r"3\.png cannot be read"):
        FolderInterpolator(str(folder))(interval(2))


def test_no_folder_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RibError, match="is not a folder"):
        FolderInterpolator(str(tmp_path / "absent"))
    with pytest.raises(RibError, match="holds no picture"):
        FolderInterpolator(str(tmp_path))


def test_a_fifo_among_the_pictures_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "0.png")
    with pytest.raises(RibError, match="is a FIFO"):
        FolderInterpolator(str(tmp_path))
