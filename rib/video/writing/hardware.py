"""Encoders of graphics cards and of processors' own video units, where such a device answers."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import cast

from av import FFmpegError
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext

HARDWARE_ENCODERS = {
    f"{kind}_{maker}": maker
    for maker, kinds in {
        "nvenc": ("h264", "hevc", "av1"),
        "videotoolbox": ("h264", "hevc"),
        "qsv": ("h264", "hevc", "av1"),
        "amf": ("h264", "hevc"),
    }.items()
    for kind in kinds
}
"""Encoders of NVIDIA, Apple, Intel and AMD that take pictures from memory, and whose they are; VAAPI's take
them from the card alone."""
_QP_TO_LAMBDA = 118
_TRIED_PX = 256


def hardware_quality_options(codec: str, crf: int) -> dict[str, str]:
    """The options for a constant quality, as near to x264's factor as the encoder has it.

    Args:
        codec: One of `HARDWARE_ENCODERS`.
        crf: 0 (best) to 51.
    """
    match HARDWARE_ENCODERS[codec]:
        case "nvenc":
            return {"rc": "vbr", "cq": str(max(1, crf)), "b": "0"}  # 0 leaves the quality to the encoder
        case "qsv":
            return {"global_quality": str(max(1, crf))}
        case "amf":
            return {"rc": "cqp", "qp_i": str(crf), "qp_p": str(crf)}
    # videotoolbox: 1 (worst) to 100, in libav's units of quality
    quality = max(1, round(100 - 100 * crf / 51))
    return {"flags": "+qscale", "global_quality": str(_QP_TO_LAMBDA * quality)}


def encoder_exists(name: str) -> bool:
    """Whether this build of libav knows an encoder."""
    try:
        return bool(Codec(name, "w"))
    except UnknownCodecError:
        return False


@cache
def hardware_encoder_answers(name: str) -> bool:
    """Whether an encoder of `HARDWARE_ENCODERS` is known and its device is there."""
    if not encoder_exists(name):
        return False
    context = cast(VideoCodecContext, CodecContext.create(name, "w"))
    formats = [one.name for one in Codec(name, "w").video_formats or []]
    context.width, context.height, context.time_base = _TRIED_PX, _TRIED_PX, Fraction(1, 24)
    context.pix_fmt = "yuv420p" if "yuv420p" in formats else "nv12"
    try:
        context.open()
    except (FFmpegError, OSError, ValueError):
        return False
    return True
