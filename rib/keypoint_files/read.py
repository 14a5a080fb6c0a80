"""Read a clip's keypoints, whatever layout they are in."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rib.io.errors import RibError
from rib.io.files.regular import kind_of_file, refuse_special_files
from rib.keypoint_files.layout import check_keypoint_layout, detect_keypoint_layout, keypoints_per_person
from rib.keypoint_files.openpose import read_openpose_folder
from rib.keypoint_files.people import PeopleKeypoints
from rib.keypoint_files.raw import RawKeypointClip, keypoint_rows
from rib.keypoint_files.results import read_keypoint_results
from rib.keypoint_files.strict_json import read_strict_json
from rib.structures.skeleton import BODY25, convert_joints, joint_set_named


def read_people_keypoints(path: str | Path, layout: str = "auto") -> PeopleKeypoints:
    """Everybody in a clip.

    Args:
        path: A folder of OpenPose 1.3 JSON, one file a frame, in the natural order of their names; or one
            JSON file with all frames (AlphaPose, COCO keypoints or results, Kinetics-skeleton).
        layout: The points' order, one of `rib.keypoint_files.layout.LAYOUTS`, or `auto`.

    Raises:
        RibError: Nothing is there, or it cannot be read as keypoints; the line names the file.
    """
    check_keypoint_layout(layout)
    path = Path(path)
    clip = _read_raw(path)
    if keypoints_per_person(clip) == 0:
        told = "body25" if layout == "auto" else layout
        people = np.zeros((0, len(joint_set_named("body25_hands")), 3))
    else:
        owners = [frame.name for frame in clip.frames for _ in frame.bodies]
        bodies = keypoint_rows([body for frame in clip.frames for body in frame.bodies], owners)
        told = detect_keypoint_layout(bodies, layout, str(path))
        people = _converted(bodies, told, clip.flags)
        _lay_hands(people, [hands for frame in clip.frames for hands in frame.hands], owners)
    ends = np.cumsum([len(frame.bodies) for frame in clip.frames])
    frames = tuple(np.split(people, ends[:-1]))
    names = tuple(frame.name for frame in clip.frames)
    numbers = None if clip.numbers is None else tuple(clip.numbers)
    ids = tuple(tuple(frame.ids) for frame in clip.frames)
    return PeopleKeypoints(frames, names, told, path, numbers, clip.first_number, ids)


def _read_raw(path: Path) -> RawKeypointClip:
    kind = kind_of_file(path)
    if not kind:
        raise RibError(f"poses {path} do not exist", "name a folder of JSON files, or one JSON file")
    if kind != "a folder":
        return read_keypoint_results(read_strict_json(path), str(path))
    named = [file for file in path.iterdir() if file.suffix.lower() == ".json"]
    for file in named:
        refuse_special_files(file)
    files = [file for file in named if file.is_file()]
    if not files:
        inner = next((d for d in sorted(path.iterdir()) if d.is_dir() and any(d.glob("*.json"))), None)
        raise RibError(
            f"{path} holds no .json file",
            f"did you mean {inner}?" if inner else "name the folder that holds one JSON file a frame",
        )
    return (
        read_keypoint_results(read_strict_json(files[0]), str(files[0]))
        if len(files) == 1
        else read_openpose_folder(files)
    )


def _converted(bodies: np.ndarray, layout: str, flags: bool) -> np.ndarray:
    """(S, J, 3) of a layout as (S, 67, 3) of `body25_hands`."""
    scores = _confidence(bodies[..., 2], flags)
    joints, confidence = convert_joints(bodies[..., :2], scores, layout, "body25_hands")
    return np.concatenate([joints, confidence[..., None]], axis=-1)


def _lay_hands(people: np.ndarray, hands: list[list[float]], owners: list[str]) -> None:
    """Put the hands that stand beside the bodies in the files into (S, 67, 3), in place."""
    with_hands = [row for row, numbers in enumerate(hands) if numbers]
    if with_hands:
        fingers = keypoint_rows([hands[row] for row in with_hands], [owners[row] for row in with_hands])
        fingers[..., 2] = _confidence(fingers[..., 2], flags=False)
        people[with_hands, len(BODY25) :] = np.where(fingers[..., 2:] > 0, fingers, 0.0)


def _confidence(scores: np.ndarray, flags: bool) -> np.ndarray:
    """Scores in 0..1: COCO's flags are halved, and scores beyond 1 are divided by the greatest one."""
    scores = np.maximum(scores, 0.0)
    if flags and np.isin(scores, (0, 1, 2)).all() and (scores == 2).any():
        return scores / 2
    return scores / max(float(scores.max(initial=0.0)), 1.0)
