"""One quality number for every encoder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fractions import Fraction

from av.codec import Codec

from rib.io.errors import RibError
from rib.video.writing.hardware import (
    HARDWARE_ENCODERS,
    encoder_exists,
    hardware_encoder_answers,
    hardware_quality_options,
)

_CRF = {"libx264": 51, "libx265": 51, "libvpx-vp9": 63, "libaom-av1": 63, "libsvtav1": 63}
"""Encoders with a constant rate factor of their own, and its largest value."""
_QUANTISER = ("mpeg4", "libopenh264")
"""Encoders with a quantiser instead; the factor counts on x264's scale."""
_MASTERS = {"prores_ks": {"vendor": "apl0"}, "ffv1": {"level": "3"}}
"""Encoders for cutting and keeping, whose quality is their own; with their options."""
_SLOWER = ("veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_X26X = ("ultrafast", "superfast", *_SLOWER, "placebo")
_MAKERS = {"nvenc": tuple(f"p{n}" for n in range(1, 8)), "qsv": _SLOWER}
_PRESETS: Mapping[str, tuple[str, ...]] = {
    "libx264": _X26X,
    "libx265": _X26X,
    "libsvtav1": tuple(map(str, range(14))),
    **{name: _MAKERS[maker] for name, maker in HARDWARE_ENCODERS.items() if maker in _MAKERS},
}
"""Names of effort, from the quickest to the slowest in most, of encoders that have them."""
_QUICK = {"libx264": {"preset": "faster", "rc-lookahead": "40"}}
"""What `auto` takes: half the time of x264's own choice (experiments/speed), with its look ahead."""
HOLD_ALPHA = frozenset({"libvpx-vp9", "prores_ks", "ffv1"})
"""Encoders whose transparency is read by players and editors."""
HOLD_10_BITS = frozenset({"libx265", "libsvtav1", "libaom-av1", "prores_ks", "ffv1"})
"""Encoders whose 10 bits are read everywhere; H.264's and VP9's are by few."""
HOLD_ASPECT = frozenset({"libx264", "libx265", "libopenh264", "mpeg4"})
"""Encoders that store how wide a pixel is, whatever the container says."""
LOOKAHEAD_PX = 1500 * 1000
FEW_AHEAD = "6"
"""x264 looks as far ahead as it likes in pictures of so many pixels, and so many frames in larger ones."""
_MPEG4_CLOCK = 65535
"""MPEG-4 part 2 counts time in 16 bits (ISO/IEC 14496-2, vop_time_increment_resolution)."""


def find_video_encoder(codec: str) -> Codec:
    """The encoder of that name.

    Raises:
        RibError: This build of libav does not have it, its quality cannot be set, or no device answers.
    """
    software = [name for name in (*_CRF, *_QUANTISER, *_MASTERS) if encoder_exists(name)]
    if codec not in software and not (codec in HARDWARE_ENCODERS and hardware_encoder_answers(codec)):
        available = [*software, *filter(hardware_encoder_answers, HARDWARE_ENCODERS)]
        why = " (no such device answers)" * (codec in HARDWARE_ENCODERS and encoder_exists(codec))
        raise RibError(
            f"codec={codec} cannot write video here{why}", f"choose one of: {', '.join(available)}"
        )
    if codec == "libsvtav1":
        # its only way to hold back a page of information on stderr
        os.environ.setdefault("SVT_LOG", "1")
    return Codec(codec, "w")


def encoder_quality_options(codec: str, crf: int) -> dict[str, str]:
    """The encoder's options for a constant quality.

    Args:
        codec: One of the encoders that `find_video_encoder` admits.
        crf: 0 (best) to 51 or 63, on the encoder's own scale; for one with a quantiser only, on x264's,
            turned into a quantiser scale by libav's 0.85 * 2 ** ((qp - 12) / 6); for those of a device the
            nearest that they have.

    Raises:
        RibError: It lies outside the encoder's range.
    """
    if codec in _MASTERS:
        return _MASTERS[codec]
    largest = _CRF.get(codec, 51)
    if not 0 <= crf <= largest:
        raise RibError(f"crf={crf} was given", f"give a number from 0 (best) to {largest} for {codec}")
    if codec in HARDWARE_ENCODERS:
        return hardware_quality_options(codec, crf)
    if codec == "libopenh264":
        return {"rc_mode": "off", "qmin": str(crf), "qmax": str(crf)}
    if codec == "mpeg4":
        scale = str(min(max(1, round(0.85 * 2 ** ((crf - 12) / 6))), 31))
        return {"qmin": scale, "qmax": scale}
    if codec == "libx265":
        return {"crf": str(crf), "x265-params": "log-level=none"}
    # libvpx and libaom take the factor for a bound on quality until the bit rate is 0
    constant = {"crf": str(crf), "b": "0"} if codec.startswith(("libvpx", "libaom")) else {"crf": str(crf)}
    # libvpx's own defaults take minutes for a second of full HD
    return {**constant, "cpu-used": "4", "row-mt": "1"} if codec.startswith("libvpx") else constant


def encoder_preset_options(codec: str, preset: str) -> dict[str, str]:
    """The encoder's options for how much effort it makes.

    Args:
        codec: The encoder's name.
        preset: One of the encoder's own, as libx264's `medium`; `auto` is quick at little loss.

    Raises:
        RibError: The encoder does not know it.
    """
    if preset == "auto":
        return dict(_QUICK.get(codec, {}))
    known = _PRESETS.get(codec, ())
    if preset not in known:
        choices = f"choose one of: auto, {', '.join(known)}" if known else "leave it at auto"
        raise RibError(f"preset={preset} is none of {codec}'s", choices)
    return {"preset": preset}


def encoder_memory_options(codec: str, size_px: tuple[int, int]) -> dict[str, str]:
    """The encoder's options that bound what it holds of pictures that wait.

    x264 looks 40 frames ahead, which takes 370 MB at 1080p and 1.4 GB at 2160p; 10 take 170 and 630, and 6
    take 30 MB less at 1080p. At 1080p files are 11 % smaller and 0.47 dB worse for it at the same crf, as at
    one that is higher by a half; from 10 to 6 they change by 0.2 % and 0.01 dB.
    Threads share a frame instead of taking one each, which holds 70 MB less beside two cores and as much
    beside more of them; files are 0.2 % larger.

    Args:
        codec: The encoder's name.
        size_px: Width and height of the pictures.
    """
    is_large = size_px[0] * size_px[1] > LOOKAHEAD_PX
    if codec != "libx264" or not is_large:
        return {}
    return {"rc-lookahead": FEW_AHEAD, "x264-params": "sliced-threads=1"}


def nearest_encodable_fps(codec: str, fps: Fraction) -> Fraction:
    """The rate itself, or the nearest that the codec can hold."""
    if codec == "mpeg4" and max(fps.numerator, fps.denominator) > _MPEG4_CLOCK:
        return 1 / (1 / fps).limit_denominator(_MPEG4_CLOCK)
    return fps
