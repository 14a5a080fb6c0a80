"""Whole clips in one JSON file: AlphaPose results, COCO keypoints and results, Kinetics-skeleton.

Formats: cocodataset.org/#format-data and #format-results; AlphaPose, docs/output.md; ST-GCN's
Kinetics-skeleton. All of them may leave out frames without people, so frames carry their own numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from rib.io.errors import RibError
from rib.keypoint_files.openpose import read_openpose_frame
from rib.keypoint_files.raw import (
    RawKeypointClip,
    RawKeypointFrame,
    keypoint_file_order,
    keypoint_numbers,
    last_number_in_name,
)
from rib.keypoint_files.strict_json import kind_of_json_value


def read_keypoint_results(content: Any, where: str) -> RawKeypointClip:
    """Tell the format by its keys and read it.

    Raises:
        RibError: It is none of them, or a person lacks what the format promises.
    """
    try:
        if isinstance(content, list):
            return _results(content, where)
        if isinstance(content, dict) and "people" in content:
            return RawKeypointClip([read_openpose_frame(content, where)])
        if isinstance(content, dict) and "annotations" in content:
            return _coco(content, where)
        if isinstance(content, dict) and "data" in content:
            return _kinetics(content, where)
        if isinstance(content, dict) and content and all(isinstance(v, dict) for v in content.values()):
            return _by_image(content, where)
    except RecursionError as error:
        raise RibError(f"{where} is nested too deeply", "write the file again") from error
    raise RibError(
        f'{where} has no "people", "annotations" or "data", and is no list of results',
        "give OpenPose, AlphaPose, COCO or Kinetics-skeleton JSON",
    )


def _results(content: list[Any], where: str) -> RawKeypointClip:
    """AlphaPose's default output and COCO results: a list of people with their image."""
    frames: dict[str, RawKeypointFrame] = {}
    for entry in _entries(content, where):
        image = str(_identity(entry, "image_id", where))
        frame = frames.setdefault(image, RawKeypointFrame(f"{where}, image {image[:80]}"))
        who = entry.get("idx", entry.get("track_id"))
        frame.add(keypoint_numbers(_field(entry, "keypoints", where), frame.name), person_id=who)
    if not frames:
        raise RibError(f"{where} lists nobody")
    return _in_order(frames, first_number=0, flags=True)


def _by_image(images: dict[str, dict[str, Any]], where: str) -> RawKeypointClip:
    """AlphaPose's OpenPose-like output: a dict from image to people."""
    frames = {
        image: read_openpose_frame(content, f"{where}, image {image[:80]}")
        for image, content in images.items()
    }
    return _in_order(frames, first_number=0, flags=False)


def _coco(content: dict[str, Any], where: str) -> RawKeypointClip:
    """COCO annotations: `images` lists every frame, and the third value is a visibility flag."""
    annotations = _entries(content["annotations"], f'{where}: "annotations"')
    images = _entries(content.get("images") or [], f'{where}: "images"')
    ids = [_identity(image, "id", f'{where}: "images"') for image in images]
    names = {n: str(image.get("file_name", n)) for n, image in zip(ids, images, strict=True)}
    if not images:
        names = {n: str(n) for n in {_identity(a, "image_id", where) for a in annotations}}
    frames = {number: RawKeypointFrame(f"{where}, image {name[:80]}") for number, name in names.items()}
    for annotation in annotations:
        image = _identity(annotation, "image_id", f"{where}: an annotation")
        if image not in frames:
            raise RibError(
                f'{where}: an annotation names image {str(image)[:80]!r}, which "images" does not list'
            )
        if annotation.get("keypoints"):
            numbers = keypoint_numbers(annotation["keypoints"], frames[image].name)
            frames[image].add(numbers, person_id=annotation.get("track_id"))
    if images:
        return RawKeypointClip(
            [frames[n] for n in sorted(frames, key=lambda n: keypoint_file_order(names[n]))], flags=True
        )
    return _in_order({str(number): frame for number, frame in frames.items()}, first_number=0, flags=True)


def _kinetics(content: dict[str, Any], where: str) -> RawKeypointClip:
    """Kinetics-skeleton: per frame a list of skeletons with `pose` (x, y) and `score`, flat or nested."""
    frames: dict[str, RawKeypointFrame] = {}
    for entry in _entries(content["data"], f'{where}: "data"'):
        number = str(_identity(entry, "frame_index", where))
        frame = frames.setdefault(number, RawKeypointFrame(f"{where}, frame {number[:80]}"))
        for person in _entries(_field(entry, "skeleton", frame.name), f'{frame.name}: "skeleton"'):
            points, scores = (list(_flat(_field(person, key, frame.name))) for key in ("pose", "score"))
            if len(points) != 2 * len(scores):
                raise RibError(f"{frame.name} has {len(points)} coordinates and {len(scores)} scores")
            pairs = zip(points[::2], points[1::2], scores, strict=True)
            frame.add([number for triple in pairs for number in triple])
    if not frames:
        raise RibError(f"{where} lists no frame")
    return _in_order(frames, first_number=1, flags=False)


def _entries(value: Any, told: str) -> list[dict[str, Any]]:
    """A list of objects."""
    if not isinstance(value, list):
        raise RibError(f"{told} is {kind_of_json_value(value)}, expected a list of objects")
    wrong = [entry for entry in value if not isinstance(entry, dict)]
    if wrong:
        raise RibError(f"{told} holds {kind_of_json_value(wrong[0])}, expected objects alone")
    return value


def _field(entry: dict[str, Any], key: str, told: str) -> Any:
    if key not in entry:
        raise RibError(f"{told}: an entry has no {key!r}")
    return entry[key]


def _identity(entry: dict[str, Any], key: str, told: str) -> int | str:
    """What an entry calls an image or a frame."""
    value = _field(entry, key, told)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise RibError(f"{told}: {key!r} is {kind_of_json_value(value)}, expected a number or a name")
    return value


def _flat(values: Any) -> Iterable[float]:
    for value in values if isinstance(values, list) else [values]:
        if isinstance(value, list):
            yield from _flat(value)
        else:
            yield value


def _in_order(frames: dict[str, RawKeypointFrame], first_number: int, flags: bool) -> RawKeypointClip:
    """Frames in the natural order of their names, with their numbers where those tell them apart."""
    names = sorted(frames, key=keypoint_file_order)
    numbers = [number for name in names if (number := last_number_in_name(name)) is not None]
    apart = len(numbers) == len(names) and bool((np.diff(numbers) > 0).all())
    return RawKeypointClip([frames[name] for name in names], numbers if apart else None, first_number, flags)
