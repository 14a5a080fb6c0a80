"""Videos and folders of pictures of strangers, through `rib interpolate`: bytes changed, cut off, doubled."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from harness import FUZZ, Campaign
from hypothesis import given
from hypothesis import strategies as st
from mutations import RAW, spoiled_bytes
from PIL import Image

COMMON = (
    "interpolate", "input=input", "output=out", "rate=2", "background=blend", "render=none", "motion=linear",
    "video=frames", "report=false", "device=cpu", "cache.dir=cache", "pose=files", "poses=poses",
    "keypoints=body25",
)  # fmt: skip
NUM = 3
CONTAINERS = {"mp4": "libx264", "mkv": "mpeg4", "webm": "libvpx", "avi": "mjpeg"}
PICTURES = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")


def pictures() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [Image.fromarray(np.kron(rng.integers(0, 255, (4, 6, 3), np.uint8), np.ones((8, 8, 1), np.uint8)))
            for _ in range(NUM)]  # fmt: skip


def video(container: str) -> bytes:
    """`NUM` frames of 48 x 32 px."""
    buffer = io.BytesIO()
    if container == "gif":
        first, *others = pictures()
        first.save(buffer, "GIF", save_all=True, append_images=others, duration=100)
        return buffer.getvalue()
    kind = {"mkv": "matroska"}.get(container, container)
    with av.open(buffer, "w", format=kind) as file:
        stream = file.add_stream(CONTAINERS[container], rate=Fraction(25))
        stream.width, stream.height = 48, 32
        stream.pix_fmt = "yuvj420p" if CONTAINERS[container] == "mjpeg" else "yuv420p"
        for picture in pictures():
            file.mux(stream.encode(av.VideoFrame.from_image(picture)))
        file.mux(stream.encode(None))
    return buffer.getvalue()


def picture(kind: str) -> bytes:
    buffer = io.BytesIO()
    pictures()[1].save(buffer, kind)
    return buffer.getvalue()


VIDEOS = {container: video(container) for container in (*CONTAINERS, "gif")}
STILLS = {kind: picture(kind) for kind in PICTURES}


def nobody(folder: Path) -> None:
    """Poses of a clip in which nobody is seen."""
    (folder / "poses").mkdir()
    for number in range(NUM):
        (folder / "poses" / f"{number}.json").write_text('{"people": []}')


@pytest.mark.slow
def test_videos_are_interpolated_or_refused_in_one_line(tmp_path: Path) -> None:
    campaign = Campaign("videos", tmp_path)
    spoiled = st.sampled_from(sorted(VIDEOS)).flatmap(lambda kind: spoiled_bytes(VIDEOS[kind]))

    def prepare(folder: Path, content: bytes) -> list[str]:
        nobody(folder)
        (folder / "input").write_bytes(content)
        return list(COMMON)

    for content in VIDEOS.values():
        campaign.whole(lambda folder, content=content: prepare(folder, content))

    @FUZZ
    @given(st.one_of(spoiled, spoiled, spoiled, st.sampled_from(RAW)))
    def fuzz(content: bytes) -> None:
        campaign.run(lambda folder: prepare(folder, content))

    fuzz()
    campaign.close()


@pytest.mark.slow
def test_pictures_are_interpolated_or_refused_in_one_line(tmp_path: Path) -> None:
    campaign = Campaign("pictures", tmp_path)
    kinds = st.sampled_from(PICTURES)
    spoiled = kinds.flatmap(lambda kind: st.tuples(st.just(kind), spoiled_bytes(STILLS[kind])))

    def prepare(folder: Path, kind: str, content: bytes) -> list[str]:
        nobody(folder)
        (folder / "input").mkdir()
        for number in range(NUM):
            path = folder / "input" / f"{number}.{kind.lower()}"
            path.write_bytes(content if number == 1 else STILLS[kind])
        return [*COMMON, "input_fps=10"]

    for kind, content in STILLS.items():
        campaign.whole(lambda folder, kind=kind, content=content: prepare(folder, kind, content))

    @FUZZ
    @given(st.one_of(spoiled, spoiled, st.tuples(kinds, st.sampled_from(RAW))))
    def fuzz(case: tuple[str, bytes]) -> None:
        campaign.run(lambda folder: prepare(folder, *case))

    fuzz()
    campaign.close()
