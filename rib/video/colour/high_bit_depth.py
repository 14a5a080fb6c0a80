"""Luma and chroma of any depth to RGB of 16 bits and back, without swscale's own matrices.

Those lose up to 3 of 1023 levels either way; what swscale does here, resampling chroma, is exact for luma.
"""

from __future__ import annotations

import cv2
import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

WHITE = 65535
"""Full intensity in 16 bits."""
LUMA = {1: (0.2126, 0.0722), 9: (0.2627, 0.0593), 7: (0.212, 0.087)}
"""Shares of red and blue in luma by the matrix's number (ITU-T H.273, table 4)."""
LUMA_601 = (0.299, 0.114)
SMOOTHLY = Interpolation.BICUBIC | Interpolation.ACCURATE_RND


def decoded_to_rgb16(
    frame: VideoFrame, reformatter: VideoReformatter, matrix: int, full_range: bool, alpha: bool
) -> np.ndarray:
    """A decoded frame as (H, W, 3) uint16 RGB, or (H, W, 4) with straight alpha.

    Args:
        frame: Of luma and chroma, or RGB.
        reformatter: Of the clip.
        matrix: ITU-T H.273, table 4.
        full_range: Whether luma reaches from 0 to the largest number.
        alpha: Whether to give alpha.
    """
    layout = frame.format
    if layout.is_rgb or len(layout.components) < 3:
        name = "rgba64le" if alpha else "rgb48le"
        return reformatter.reformat(frame, format=name, interpolation=SMOOTHLY, threads=1).to_ndarray()
    name = "yuva444p16le" if alpha else "yuv444p16le"
    side = ColorRange.JPEG if full_range else ColorRange.MPEG
    planes = reformatter.reformat(
        frame, format=name, src_color_range=side, dst_color_range=side, interpolation=SMOOTHLY, threads=1
    ).to_ndarray()
    bits = layout.components[0].bits
    to_yuv, offset = _to_stored(matrix, full_range, bits)
    inverse = np.linalg.inv(to_yuv)
    affine = np.hstack([inverse / (1 << (16 - bits)), -inverse @ offset[:, None]]) * WHITE
    colours = cv2.transform(planes[..., :3].astype(np.float32), affine.astype(np.float32))
    rgb = np.rint(colours.clip(0, WHITE)).astype(np.uint16)
    if not alpha:
        return rgb
    largest = ((1 << bits) - 1) << (16 - bits)
    shown = planes[..., 3:].astype(np.float32) * (WHITE / largest)
    return np.concatenate([rgb, np.rint(shown.clip(0, WHITE)).astype(np.uint16)], axis=2)


def rgb16_to_encoder_frame(
    picture: np.ndarray, reformatter: VideoReformatter, pixel_format: str, matrix: int, full_range: bool
) -> VideoFrame:
    """RGB or straight RGBA as a frame of luma and chroma for an encoder.

    Args:
        picture: (H, W, 3) or (H, W, 4) uint16.
        reformatter: Of the clip.
        pixel_format: Of luma and chroma.
        matrix: ITU-T H.273, table 4.
        full_range: Whether luma reaches from 0 to the largest number.
    """
    bits = VideoFormat(pixel_format, 16, 16).components[0].bits
    to_yuv, offset = _to_stored(matrix, full_range, bits)
    affine = np.hstack([to_yuv / WHITE, offset[:, None]]).astype(np.float32)
    colours = cv2.transform(picture[..., :3].astype(np.float32), affine)
    largest, shift = (1 << bits) - 1, 16 - bits
    planes = np.rint(colours.clip(0, largest)).astype(np.uint16) << shift
    name = "yuv444p16le"
    if picture.shape[2] == 4:
        shown = np.rint(picture[..., 3:].astype(np.float32) * (largest / WHITE)).astype(np.uint16) << shift
        planes, name = np.concatenate([planes, shown], axis=2), "yuva444p16le"
    side = ColorRange.JPEG if full_range else ColorRange.MPEG
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(planes), format=name)
    return reformatter.reformat(
        frame,
        format=pixel_format,
        src_color_range=side,
        dst_color_range=side,
        interpolation=SMOOTHLY,
        threads=1,
    )


def rgb16_to_rgb8(picture: np.ndarray) -> np.ndarray:
    """16 bits a colour to 8, rounded to the nearest; 8 stay as they are."""
    if picture.dtype == np.uint8:
        return picture
    return ((picture.astype(np.uint32) * 255 + WHITE // 2) // WHITE).astype(np.uint8)


def rgb8_to_rgb16(picture: np.ndarray) -> np.ndarray:
    """8 bits a colour to 16; 16 stay as they are."""
    return picture if picture.dtype == np.uint16 else picture.astype(np.uint16) * 257


def _to_stored(matrix: int, full_range: bool, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Matrix and offset from RGB in 0..1 to stored numbers (ITU-R BT.2100, table 9)."""
    red, blue = LUMA.get(matrix, LUMA_601)
    luma = np.array([red, 1 - red - blue, blue])
    rows = np.stack(
        [luma, (np.array([0, 0, 1]) - luma) / (2 - 2 * blue), (np.array([1, 0, 0]) - luma) / (2 - 2 * red)]
    )
    unit, middle = 1 << (bits - 8), 1 << (bits - 1)
    if full_range:
        return rows * ((1 << bits) - 1), np.array([0, middle, middle], float)
    return rows * np.array([[219], [224], [224]]) * unit, np.array([16 * unit, middle, middle], float)
