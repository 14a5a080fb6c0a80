"""Edits between shots of real footage, with what only looks like one, as an editor exports them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FOOTAGE = Path(__file__).resolve().parents[3] / "shared" / "data" / "video"
CUT = 12
"""The first frame of the second shot."""


def frames_of(name: str, start_s: float, count: int, fps: int = 24, lines: int = 320) -> list[np.ndarray]:
    """`count` frames of a clip at a rate, as high as asked for, (H, W, 3) uint8."""
    found: list[np.ndarray] = []
    with av.open(str(FOOTAGE / name)) as container:
        for frame in container.decode(video=0):
            while len(found) < count and (frame.time or 0) >= start_s + len(found) / fps - 0.001:
                width = round(frame.width * lines / frame.height)
                picture = frame.to_ndarray(format="rgb24")
                found.append(cv2.resize(picture, (width, lines), interpolation=cv2.INTER_AREA))
            if len(found) == count:
                break
    return found


def stored(path: Path, frames: list[np.ndarray], fps: int = 24, crf: int = 10) -> Path:
    """A file of H.264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps), options={"crf": str(crf)})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame))))
        container.mux(stream.encode(None))
    return path


def upright(name: str, start_s: float) -> list[np.ndarray]:
    """Twelve frames, the middle of each filling 180 x 320."""
    found = []
    for frame in frames_of(name, start_s, CUT):
        if frame.shape[1] < 180:
            frame = cv2.resize(frame, (180, frame.shape[0] * 180 // frame.shape[1]))
        x, y = (frame.shape[1] - 180) // 2, (frame.shape[0] - 320) // 2
        found.append(frame[y : y + 320, x : x + 180])
    return found


def _joined(a: str, b: str) -> list[np.ndarray]:
    return upright(f"{a}.mp4", 0.3) + upright(f"{b}.mp4", 0.5)


def _base(count: int = 24) -> list[np.ndarray]:
    return frames_of("sam2_juggle.mp4", 2.0, count, lines=180)


def _grey(frames: list[np.ndarray]) -> list[np.ndarray]:
    return [cv2.cvtColor(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB) for f in frames]


def _dark(frames: list[np.ndarray]) -> list[np.ndarray]:
    greys = _grey(frames)
    return [(0.15 * (0.2 * f + 0.8 * g)).astype(np.uint8) for f, g in zip(frames, greys, strict=True)]


def _flash() -> list[np.ndarray]:
    frames = _base()
    frames[CUT] = np.full_like(frames[CUT], 255)
    return frames


def _fade() -> list[np.ndarray]:
    gains = np.clip(1 - (np.arange(24) - 6) / 12, 0, 1)
    return [(f * gain).astype(np.uint8) for f, gain in zip(_base(), gains, strict=True)]


def _punch_in() -> list[np.ndarray]:
    frames = _base()
    return frames[:CUT] + [cv2.resize(f[34:146, 60:260], (320, 180)) for f in frames[CUT:]]


def _dissolve() -> list[np.ndarray]:
    first = [cv2.resize(f, (320, 180)) for f in upright("sam2_juggle.mp4", 0.3)]
    second = frames_of("sports2d_demo.mp4", 0.5, 20, lines=180)
    second = [cv2.resize(f, (320, 180)) for f in second]
    shares = np.clip((np.arange(24) - 3.5) / 8, 0, 1)
    shown = []
    for k, share in enumerate(shares):
        a, b = first[min(k, 11)].astype(float), second[max(k - 4, 0)].astype(float)
        shown.append(np.rint(a * (1 - share) + b * share).astype(np.uint8))
    return shown


def pan(count: int = 20) -> Iterator[np.ndarray]:
    """A window of 320 x 240 that moves by 22 pixels a frame."""
    for k, frame in enumerate(islice(frames_of("sam2_juggle.mp4", 2.0, count, lines=540), count)):
        yield frame[150:390, 20 + 22 * k : 340 + 22 * k]


CUTS: dict[str, Callable[[], list[np.ndarray]]] = {
    "cams": lambda: _joined("pose2sim_single_cam01", "pose2sim_single_cam03"),
    "greycams": lambda: _grey(_joined("pose2sim_single_cam01", "pose2sim_single_cam03")),
    "grey": lambda: _grey(_joined("sam2_juggle", "pose2sim_single_cam01")),
    "grey2": lambda: _grey(_joined("sam2_juggle", "sports2d_demo")),
    "color2": lambda: _joined("sam2_juggle", "sports2d_demo"),
    "dark": lambda: _dark(_joined("sam2_juggle", "pose2sim_single_cam01")),
    "punchin": _punch_in,
}
"""Those with a cut at frame 12."""
NO_CUTS: dict[str, Callable[[], list[np.ndarray]]] = {
    "flash": _flash,
    "fade": _fade,
    "dissolve": _dissolve,
    "pan": lambda: list(pan()),
}


def titled(frames: list[np.ndarray]) -> list[np.ndarray]:
    """Frames with a sign and a subtitle that stand still."""
    shown = []
    for frame in frames:
        picture = Image.fromarray(np.ascontiguousarray(frame))
        draw = ImageDraw.Draw(picture)
        for text, at, size, border in (
            ("LIVE  12:34", (8, 8), 16, 1),
            ("And that is how it works", (40, 210), 18, 2),
        ):
            font = ImageFont.load_default(size)
            draw.text(at, text, "white", font, stroke_width=border, stroke_fill="black")
        shown.append(np.array(picture))
    return shown


def letters(frames: list[np.ndarray]) -> np.ndarray:
    """(H, W) bool, where `titled` shows white or black on all of these frames."""
    black = titled([np.zeros_like(frames[0])])[0]
    grey = titled([np.full_like(frames[0], 128)])[0]
    return np.all((black > 230) | (grey < 25), axis=2)
