"""The page itself: facts as JSON, the preview as base64, style and scripts, in one file without a network."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import IO, Any

import numpy as np

from rib.io.files.whole import write_file_whole
from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.report.preview import ReportPreview, ReportPreviewWriter
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import SIDES, convert_pose, joint_set_named
from rib.video import FrameSource

MAX_SKELETONS = 12
"""So many people can be shown on the page, the most prominent."""
MAX_POINTS = 200
"""Of the line that shows when a person is there."""
CHUNK_BYTES = 3 << 18
"""Of the preview at a time; base64 wants a multiple of three."""


def write_report_html(
    path: Path,
    source: FrameSource,
    analysis: ClipAnalysis,
    summary: Mapping[str, Any],
    preview_writer: ReportPreviewWriter | None = None,
    curves: Mapping[str, Any] | None = None,
    stills: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write report.html: both clips under one slider, the skeleton, times, what ran and where it fell back.

    Args:
        path: The page to write.
        source: The input.
        analysis: What the chain found.
        summary: What summary.json holds, with the seconds so far.
        preview_writer: What wrote the video of both sides; None for a page without players.
        curves: Of `rib.pipeline.outputs.interval_table.curves`; None for a page without them.
        stills: Of `rib.pipeline.report.stills.report_stills`.
    """
    preview = preview_writer.finished() if preview_writer is not None else None
    facts = _facts(source, analysis, summary, preview)
    facts |= {"curves": curves, "stills": list(stills), "tracks": list(_tracks(analysis, summary))}
    with write_file_whole(path) as temporary, temporary.open("w", encoding="utf-8") as page:
        _fill(
            page, {"report": _json(facts), "video": preview_writer.path if preview_writer is not None else ""}
        )


def _fill(page: IO[str], parts: Mapping[str, str | Path]) -> None:
    """Write the template with each @@name@@ replaced by a text, or by a file as base64, a chunk at a time."""
    files = {"style": "style.css", "facts": "facts.js", "player": "player.js"}
    every = {**{name: _beside(file) for name, file in files.items()}, **parts}
    for number, piece in enumerate(_beside("page.html").split("@@")):
        part = every[piece] if number % 2 else piece
        if isinstance(part, Path):
            with part.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    page.write(base64.b64encode(chunk).decode("ascii"))
        else:
            page.write(part)


def _beside(file: str) -> str:
    return (resources.files(__package__) / file).read_text("utf-8")


def _json(facts: Mapping[str, Any]) -> str:
    """JSON that can stand in a script element whatever the texts in it say."""
    text = json.dumps(facts, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=str)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _facts(
    source: FrameSource, analysis: ClipAnalysis, summary: Mapping[str, Any], preview: ReportPreview | None
) -> dict[str, Any]:
    given, made = summary["input"], summary["output"]
    span = analysis.timeline.duration_s
    cut = preview is not None and preview.frames < len(analysis.timeline)
    return {
        "title": source.name,
        "subtitle": " · ".join(part.replace(" ", "\u00a0") for part in _subtitle(given, made, span)),
        "result_note": f"{made['fps']:.4g} frames a second",
        "input_note": f"{given['fps']:.4g} frames a second",
        "tiles": list(_tiles(summary)),
        "times": _times(summary["seconds"]),
        "total_s": summary["seconds"]["total"],
        "end_s": float(analysis.keyframe_times_s[-1]),
        "fallbacks": summary["fallbacks"],
        "stages": list(_stages(summary)),
        "versions": list(_versions(summary)),
        "settings": _yaml(summary["config"]),
        "cut": f"The page shows the first {preview.frames / float(preview.fps):.1f} of {span:.1f} s."
        if cut and preview
        else "",
        "preview": _preview(preview, analysis) if preview else None,
    }


def _subtitle(given: Mapping[str, Any], made: Mapping[str, Any], span_s: float) -> Iterator[str]:
    yield f"{given['fps']:.4g} to {made['fps']:.4g} frames a second"
    yield f"{given['frames']} to {made['frames']} frames"
    yield f"{given['size_px'][0]} x {given['size_px'][1]} px"
    yield f"{span_s:.2f} s"


def _tiles(summary: Mapping[str, Any]) -> Iterator[tuple[float, str, str]]:
    """Value, unit and label."""
    made, total = summary["output"]["made"], summary["seconds"]["total"]
    yield made, "number", f"frames made; {summary['output']['copied']} keyframes kept as they were"
    yield summary["trusted_pixels"], "percent", "of the made pixels are the renderer's"
    if summary["person_in_keyframes"] is not None:
        yield summary["person_in_keyframes"], "percent", "of the keyframes show the person"
    yield total / max(made, 1), "seconds", "for each made frame, all told"


def _times(seconds: Mapping[str, float]) -> list[tuple[str, float]]:
    """Seconds by stage, longest first, with the loading of weights as one."""
    loading = sum(value for name, value in seconds.items() if name.startswith("load "))
    stages = {
        name.capitalize(): value
        for name, value in seconds.items()
        if name != "total" and not name.startswith("load ")
    }
    stages["Load weights"] = loading
    return sorted(((name, value) for name, value in stages.items() if value >= 0.005), key=lambda s: -s[1])


def _stages(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    reused = {"poses": "pose", "masks": "mask"}
    kept = {reused.get(name, name) for name in summary["reused"]}
    for stage, target in summary["stages"].items():
        yield stage, target.removeprefix("rib.") + (" (kept from an earlier run)" if stage in kept else "")
    yield "device", summary["device"]
    for note in summary["input"]["notes"]:
        yield "note", note
    for lost in summary.get("not_kept", ()):
        yield "not kept", lost


def _tracks(analysis: ClipAnalysis, summary: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """When each person is there, a share of the keyframes at a time, and how often they are drawn."""
    present, ids = analysis.keyframe_tracks.present, analysis.keyframe_tracks.track_ids
    parts = np.array_split(present, min(MAX_POINTS, len(present)))
    starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
    for told in summary.get("people", ())[:MAX_SKELETONS]:
        column = ids.index(told["person_id"])
        yield {
            "id": told["person_id"],
            "start_s": analysis.keyframe_times_s[starts].tolist(),
            "there": [round(float(part[:, column].mean()), 3) for part in parts],
            "drawn": told["trusted_intervals"],
            "intervals": told["intervals"],
        }


def _versions(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "rib", summary["rib"]
    for package, version in summary["versions"].items():
        yield package, version or "not installed"


def _yaml(config: Mapping[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)


def _preview(preview: ReportPreview, analysis: ClipAnalysis) -> dict[str, Any]:
    people = [_skeleton(preview, analysis, one) for one in analysis.tracks.track_ids[:MAX_SKELETONS]]
    joints = joint_set_named(_shown_joints(analysis))
    return {
        "fps": float(preview.fps),
        "frames": preview.frames,
        "total": len(analysis.timeline),
        "width": preview.size_px[0],
        "height": preview.size_px[1],
        "cell": preview.cell_px,
        "keyframe": analysis.timeline.keyframe[: preview.frames].tolist(),
        "held": preview.held.tolist(),
        "limbs": [(a, b, _side(joints.joints[b])) for a, b in joints.limbs],
        "people": people,
    }


def _shown_joints(analysis: ClipAnalysis) -> str:
    """The joint set on the page; of several people the bodies alone, or the page would grow too large."""
    return analysis.tracks.joint_set if len(analysis.tracks.track_ids) == 1 else "body25"


def _skeleton(preview: ReportPreview, analysis: ClipAnalysis, track_id: int) -> dict[str, Any]:
    """One person's points at the output's frames and at the keyframes."""
    joints, keyframes = _shown_joints(analysis), int(preview.held[-1]) + 1
    poses = convert_pose(analysis.tracks.person(track_id)[slice(0, preview.frames)], joints)
    given = convert_pose(analysis.keyframe_tracks.person(track_id)[slice(0, keyframes)], joints)
    return {
        "id": track_id,
        "poses": _points(poses, preview.size_px),
        "keyframe_poses": _points(given, preview.size_px),
    }


def _side(joint: str) -> str:
    side = joint.partition("_")[0]
    return side if side in SIDES else "middle"


def _points(poses: PoseSequence, size_px: tuple[int, int]) -> list[list[float | None]]:
    """x, y, x, y, ... a moment in the preview's pixels; None where a joint is missing."""
    scale = np.array(size_px) / np.array(poses.size_px)
    points = np.round(poses.keypoints_px * scale, 1)
    there = np.repeat((poses.confidence > 0)[..., None], 2, axis=-1) & np.isfinite(points)
    return [
        [float(value) if ok else None for value, ok in zip(moment.ravel(), valid.ravel(), strict=True)]
        for moment, valid in zip(points, there, strict=True)
    ]
