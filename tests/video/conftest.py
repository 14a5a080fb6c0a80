from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

SIZE = (64, 48)


def blocks(index: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A picture of flat 16-pixel blocks, moving with the index, that survives compression."""
    colours = np.random.default_rng(0).integers(40, 216, (20, 20, 3), dtype=np.uint8)
    picture = np.kron(np.roll(colours, index, axis=1), np.ones((16, 16, 1), np.uint8))
    return np.ascontiguousarray(picture[: size[1], : size[0]])


@pytest.fixture
def make_clip(tmp_path: Path) -> Callable[..., Path]:
    """Writes tiny clips with PyAV alone, so that readers are not tested against our own writer."""

    def make(
        name: str = "clip.mp4",
        num_frames: int = 12,
        fps: Fraction | int = 30,
        codec: str = "libx264",
        pixel_format: str = "yuv420p",
        size: tuple[int, int] = SIZE,
        ticks: list[int] | None = None,
        tick_s: Fraction | None = None,
        rotation: int | None = None,
        faststart: bool = False,
        options: dict[str, str] | None = None,
        paint: Callable[[int, tuple[int, int]], np.ndarray] = blocks,
    ) -> Path:
        path = tmp_path / name
        muxer = {"movflags": "+faststart"} if faststart else {}
        with av.open(str(path), "w", options=muxer) as container:
            stream = container.add_stream(codec, rate=Fraction(fps), options=options or {})
            stream.width, stream.height = size
            stream.pix_fmt = pixel_format
            stream.codec_context.time_base = tick_s or 1 / Fraction(fps)
            if rotation is not None:
                stream.set_display_rotation(rotation)
            for index in range(num_frames):
                frame = av.VideoFrame.from_ndarray(paint(index, size), format="rgb24")
                frame.pts = ticks[index] if ticks else index
                frame.time_base = tick_s or 1 / Fraction(fps)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return make
