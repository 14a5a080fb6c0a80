"""Decoded frames to RGB, as the clip's look says."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import av
import av.filter
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from rib.io.images import to_uint8
from rib.video.colour.high_bit_depth import decoded_to_rgb16, rgb16_to_rgb8
from rib.video.colour.look import ColourMetadata

AS_OTHERS = Interpolation.BICUBIC
"""What ffmpeg and OpenCV ask for, so that the pixels are theirs."""
GROUND = (0, 0, 0)
"""What shows through transparent pixels where nobody says another colour: black."""
SDR_WHITE_NITS = 203.0
"""Graphics white of HDR (ITU-R BT.2408), which becomes nearly the white of SDR."""
KNEE = 0.75
"""Up to this share of SDR's range light is kept as it is; what is above is rolled off."""
TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], dtype=np.float32
)
"""Linear BT.2020 to linear BT.709 (ITU-R BT.2087)."""


class RgbConverter:
    """Makes RGB of decoded frames.

    Args:
        look: Of the clip.
        sdr: Bring HDR to BT.709.
        stored: Keep depth and transparency (see `FrameSource.stored`).
    """

    def __init__(self, look: ColourMetadata, sdr: bool, stored: bool = False) -> None:
        self.look, self._sdr, self._stored = look, sdr and look.hdr is not None, stored
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> np.ndarray:
        """(H, W, 3) uint8 RGB; where depth and transparency are kept, as `FrameSource.stored` says."""
        picture = self._deep(frame) if self.look.bits > 8 else self._plain(frame)
        if self._stored:
            return picture
        return stored_frame_to_rgb(picture)

    def _plain(self, frame: VideoFrame) -> np.ndarray:
        return self._reformatter.reformat(
            frame,
            format="rgba" if self.look.alpha else "rgb24",
            src_colorspace=self.look.known_matrix,
            src_color_range=ColorRange.JPEG if self.look.full_range else None,
            interpolation=AS_OTHERS,
            threads=1,
        ).to_ndarray()

    def _deep(self, frame: VideoFrame) -> np.ndarray:
        look = self.look
        picture = decoded_to_rgb16(frame, self._reformatter, look.matrix, look.full_range, look.alpha)
        if not self._sdr:
            return picture
        shown = tone_map_to_sdr(picture[..., :3], look.hdr == "PQ")
        return np.concatenate([shown, rgb16_to_rgb8(picture[..., 3:])], axis=2) if look.alpha else shown


def stored_frame_to_rgb(picture: np.ndarray) -> np.ndarray:
    """A stored frame (see `FrameSource.stored`) as (H, W, 3) uint8 RGB, over black."""
    return rgb16_to_rgb8(picture_over_colour(picture) if picture.shape[2] == 4 else picture)


def picture_over_colour(rgba: np.ndarray, ground: tuple[int, int, int] = GROUND) -> np.ndarray:
    """Lay a picture over a colour.

    Args:
        rgba: (H, W, 4) uint8 or uint16 with straight alpha.
        ground: RGB, 0..255.

    Returns:
        (H, W, 3) of the same kind.
    """
    white = int(np.iinfo(rgba.dtype).max)
    alpha = rgba[..., 3:].astype(np.uint32)
    mixed = rgba[..., :3] * alpha + np.array(ground, np.uint32) * (white // 255) * (white - alpha)
    return ((mixed + white // 2) // white).astype(rgba.dtype)


def tone_map_to_sdr(rgb: np.ndarray, is_pq: bool) -> np.ndarray:
    """HDR (ITU-R BT.2100) to BT.709: light, gamut, a soft knee over the largest channel, BT.1886's curve.

    Args:
        rgb: (H, W, 3) uint16 code values over the full range.
        is_pq: Perceptual quantiser; else hybrid log-gamma, shown at 1000 nits.
    """
    code = rgb.astype(np.float32) / 65535
    light = (_pq_nits(code) if is_pq else _hlg_nits(code)) / SDR_WHITE_NITS
    light = np.maximum(light @ TO_709.T, 0)
    peak = light.max(axis=2, keepdims=True)
    over = np.maximum(peak - KNEE, 0) / (1 - KNEE)
    rolled = np.where(peak > KNEE, KNEE + (1 - KNEE) * (over / (1 + over)), peak)
    light = light * rolled / np.maximum(peak, 1e-6)
    return to_uint8(np.clip(light, 0, 1) ** (1 / 2.4))


def _pq_nits(code: np.ndarray) -> np.ndarray:
    """SMPTE ST 2084's EOTF."""
    power = code ** (1 / 78.84375)
    ratio = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
    return np.asarray(10000 * ratio ** (1 / 0.1593017578125), dtype=np.float32)


def _hlg_nits(code: np.ndarray) -> np.ndarray:
    """ITU-R BT.2100's inverse OETF and the OOTF of a display of 1000 nits (gamma 1.2)."""
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    luma = scene @ np.array([0.2627, 0.678, 0.0593], dtype=np.float32)
    return np.asarray(1000 * scene * np.maximum(luma, 1e-6)[..., None] ** 0.2, dtype=np.float32)


def deinterlace_frames(frames: Iterator[VideoFrame], stream: VideoStream) -> Iterator[VideoFrame]:
    """One picture for each interlaced frame, by libav's `bwdif`; progressive frames pass."""
    graph = av.filter.Graph()
    source = graph.add_buffer(template=stream)
    woven = graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
    sink = graph.add("buffersink")
    source.link_to(woven)
    woven.link_to(sink)
    graph.configure()
    for frame in chain(frames, [None]):
        graph.push(frame)
        while True:
            try:
                made = graph.pull()
            except (av.BlockingIOError, av.EOFError):
                break
            assert isinstance(made, VideoFrame)
            yield made
