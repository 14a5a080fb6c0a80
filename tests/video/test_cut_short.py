"""A file that ends early is refused, or taken with a sentence on what it lacks."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from rib.io.errors import RibError
from rib.video import open_frame_source

NUM = 60


def write_gif(path: Path) -> Path:
    rng = np.random.default_rng(0)
    frames = [Image.fromarray(rng.integers(0, 255, (24, 32, 3), np.uint8)) for _ in range(8)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    return path


def write_video(path: Path, codec: str) -> Path:
    """`NUM` frames at 30 a second, every one a keyframe."""
    noise = np.random.default_rng(0).integers(0, 255, (NUM, 32, 48, 3), np.uint8)
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=Fraction(30), options={"g": "1"})
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for picture in noise:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))
    return path


def shorter(path: Path, share: float) -> Path:
    content = path.read_bytes()
    cut = path.with_name(f"cut{path.suffix}")
    cut.write_bytes(content[: int(share * len(content))])
    return cut


def test_a_gif_that_is_cut_is_told(tmp_path: Path) -> None:
    whole = write_gif(tmp_path / "a.gif")
    assert open_frame_source(whole).not_kept == []
    cut = open_frame_source(shorter(whole, 0.6))
    assert len(cut) < 8
    assert "cut.gif" in cut.not_kept[0]
    assert "middle" in cut.not_kept[0]


@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "mpeg4"), ("webm", "libvpx")])
def test_a_matroska_that_lacks_little_is_told(suffix: str, codec: str, tmp_path: Path) -> None:
    whole = write_video(tmp_path / f"a.{suffix}", codec)
    assert len(open_frame_source(whole)) == NUM
    assert open_frame_source(whole).not_kept == []
    cut = open_frame_source(shorter(whole, 0.85))
    assert len(cut) < NUM
    assert "before it says" in cut.not_kept[0]
    with pytest.raises(RibError, match="cut short"):
        open_frame_source(shorter(whole, 0.5))


def test_a_part_of_a_clip_tells_it_too(tmp_path: Path) -> None:
    from rib.video import subsample_frames

    assert subsample_frames(open_frame_source(shorter(write_gif(tmp_path / "a.gif"), 0.6)), 2).not_kept
