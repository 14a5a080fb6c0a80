"""OpenPose 1.3 JSON: one file a frame, each with a list of people (OpenPose, doc/02_output.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rib.io.errors import RibError
from rib.keypoint_files.raw import (
    HANDS,
    RawKeypointClip,
    RawKeypointFrame,
    keypoint_file_order,
    keypoint_numbers,
)
from rib.keypoint_files.strict_json import read_strict_json

_NO_HAND = [0.0] * (HANDS // 2)


def read_openpose_folder(files: list[Path]) -> RawKeypointClip:
    """One frame a file, in natural order of their names."""
    frames = [
        read_openpose_frame(read_strict_json(file), str(file))
        for file in sorted(files, key=lambda f: keypoint_file_order(f.name))
    ]
    return RawKeypointClip(frames)


def read_openpose_frame(content: Any, where: str) -> RawKeypointFrame:
    """Everybody in one file (`people`), or in one image of AlphaPose's `bodies`.

    Raises:
        RibError: There is no list of people, or a person's points are not threes of numbers.
    """
    if not isinstance(content, dict) or not ("people" in content or "bodies" in content):
        raise RibError(f'{where} has no "people"', "give OpenPose 1.3 JSON, one file a frame")
    people = content.get("people", content.get("bodies"))
    if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
        raise RibError(f'{where}: "people" is not a list of people')
    frame = RawKeypointFrame(where)
    for person in people:
        body = keypoint_numbers(
            person.get("pose_keypoints_2d", person.get("joints")), f"{where}: a person's body"
        )
        if body:
            frame.add(body, _hands(person, where), person.get("person_id", person.get("idx")))
    return frame


def _hands(person: dict[str, Any], where: str) -> list[float]:
    """The numbers of both hands; none where neither is there."""
    hands = []
    for side in ("left", "right"):
        hand = keypoint_numbers(person.get(f"hand_{side}_keypoints_2d") or [], f"{where}: a {side} hand")
        if hand and len(hand) != len(_NO_HAND):
            raise RibError(f"{where}: a {side} hand has {len(hand)} values, expected {len(_NO_HAND)} or none")
        hands.append(hand)
    return [number for hand in hands for number in (hand or _NO_HAND)] if any(hands) else []
