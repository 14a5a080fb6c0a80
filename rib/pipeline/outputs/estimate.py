"""A rough guess of time and space, before any work."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from rib.background.rife import FINE_UP_TO_PX
from rib.io.files.whole import NoSpaceError
from rib.pipeline.outputs.words import duration_in_words, size_in_words
from rib.pipeline.settings import InterpolateSettings

LONG_S = 60.0
LARGE_BYTES = 1e9
"""A result that takes longer, or is larger, is told of before it is made."""
SURE = 3.0
"""By this factor a guess may be wrong; what lacks more space than that is refused."""

MADE_S = {"RifeInterpolator": 0.75, "FlowInterpolator": 0.25, "BlendInterpolator": 0.03}
"""CPU seconds for 10^6 pixels in between, by interpolator (experiments/speed)."""
COARSE_SHARE = 0.6
"""RIFE's cost where it looks at half the size."""
DRAWN_S = 0.25
KEYFRAME_S = 0.35
"""For a keyframe of any size: people are found in small copies."""
WRITTEN_S = 0.05
START_S = 5.0
"""For the libraries and nets of the first clip."""
GPU_GAIN = 10.0
COPIED_BYTES, MADE_BYTES = 0.026, 0.003
"""A pixel of H.264 at crf 16, of a keyframe and of one in between; six steps of crf halve it."""
PNG_BYTES = 0.9


@dataclass(frozen=True)
class WorkEstimate:
    """A guess, mostly right within a factor of two.

    Attributes:
        seconds: Of work.
        size_bytes: Of video and pictures.
        frames: Frames of the result.
        made: Those that are no copies.
        size_px: Width and height.
    """

    seconds: float
    size_bytes: float
    frames: int
    made: int
    size_px: tuple[int, int]

    def __str__(self) -> str:
        width, height = self.size_px
        return (
            f"{self.frames} frames of {width} x {height} px, {self.made} of them made: roughly "
            f"{duration_in_words(self.seconds)} and {size_in_words(self.size_bytes)}"
        )

    @property
    def is_long(self) -> bool:
        """Whether people should know before it begins."""
        return self.seconds > LONG_S or self.size_bytes > LARGE_BYTES

    def lacking(self, output: Path) -> str | None:
        """A sentence where the disk of the output has less space than the result needs.

        Raises:
            NoSpaceError: It has not a third of that; the guess is not as far off.
        """
        folder = next(path for path in (output, *output.absolute().parents) if path.is_dir())
        free = shutil.disk_usage(folder).free
        if self.size_bytes <= free:
            return None
        wanted, there = size_in_words(self.size_bytes), size_in_words(free)
        lacking = f"the result takes some {wanted}, but {there} are free in {folder}"
        if self.size_bytes > SURE * free:
            remedy = "free some, or type another output="
            raise NoSpaceError(f"no space left to write {output}: {lacking}", remedy)
        return lacking


def estimate_work(
    config: InterpolateSettings, keyframes: int, frames: int, made: int, size_px: tuple[int, int], device: str
) -> WorkEstimate:
    """Guess from the number of frames and their size.

    Args:
        config: Of conf/interpolate.yaml.
        keyframes: Frames given.
        frames: Frames of the result.
        made: Those that are no copies.
        size_px: Width and height.
        device: Where pictures are made.
    """
    mpx, video = size_px[0] * size_px[1] / 1e6, config.video
    name = config.background["_target_"].rpartition(".")[2]
    cost_s = MADE_S.get(name, MADE_S["RifeInterpolator"])
    if name == "RifeInterpolator" and mpx * 1e6 >= FINE_UP_TO_PX:
        cost_s *= COARSE_SHARE
    drawn = 0.0 if config.render["_target_"].endswith("NoRenderer") else DRAWN_S
    making = made * mpx * (cost_s + drawn) / (1.0 if device == "cpu" else GPU_GAIN)
    seconds = START_S + making + keyframes * KEYFRAME_S + frames * mpx * WRITTEN_S
    pixels = (frames - made) * COPIED_BYTES + made * MADE_BYTES
    size = pixels * 2 ** ((16 - (video.crf or 0)) / 6) if video.codec else 0.0
    size += frames * PNG_BYTES if video.pictures or config.layout == "reference" else 0.0
    return WorkEstimate(seconds, mpx * 1e6 * size, frames, made, size_px)
