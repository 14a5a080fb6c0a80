"""Colour metadata of a clip: matrix, primaries, transfer, range, depth, pixel aspect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

UNSPECIFIED = 2
"""In all three tables of ITU-T H.273: nobody said."""
HDR = {int(ColorTrc.SMPTE2084): "PQ", int(ColorTrc.ARIB_STD_B67): "HLG"}
SMPTE_170M = 6
"""The matrix of BT.601 under another number."""
HD_WIDTH_PX, HD_LINES = 1280, 720
"""From either on an untagged picture is BT.709, as players take it; below BT.601."""
CHROMA = ("4:2:0", "4:2:2", "4:4:4", "rgb")
"""How finely colour is stored."""
WIDEST_PIXEL = 8
"""A pixel aspect ratio beyond this is a slip."""


@dataclass(frozen=True)
class ColourMetadata:
    """Colour metadata that the writer needs of the clip that the frames come from.

    Attributes:
        matrix: That turns the stored numbers to RGB (ITU-T H.273, table 4).
        primaries: Table 2; 1 (BT.709) where nobody said.
        transfer: Table 3; 1 (BT.709) where nobody said.
        full_range: Whether luma reaches from 0 to 255.
        pixel_aspect: Width of a pixel by its height, once upright.
        bits: Of a stored colour.
        chroma: "4:2:0", "4:2:2", "4:4:4", or "rgb" where the file stores no luma.
        alpha: Whether it says what is transparent.
        interlaced: Whether frames hold two fields.
    """

    matrix: int = int(Colorspace.ITU709)
    primaries: int = int(ColorPrimaries.BT709)
    transfer: int = int(ColorTrc.BT709)
    full_range: bool = False
    pixel_aspect: Fraction = Fraction(1)
    bits: int = 8
    chroma: str = "rgb"
    alpha: bool = False
    interlaced: bool = False

    @property
    def known_matrix(self) -> Colorspace | None:
        """The matrix for swscale; None where it does not know it, or none is needed."""
        known = {int(matrix): matrix for matrix in Colorspace}
        return None if self.chroma == "rgb" else known.get(self.matrix)

    @property
    def hdr(self) -> str | None:
        """PQ, HLG, or None."""
        return HDR.get(self.transfer)

    @property
    def is_more(self) -> bool:
        """Whether the clip has more than opaque pictures of 8 bits a colour."""
        return self.alpha or self.bits > 8

    @property
    def output_matrix(self) -> int:
        """BT.2020's where the primaries are, else BT.709's."""
        wide = self.primaries == int(ColorPrimaries.BT2020)
        return int(Colorspace.BT2020 if wide else Colorspace.ITU709)

    def pixel_format(self, available: list[str], alpha: bool = False, deep: bool = False) -> str:
        """The encoder's format that keeps most: transparency, 10 bits, full colour resolution, else yuv420p.

        Args:
            available: The encoder's formats.
            alpha: Whether players read the transparency that the encoder writes.
            deep: Whether they read its 10 bits where there is no HDR too.
        """
        wanted: list[str] = []
        if self.alpha and alpha:
            wanted += ["rgba64le"] if self.bits > 8 else []
            wanted += ["bgra", "yuva420p", "yuva444p10le"]
        chroma = {"4:4:4": "444", "4:2:2": "422" if deep else "420"}.get(self.chroma, "420")
        if self.hdr or (deep and self.bits > 8):
            wanted += [f"yuv{chroma}p10le", "yuv420p10le"]
        wanted += ["yuv444p" if chroma == "444" else "yuv420p", "yuv420p"]
        return next((name for name in wanted if name in available), available[0])

    def not_kept(self, pixel_format: str, available: list[str]) -> list[str]:
        """Sentences on what a video of this format loses of the look.

        Args:
            pixel_format: Of the video.
            available: The encoder's formats.
        """
        layout, lost = VideoFormat(pixel_format, 16, 16), []
        bits = layout.components[0].bits
        if self.bits > bits:
            keeps = " (video.pixel_format=yuv420p10le keeps 10)" * (bits == 8 and "yuv420p10le" in available)
            lost.append(f"{self.bits} bits a colour{f' of {self.hdr}' * bool(self.hdr)} became {bits}{keeps}")
        if CHROMA.index(_chroma(layout)) < CHROMA.index(self.chroma) < len(CHROMA) - 1:
            name = f"yuv{self.chroma.replace(':', '')}p" + "10le" * (bits > 8)
            keeps = f" (video.pixel_format={name} keeps it)" * (name in available)
            lost.append(f"{self.chroma} colour became {pixel_format}{keeps}")
        return lost


def colour_metadata_of(
    frame: VideoFrame, pixel_aspect: Fraction | None, turned: bool, untagged: str
) -> ColourMetadata:
    """Read a decoded frame's look.

    Args:
        frame: The first.
        pixel_aspect: As the container or the codec has it.
        turned: Whether upright means to swap rows and columns.
        untagged: "auto" takes an untagged frame for BT.709 from `HD_LINES` on; "601" never, as ffmpeg and
            OpenCV do.
    """
    layout = frame.format
    matrix = int(frame.colorspace)
    if matrix in (UNSPECIFIED, 0) and not layout.is_rgb:
        large = frame.width >= HD_WIDTH_PX or frame.height >= HD_LINES
        matrix = int(Colorspace.ITU709 if large and untagged == "auto" else Colorspace.ITU601)
    matrix = int(Colorspace.ITU601) if matrix == SMPTE_170M else matrix
    aspect = Fraction(pixel_aspect or 1)
    aspect = aspect if Fraction(1, WIDEST_PIXEL) <= aspect <= WIDEST_PIXEL else Fraction(1)
    return ColourMetadata(
        matrix,
        _said(frame.color_primaries, int(ColorPrimaries.BT709)),
        _said(frame.color_trc, int(ColorTrc.BT709)),
        int(frame.color_range) == int(ColorRange.JPEG) or layout.name.startswith("yuvj"),
        1 / aspect if turned else aspect,
        max(component.bits for component in layout.components),
        _chroma(layout),
        any(component.is_alpha for component in layout.components),
        frame.interlaced_frame,
    )


def sdr_colour_metadata(look: ColourMetadata) -> ColourMetadata:
    """The same look after HDR was brought to BT.709."""
    return replace(look, primaries=int(ColorPrimaries.BT709), transfer=int(ColorTrc.BT709), bits=8)


def _said(value: Any, otherwise: int) -> int:
    return otherwise if int(value) in (0, UNSPECIFIED, 3) else int(value)


def _chroma(layout: VideoFormat) -> str:
    if layout.is_rgb or len(layout.components) < 3:
        return "rgb"
    across, down = 16 // layout.chroma_width(16), 16 // layout.chroma_height(16)
    return {(1, 1): "4:4:4", (2, 1): "4:2:2"}.get((across, down), "4:2:0")
