"""Encoders by name: effort, quality, and those of devices that may not be there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rib.io.errors import RibError
from rib.video import VideoWriter, open_frame_source
from rib.video.writing.encoders import encoder_preset_options, find_video_encoder
from rib.video.writing.hardware import HARDWARE_ENCODERS, hardware_encoder_answers

NOISE = np.random.default_rng(0).integers(0, 256, (6, 96, 128, 3), dtype=np.uint8)


def written(path: Path, codec: str, preset: str = "auto", crf: int = 20) -> int:
    with VideoWriter(path, 12, (128, 96), codec, crf, "auto", preset=preset) as writer:
        for frame in NOISE:
            writer.write(frame)
    assert len(list(open_frame_source(str(path)))) == len(NOISE)
    return path.stat().st_size


@pytest.mark.parametrize(("codec", "preset"), [("libx264", "ultrafast"), ("libsvtav1", "12")])
def test_a_preset_reaches_the_encoder(tmp_path: Path, codec: str, preset: str) -> None:
    assert written(tmp_path / "own.mp4", codec) != written(tmp_path / "typed.mp4", codec, preset)


def test_a_preset_that_the_encoder_has_not_is_refused() -> None:
    with pytest.raises(RibError, match=r"preset=p4 is none of libx264's.*medium"):
        encoder_preset_options("libx264", "p4")
    with pytest.raises(RibError, match=r"preset=fast is none of mpeg4's.*leave it at auto"):
        encoder_preset_options("mpeg4", "fast")
    assert encoder_preset_options("mpeg4", "auto") == {}


@pytest.mark.parametrize("codec", sorted(HARDWARE_ENCODERS))
def test_an_encoder_of_a_device_writes_or_the_others_are_named(tmp_path: Path, codec: str) -> None:
    if hardware_encoder_answers(codec):
        assert written(tmp_path / "a.mkv", codec)
    else:
        with pytest.raises(RibError, match=rf"{codec} cannot write video here.*one of: libx264, .*mpeg4"):
            find_video_encoder(codec)
