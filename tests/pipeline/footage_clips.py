"""Clips as cameras, recorders and cutters make them, written with PyAV alone."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from small_clips import picture

RATE = 48000


def write_clip(
    path: Path,
    ticks: Sequence[int],
    tick_s: Fraction,
    last_ticks: int | None = None,
    fps: Fraction = Fraction(30),
    pictures: Sequence[np.ndarray] | None = None,
    beep_s: float | None = None,
) -> Path:
    """A lossless video whose frames have these stamps.

    Args:
        path: The file.
        ticks: When each frame is shown.
        tick_s: Length of a tick in seconds.
        last_ticks: How long the last frame is shown, where the container is to say it.
        fps: The rate that the encoder is told.
        pictures: The frames; by default blocks that wander.
        beep_s: Sound with a beep then, of a fiftieth of a second, beside the pictures.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "0", "bf": "0"})
        height, width = (pictures[0] if pictures else picture(0)).shape[:2]
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = tick_s
        sound = None if beep_s is None else container.add_stream("aac", rate=RATE, layout="mono")
        packets = []
        for index, tick in enumerate(ticks):
            shown = pictures[index] if pictures else picture(index)
            frame = av.VideoFrame.from_ndarray(shown, format="rgb24")
            frame.pts, frame.time_base = tick, tick_s
            packets += stream.encode(frame)
        packets += stream.encode(None)
        if last_ticks:
            packets[-1].duration = last_ticks
        container.mux(packets)
        if sound is not None and beep_s is not None:
            seconds = np.arange(int(float((ticks[-1] + 1) * tick_s + 1 / fps) * RATE)) / RATE
            loud = (seconds >= beep_s) & (seconds < beep_s + 0.02)
            wave = (0.9 * np.sin(2000 * np.pi * seconds) * loud).astype(np.float32)
            for first in range(0, len(wave), 1024):
                block = av.AudioFrame.from_ndarray(wave[None, first : first + 1024], "fltp", "mono")
                block.sample_rate, block.pts, block.time_base = RATE, first, Fraction(1, RATE)
                container.mux(sound.encode(block))
            container.mux(sound.encode(None))
    return path


def beep_of(path: Path) -> tuple[float, float]:
    """When a file's sound is first loud, and when it ends, in seconds of the file's clock."""
    loud, end = [], 0.0
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            wave = np.abs(frame.to_ndarray().astype(np.float32)).max(axis=0)
            at = np.flatnonzero(wave > 0.3)
            loud += [frame.time + at[0] / frame.sample_rate] if len(at) else []
            end = frame.time + frame.samples / frame.sample_rate
    return loud[0], end
