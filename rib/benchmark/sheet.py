"""contact_sheet.png: the picked frames, one band each, columns from keyframe to keyframe."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rib.benchmark.showcase import CROP_HEIGHT_PX, LARGEST_ERROR, TILE_WIDTH_PX, ContactSheetFrame
from rib.benchmark.table import COLUMNS, benchmark_caption, best_methods

PAGE, TEXT, DIM, ACCENT = (255, 255, 255), (22, 25, 29), (105, 114, 125), (22, 104, 214)
MARGIN_PX, GUTTER_PX, LINE_PX = 32, 8, 30
SMALL, MIDDLE, LARGE = 18, 21, 36
"""Sizes of letters in px."""
HEADINGS = {
    "keyframe before": "Keyframe before",
    "true": "Truth (hidden)",
    "keyframe after": "Keyframe after",
}
UNDER_TILE = ("psnr_person", "lpips_person"), ("psnr_full", "lpips_full")
"""The two scores under a tile: of the person, or where there is none of the picture."""


def render_contact_sheet(result: Mapping[str, Any], picked: Sequence[ContactSheetFrame]) -> bytes:
    """The contact sheet as a PNG.

    Args:
        result: What metrics.json holds.
        picked: The frames to show.
    """
    columns = list(picked[0].crops) if picked else []
    width = 2 * MARGIN_PX + max(len(columns), 5) * (TILE_WIDTH_PX + GUTTER_PX) - GUTTER_PX
    head = MARGIN_PX + 5 * LINE_PX
    full = max((len(tile) for tile in picked[0].fulls.values()), default=0) if picked else 0
    band = 5 * LINE_PX + CROP_HEIGHT_PX + GUTTER_PX + full + LINE_PX
    sheet = _Sheet(width, head + band * len(picked))
    _title(sheet, result)
    for number, shown in enumerate(picked):
        _band(sheet, shown, result, head + number * band)
    return sheet.png()


class _Sheet:
    """A white page to write and paste on."""

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (width, height), PAGE)
        self.draw = ImageDraw.Draw(self.image)
        self.fonts = {size: ImageFont.load_default(size=size) for size in (SMALL, MIDDLE, LARGE)}

    def text(self, x: int, y: int, text: str, size: int = SMALL, colour: tuple[int, int, int] = TEXT) -> None:
        self.draw.text((x, y), text, fill=colour, font=self.fonts[size])

    def paste(self, x: int, y: int, tile: np.ndarray) -> None:
        self.image.paste(Image.fromarray(tile), (x, y))

    def png(self) -> bytes:
        content = io.BytesIO()
        self.image.save(content, "PNG")
        return content.getvalue()


def _title(sheet: _Sheet, result: Mapping[str, Any]) -> None:
    sheet.text(MARGIN_PX, MARGIN_PX - 8, f"{result['clip']['name']}: hidden frames, made again", LARGE)
    legend = f"Lower row: the whole picture, or a method's error (bright: {LARGEST_ERROR} of 255 and more)"
    sheet.text(MARGIN_PX, MARGIN_PX + 48, benchmark_caption(result).partition("; mean")[0], SMALL, DIM)
    sheet.text(MARGIN_PX, MARGIN_PX + 48 + LINE_PX, legend, SMALL, DIM)


def _band(sheet: _Sheet, shown: ContactSheetFrame, result: Mapping[str, Any], top: int) -> None:
    index, time_s = shown.moment
    sheet.draw.line((MARGIN_PX, top, sheet.image.width - MARGIN_PX, top), fill=(223, 227, 232), width=1)
    sheet.text(MARGIN_PX, top + 14, f"Frame {index}, {time_s:.2f} s: {shown.why}", MIDDLE)
    winners = {score: best_methods(shown.scores, score) for pair in UNDER_TILE for score in pair}
    for number, (name, crop) in enumerate(shown.crops.items()):
        x = MARGIN_PX + number * (TILE_WIDTH_PX + GUTTER_PX)
        y = top + 2 * LINE_PX
        sheet.text(x, y, HEADINGS.get(name, name), MIDDLE)
        if name in shown.scores:
            _scores(sheet, x, y + LINE_PX, name, shown.scores, winners)
        y += 2 * LINE_PX + 4
        sheet.paste(x, y, crop)
        sheet.paste(x, y + CROP_HEIGHT_PX + GUTTER_PX, shown.fulls[name])


def _scores(
    sheet: _Sheet,
    x: int,
    y: int,
    name: str,
    scores: Mapping[str, Mapping[str, float]],
    winners: Mapping[str, set[str]],
) -> None:
    """Two scores, the best in colour."""
    pair = next((pair for pair in UNDER_TILE if all(score in scores[name] for score in pair)), ())
    for score in pair:
        heading, pattern = COLUMNS[score]
        text = f"{heading.removeprefix('person ')} {pattern.format(scores[name][score])}"
        sheet.text(x, y, text, SMALL, ACCENT if name in winners[score] else DIM)
        x += round(sheet.draw.textlength(text, font=sheet.fonts[SMALL])) + 16
