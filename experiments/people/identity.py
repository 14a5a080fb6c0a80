"""Count switches and misses at hand-marked people: our tracker and Roboflow's, on the same detections.

python experiments/people/identity.py DATA [--keep FOLDER]

DATA holds the clips named in tests/data/identities.json. Roboflow's `trackers` is optional:
pip install --no-deps trackers==2.6.1 supervision pyDeprecate defusedxml
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.optimize import linear_sum_assignment

from rib.io.recipe import build_recipe
from rib.pose.detectors.blazepose import BodyLandmarker, PersonDetector
from rib.pose.detectors.detection import ClipDetections, PersonDetection
from rib.pose.detectors.people_detector import PeopleDetector
from rib.pose.detectors.plausible import TRUNK, detection_size_px
from rib.pose.tracking.tracker import Tracker, lasting_tracks
from rib.video import open_frame_source, subsample_frames
from rib.video.camera import CameraMotionEstimator

ROOT = Path(__file__).resolve().parents[2]
MARKS = json.loads((ROOT / "tests/data/identities.json").read_text())
STRIDES = (1, 4, 8)
NEAR = 0.6
Owners = dict[tuple[int, int], int]
"""(keyframe, detection) -> track id."""


def find(path: Path, stride: int) -> dict[str, Any]:
    """Everybody at every keyframe, and the camera's motion."""
    recipe = yaml.safe_load((ROOT / "conf/pose/mediapipe.yaml").read_text())
    source = subsample_frames(open_frame_source(path), stride)
    find_people = PeopleDetector(
        PersonDetector(), BodyLandmarker(hands=False, mask=False, window_px=recipe["window_px"]),
        recipe["min_visibility"], recipe["max_people"], recipe["tile_px"],
        max(1, round(recipe["search_every_s"] * float(source.fps))),
        recipe["apart"],
    )  # fmt: skip
    walk, people, motions = CameraMotionEstimator(320), [], []
    for picture in source:
        motion = walk(picture)
        found = [candidate.detection for candidate in find_people(picture, motion.matrix)]
        walk.leave_out([person.box_xyxy for person in found])
        people.append(found)
        motions.append(motion.matrix)
    times_s, fps = np.asarray(source.times_s), float(source.fps)
    return {"people": people, "camera": motions, "times_s": times_s, "size": source.size_px, "fps": fps}


def ours(seen: dict[str, Any]) -> Owners:
    """The tracker of conf/pose/tracker/default.yaml."""
    tracker: Tracker = build_recipe(yaml.safe_load((ROOT / "conf/pose/tracker/default.yaml").read_text()))
    tracks = tracker.link(ClipDetections(seen["people"], seen["times_s"], seen["size"], (), seen["camera"]))
    kept = lasting_tracks(tracks, seen["times_s"])
    return {(k, i): track.track_id for track in kept for k, i in track.members.items()}


def theirs(name: str) -> Callable[[dict[str, Any]], Owners]:
    """One of Roboflow's trackers, on the boxes and mean confidences, with its own settings."""

    def run(seen: dict[str, Any]) -> Owners:
        import supervision
        import trackers

        tracker = getattr(trackers, name)(frame_rate=seen["fps"], minimum_consecutive_frames=1)
        owners: Owners = {}
        for k, people in enumerate(seen["people"]):
            boxes = np.array([person.box_xyxy for person in people]).reshape(-1, 4)
            scores = np.array([person.mean_confidence for person in people])
            given = supervision.Detections(boxes, confidence=scores, class_id=np.zeros(len(people), int))
            given.data["number"] = np.arange(len(people))
            out = tracker.update(given)
            for number, track in zip(out.data.get("number", []), out.tracker_id, strict=False):
                if track is not None and track >= 0:
                    owners[k, int(number)] = int(track)
        return owners

    return run


def judge(
    clip: str, stride: int, people: list[list[PersonDetection]], owners: Owners
) -> tuple[int, int, int]:
    """Marks, misses, and how often a person's track changed or a track went over to another person."""
    marks = missed = switches = 0
    track_of: dict[str, int] = {}
    person_of: dict[int, str] = {}
    for frame in sorted({mark["frame"] for mark in MARKS[clip] if mark["frame"] % stride == 0}):
        here = [mark for mark in MARKS[clip] if mark["frame"] == frame]
        k = frame // stride
        there = [i for i in range(len(people[k])) if (k, i) in owners]
        apart = np.array([[_apart(people[k][i], m["point_px"]) for i in there] for m in here])
        apart = apart.reshape(len(here), len(there))
        pairs = dict(zip(*(x.tolist() for x in linear_sum_assignment(np.minimum(apart, NEAR))), strict=True))
        for row, mark in enumerate(here):
            marks += 1
            if row not in pairs or apart[row, pairs[row]] >= NEAR:
                missed += 1
                continue
            track, person = owners[k, there[pairs[row]]], mark["person"]
            switches += track_of.get(person, track) != track or person_of.get(track, person) != person
            track_of[person], person_of[track] = track, person
    return marks, missed, switches


def _apart(person: PersonDetection, point: list[float]) -> float:
    corners = person.keypoints_px[TRUNK][person.confidence[TRUNK] > 0]
    if len(corners) == 0:
        return np.inf
    return float(np.linalg.norm(corners.mean(axis=0) - point)) / detection_size_px(person)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--keep", type=Path, help="detections are kept here between runs")
    told = parser.parse_args()
    methods = {"ours": ours} | {
        name: theirs(name) for name in ("SORTTracker", "ByteTrackTracker", "OCSORTTracker")
    }
    print("| clip | stride | marks |", " | ".join(methods), "|\n|---|---|---|" + "---|" * len(methods))
    for clip in MARKS:
        for stride in STRIDES:
            kept = told.keep and told.keep / f"{Path(clip).stem}_{stride}.pkl"
            seen = (
                pickle.loads(kept.read_bytes()) if kept and kept.exists() else find(told.data / clip, stride)
            )
            if kept:
                kept.write_bytes(pickle.dumps(seen))
            scores = [judge(clip, stride, seen["people"], run(seen)) for run in methods.values()]
            cells = " | ".join(f"{switches} / {missed}" for _, missed, switches in scores)
            print(f"| {Path(clip).stem} | {stride} | {scores[0][0]} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
