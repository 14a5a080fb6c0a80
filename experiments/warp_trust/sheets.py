"""Pictures for the eye: hidden frames of the cases, and how trust is spread.

    python sheets.py out=OUT view=plain to=sheet.jpg histogram=trust.png

OUT is what `run.py` wrote. Of every case whose frames were changed: the frame with the median gain in LPIPS
and the one that lost most, as truth, RIFE, rib.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from cases import read

TILE_PX = (168, 176)
"""Width and height of a tile."""
BARS_PX = (150, 90)


def rows(folder: Path, result: dict[str, Any]) -> list[np.ndarray]:
    """Two strips (h, w, 3) of a case: its median gain and its greatest loss among changed frames."""
    pairs = zip(result["rife"]["frames"], result["warp"]["frames"], strict=True)
    gains = [
        (warp["lpips_person"] - rife["lpips_person"], int(rife["frame"]))
        for rife, warp in pairs
        if "lpips_person" in rife and warp["psnr_full"] != rife["psnr_full"]
    ]
    if not gains:
        return []
    gains.sort()
    picked = {"median": gains[len(gains) // 2], "worst": gains[-1]}
    return [_strip(folder, result["case"], why, change, frame) for why, (change, frame) in picked.items()]


def _strip(folder: Path, case: str, why: str, change: float, frame: int) -> np.ndarray:
    pictures = [read(folder / part / f"{frame:06d}.png") for part in ("true", "rife", "warp/frames")]
    y, x = np.nonzero((pictures[1] != pictures[2]).any(2))
    low, high = (np.percentile([x, y], share, axis=1) for share in (2, 98))
    centre = (low + high) / 2
    height = min(pictures[0].shape[0], max(96, int(1.2 * (high - low)[1])))
    width = min(pictures[0].shape[1], height * TILE_PX[0] // TILE_PX[1])
    left, top = (
        int(np.clip(c - side / 2, 0, limit - side))
        for c, side, limit in zip(
            centre, (width, height), (pictures[0].shape[1], pictures[0].shape[0]), strict=True
        )
    )
    tiles = [
        cv2.resize(p[top : top + height, left : left + width], TILE_PX, interpolation=cv2.INTER_CUBIC)
        for p in pictures
    ]
    strip = np.hstack([cv2.copyMakeBorder(t, 0, 2, 0, 2, cv2.BORDER_CONSTANT) for t in tiles])
    told = f"{case} {frame}: {why} {change:+.3f}"
    for colour, weight in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(strip, told, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, weight, cv2.LINE_AA)
    return strip


def bars(result: dict[str, Any]) -> np.ndarray:
    """The histogram of a case's trust over all pixels with any (20 bins, tallest fills the height)."""
    counts = np.array(result["told"]["trust_histogram"], float)
    counts[0] = 0  # where no person is, trust is 0
    page = np.full((BARS_PX[1] + 34, BARS_PX[0] + 10, 3), 255, np.uint8)
    for number, share in enumerate(counts / max(counts.sum(), 1)):
        left = 5 + number * BARS_PX[0] // 20
        top = 20 + int(BARS_PX[1] * (1 - share))
        cv2.rectangle(page, (left, top), (left + 5, 20 + BARS_PX[1]), (22, 104, 214), -1)
    told = f"{result['case']}: {result['told']['trusted_pixels']:.3f}"
    cv2.putText(page, told, (5, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    cv2.putText(page, "0", (5, 122), cv2.FONT_HERSHEY_SIMPLEX, 0.3, (90, 90, 90), 1, cv2.LINE_AA)
    cv2.putText(page, "1", (BARS_PX[0] - 2, 122), cv2.FONT_HERSHEY_SIMPLEX, 0.3, (90, 90, 90), 1, cv2.LINE_AA)
    return page


def grid(tiles: list[np.ndarray], columns: int) -> np.ndarray:
    """Tiles of one size, row by row."""
    tiles = tiles + [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])


def main(arguments: list[str]) -> None:
    """See the module."""
    given = dict(argument.split("=", 1) for argument in arguments)
    folders = sorted(path.parent for path in (Path(given["out"]) / given["view"]).glob("*/result.json"))
    results = [(folder, json.loads((folder / "result.json").read_text())) for folder in folders]
    strips = [strip for folder, result in results if result["changed"] for strip in rows(folder, result)]
    cv2.imwrite(given["to"], grid(strips, 2)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 62])
    cv2.imwrite(given["histogram"], grid([bars(result) for _, result in results], 4)[..., ::-1])


if __name__ == "__main__":
    main(sys.argv[1:])
