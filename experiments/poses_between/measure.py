"""What keyframes tell about the poses between them, beside what the true frames show.

PYTHONPATH=.:experiments/people python experiments/poses_between/measure.py DATA OUT [CASE_STRIDE ...]

An .npz is written to OUT for every setting of `SETTINGS`; those that are there are kept. Poses are asked for
at the hidden frame nearest to the middle of every interval. The truth is what the pose stage sees when it is
given all frames; a person is theirs who lies nearest at both keyframes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from arcs import fed, in_depth
from looks import BODY, DISC, Looker, carried, sampled, torso_px
from middles import middles
from run import HERE as PEOPLE
from run import scored_frames, truth

from rib.background.warp import backward_warp
from rib.config.compose import compose
from rib.io.images import to_pictures, to_tensor
from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.chain import Chain
from rib.pipeline.timeline import OutputTimeline
from rib.structures.interval import Background, Interval, Keyframe
from rib.structures.keypoints import PoseTracks
from rib.video import ArraySource, subsample_frames

SETTINGS = (Path(__file__).parent / "settings.txt").read_text().split()
"""Those of cases.json in which a limb goes more than half a torso between true keyframes."""
SAME_PERSON = 0.5
"""Torso lengths, in the median, from a tracked to a true person at a keyframe, above which they are two."""


def chain_for(cache: Path, *overrides: str) -> Chain:
    """The product's chain, everybody followed."""
    return Chain.from_config(
        compose("interpolate", "input=x", "output=y", f"cache.dir={cache}", "device=cpu", *overrides)
    )


def partners(keyframe_tracks: PoseTracks, true: PoseTracks, numbers: np.ndarray) -> np.ndarray:
    """(K, P) column of the true person who is each tracked one at each keyframe, or -1."""
    ours, theirs = keyframe_tracks.keypoints_px[:, :, :BODY], true.keypoints_px[numbers][:, :, :BODY]
    seen_ours = keyframe_tracks.confidence[:, :, :BODY] > 0
    seen_theirs = true.confidence[numbers][:, :, :BODY] > 0
    found = np.full(ours.shape[:2], -1)
    for k, p in np.ndindex(*found.shape):
        apart = []
        for q in range(theirs.shape[1]):
            both = seen_ours[k, p] & seen_theirs[k, q]
            far = np.linalg.norm(ours[k, p][both] - theirs[k, q][both], axis=-1)
            apart.append(np.median(far) / torso_px(ours[k, p]) if both.sum() > 5 else np.inf)
        if apart and min(apart) < SAME_PERSON:
            found[k, p] = int(np.argmin(apart))
    return found


def all_frames(clip: ArraySource, cache: Path) -> PoseTracks:
    """Everybody as the pose stage sees them when it is given every frame."""
    numbers = np.arange(len(clip))
    timeline = OutputTimeline(clip.fps, np.asarray(clip.times_s), numbers, np.minimum(numbers, len(clip) - 2))
    with torch.inference_mode():
        return chain_for(cache).analyse(clip, timeline).keyframe_tracks


def measure(
    clip: ArraySource, true: PoseTracks, stride: int, cache: Path, look: Looker
) -> dict[str, np.ndarray]:
    """Every candidate at the middle of every interval of everybody, and the truth."""
    keyframes, timeline = subsample_frames(clip, stride), middles(clip, stride)
    chain = chain_for(cache)
    analysis = chain.analyse(keyframes, timeline)
    others = {}
    for motion in ("cubic", "linear"):
        stage = chain_for(cache, f"motion={motion}").stages.motion
        others[motion] = [
            stage(analysis.keyframe_tracks.person(one), timeline.times_s, analysis.cuts)
            for one in analysis.keyframe_tracks.track_ids
        ]
    numbers = np.arange(0, len(clip), stride)
    who = partners(analysis.keyframe_tracks, true, numbers)
    frames, rows = list(clip), []
    for k in range(len(numbers) - 1):
        people = [p for p in range(who.shape[1]) if who[k, p] >= 0 and who[k, p] == who[k + 1, p]]
        moment = int(np.flatnonzero((timeline.interval == k) & (timeline.keyframe < 0))[0])
        if not people or k + 1 in analysis.cuts:
            continue
        hidden = numbers[k] + stride // 2
        interval = one_moment(frames, numbers[k], numbers[k + 1], hidden, np.asarray(clip.times_s))
        with torch.inference_mode():
            background = chain.stages.background(interval)
        for p in people:
            row = {name: poses[p].keypoints_px[moment, :BODY] for name, poses in others.items()}
            rows.append(row | one_row(analysis, true, p, int(who[k, p]), k, moment, numbers, hidden))
            pixels(rows[-1], interval, background, frames[hidden], look)
    whole_tracks(chain, analysis, [np.ascontiguousarray(frames[n]) for n in numbers], rows, look)
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]} if rows else {}


def whole_tracks(
    chain: Chain,
    analysis: ClipAnalysis,
    pictures: list[np.ndarray],
    rows: list[dict[str, np.ndarray]],
    look: Looker,
) -> None:
    """Add what `arcs` makes of everybody's whole track."""
    motion, tracks = chain.stages.motion, analysis.keyframe_tracks
    for column, track_id in enumerate(tracks.track_ids):
        own = [row for row in rows if row["interval"][1] == track_id]
        if own:
            moments_s = np.array([row["time_s"] for row in own])
            fed(motion, tracks.person(track_id), moments_s, own)
            offsets = in_depth(analysis, pictures, look, motion, column, moments_s)
            for row, offset in zip(own, offsets, strict=True):
                row["in_depth"] = offset


def one_moment(frames: list[np.ndarray], a: int, b: int, hidden: int, times_s: np.ndarray) -> Interval:
    """The interval around a hidden frame."""
    ends = [Keyframe(i, float(times_s[i]), to_tensor(np.ascontiguousarray(frames[i]))) for i in (a, b)]
    return Interval(ends[0], ends[1], np.array([times_s[hidden]]))


def one_row(
    analysis: ClipAnalysis,
    true: PoseTracks,
    p: int,
    q: int,
    k: int,
    moment: int,
    numbers: np.ndarray,
    hidden: int,
) -> dict[str, np.ndarray]:
    """Poses of one person in one interval."""
    at_moments = np.flatnonzero(np.isin(analysis.timeline.keyframe, (k, k + 1)))
    ends, net = analysis.keyframe_tracks, analysis.tracks
    around = np.clip([hidden - 1, hidden, hidden + 1], 0, len(true) - 1)
    edges = np.clip([[n - 1, n, n + 1] for n in numbers[k : k + 2]], 0, len(true) - 1)
    return {
        "share": np.array((hidden - numbers[k]) / (numbers[k + 1] - numbers[k])),
        "time_s": np.array(analysis.timeline.times_s[moment]),
        "interval": np.array([k, net.track_ids[p]]),
        "net": net.keypoints_px[moment, p, :BODY],
        "net_confidence": net.confidence[moment, p, :BODY],
        "net_ends": net.keypoints_px[at_moments, p, :BODY],
        "ends": ends.keypoints_px[k : k + 2, p, :BODY],
        "ends_confidence": ends.confidence[k : k + 2, p, :BODY],
        "true": true.keypoints_px[around, q, :BODY],
        "true_confidence": true.confidence[around, q, :BODY],
        "true_ends": true.keypoints_px[edges, q, :BODY],
        "true_ends_confidence": true.confidence[edges, q, :BODY],
        "torso": torso_px(ends.keypoints_px[k : k + 2, p, :BODY]).mean(),
    }


@torch.inference_mode()
def pixels(
    row: dict[str, np.ndarray], interval: Interval, background: Background, hidden: np.ndarray, look: Looker
) -> None:
    """Add what RIFE's flows and frame tell, and the same look at the true frame."""
    assert background.flow is not None
    flow = background.flow[0].numpy()
    for end, name in enumerate(("flow_a", "flow_b")):
        row[name] = np.stack([
            carried(flow[2 * end : 2 * end + 2], joint, guess, float(row["torso"]))
            for joint, guess in zip(row["ends"][end], row["net"], strict=True)
        ])  # fmt: skip
    found, around = row["net_confidence"] > 0, row["net"]
    warped = [
        backward_warp(end.picture[None], background.flow[:, 2 * i : 2 * i + 2])
        for i, end in enumerate((interval.a, interval.b))
    ]
    made = {"seen_in_rife": background.interpolated, "seen_in_a": warped[0], "seen_in_b": warped[1]}
    for name, picture in made.items():
        row[name] = look(to_pictures(picture, 255)[0], around, found)
    row["seen_in_truth"] = look(np.ascontiguousarray(hidden), around, found)
    size = 2 * round(DISC * float(row["torso"])) + 1
    apart = cv2.blur((warped[0] - warped[1]).abs().mean(1)[0].numpy(), (size, size))
    for name in ("net", "seen_in_rife"):
        row[f"{name}_residual"] = sampled(apart, row[name][:, :2])


def main(chosen: Sequence[str]) -> None:
    """Measure the settings that are named, or all."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    data, out = Path(sys.argv[1]), Path(sys.argv[2])
    cases = json.loads((PEOPLE / "cases.json").read_text())
    out.mkdir(parents=True, exist_ok=True)
    cache, look = out / "cache", Looker()
    for setting in chosen or SETTINGS:
        name, stride = setting.rsplit("_", 1)[0], int(setting.rsplit("_", 1)[1])
        path, start = out / f"{setting}.npz", time.process_time()
        if path.exists():
            continue
        case = cases[name]
        widest = max(int(one.rsplit("_", 1)[1]) for one in SETTINGS if one.rsplit("_", 1)[0] == name)
        whole, clip = truth(data, case, widest), truth(data, case, stride)
        before = (case["count"] - scored_frames(case["count"], stride)) // 2
        before -= (case["count"] - scored_frames(case["count"], widest)) // 2
        true = all_frames(whole, cache)[np.arange(before, before + len(clip))]
        found = measure(clip, true, stride, cache, look)
        if found:
            np.savez_compressed(path, **found)
        count = len(found["net"]) if found else 0
        print(f"{setting:26} {count:3} rows, {time.process_time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[3:])
