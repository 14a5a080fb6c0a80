"""An evaluation of clips for people: a table, files of every number, and videos side by side."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import rib
from rib.evaluation.clips import METHODS, ClipEvaluation
from rib.io.files.whole import write_text_whole
from rib.metrics.frames import LOWER_IS_BETTER
from rib.motion.evaluation.skeleton_video import render_motion_skeleton
from rib.video import VideoWriter

COLUMNS = ("psnr_full", "lpips_full", "psnr_person", "lpips_person", "joint_error")
PANELS = ("generated", "mask", "fused", "background", "truth", "skeleton")
DIMMED = 0.35
"""How much of the true frame is left under the skeleton."""


def clip_evaluation_table(result: Mapping[str, Any]) -> str:
    """Means of every clip and over clips, a line for each method."""
    width = max(len(name) for name in (*result["clips"], "mean of clips"))
    lines = [f"{'clip':{width}}  {'method':10}  " + "  ".join(f"{column:>12}" for column in COLUMNS)]
    for name, methods in (*result["clips"].items(), ("mean of clips", result["mean_of_clips"])):
        for method in METHODS:
            scores = methods[method]
            shown = "  ".join(f"{scores[c]:12.4f}" if c in scores else " " * 11 + "-" for c in COLUMNS)
            lines.append(f"{name:{width}}  {method:10}  {shown}")
    return "\n".join(lines)


def write_clip_evaluation(
    output: Path, result: Mapping[str, Any], rows: Mapping[str, Sequence[Mapping[str, Any]]],
    config: dict[str, Any],
) -> None:  # fmt: skip
    """Write evaluation.json (summaries, every frame, the settings) and evaluation.csv (every frame)."""
    content = {"rib": rib.__version__, **result, "frames": rows, "config": config}
    write_text_whole(output / "evaluation.json", json.dumps(content, indent=2) + "\n")
    write_text_whole(output / "evaluation.csv", clip_evaluation_csv(rows))


def clip_evaluation_csv(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """A line a frame and method."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["clip", "frame", "method", *LOWER_IS_BETTER])
    for name, frames in rows.items():
        for row in frames:
            for method in METHODS:
                writer.writerow(
                    [name, row["frame"], method, *(row[method].get(score, "") for score in LOWER_IS_BETTER)]
                )
    return text.getvalue()


def evaluation_video(path: Path, size_wh: tuple[int, int], fps: float, codec: str, crf: int) -> VideoWriter:
    """A video that takes the `evaluation_panels` of a clip's hidden frames.

    Args:
        path: The .mp4.
        size_wh: Width and height of one panel, px.
        fps: Frames a second.
        codec: Encoder.
        crf: Its constant rate factor; lower is better and larger.
    """
    rate = Fraction(fps).limit_denominator(1001)
    return VideoWriter(path, rate, (size_wh[0] * len(PANELS), size_wh[1]), codec, crf, "yuv420p")


def evaluation_panels(made: ClipEvaluation) -> np.ndarray:
    """(H, 6 W, 3) uint8: the pictures named in `PANELS`, each with its name."""
    skeleton = (made.true * DIMMED).astype(np.uint8)
    render_motion_skeleton(skeleton, made.pose[:, :2], made.pose[:, 2] > 0)
    pictures = [
        made.generated, np.repeat(made.alpha[..., None], 3, axis=2), made.fused, made.background, made.true,
        skeleton,
    ]  # fmt: skip
    row = np.concatenate(pictures, axis=1)  # a copy: the names are drawn on no picture that is scored
    for number, name in enumerate(PANELS):
        place = number * made.true.shape[1] + 6, 16
        for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            cv2.putText(row, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thickness, cv2.LINE_AA)
    return row
