"""The lists that say what HumanSlomo is made of: videos as CSV, clips as JSON. They are untrusted input."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from rib.io.errors import RibError, reason_of_error
from rib.io.files.text import read_text_file
from rib.keypoint_files.strict_json import kind_of_json_value, read_strict_json

COLUMNS = ("File_name", "Youtube_id", "FPS")
_PLAIN = re.compile(r"[^/\\\x00-\x1f]+")
_YOUTUBE_ID = re.compile(r"[\w-]{11}")
EXAMPLE = '{"<clip>": {"video_name": "...", "video_frames": ["frame00012.png", ...]}}'


@dataclass(frozen=True)
class ListedVideo:
    """A row of the video list.

    Attributes:
        name: The file's name without suffix.
        youtube_id: What YouTube calls it.
        fps: Frames a second that the clip lists count in.
    """

    name: str
    youtube_id: str
    fps: float


@dataclass(frozen=True)
class ListedClip:
    """An entry of a clip list.

    Attributes:
        name: The clip's.
        video: Name of its video, without suffix, or of its folder of frames.
        frames: Names of the frames, increasing; for a video the number in each counts.
    """

    name: str
    video: str
    frames: tuple[str, ...]


def read_video_list(path: str | Path) -> list[ListedVideo]:
    """A CSV with the columns File_name, Youtube_id, FPS.

    Raises:
        RibError: It is absent, lacks a column, or a row holds something else.
    """
    path = Path(path).expanduser()
    try:
        text = read_text_file(path, "the list ", "name a CSV or JSON file")
        rows = list(csv.DictReader(text.splitlines()))
    except csv.Error as error:
        raise RibError(
            f"{path} is no CSV ({reason_of_error(error)})",
            f"the first line of a video list is {','.join(COLUMNS)}",
        ) from error
    if rows and (lacking := [name for name in COLUMNS if name not in rows[0]]):
        raise RibError(
            f"{path} lacks the column {lacking[0]}", f"the first line of a video list is {','.join(COLUMNS)}"
        )
    return [_video(path, number, row) for number, row in enumerate(rows, start=2)]


def _video(path: Path, line: int, row: dict[str, str]) -> ListedVideo:
    name, youtube_id, fps = (str(row[column] or "").strip() for column in COLUMNS)
    if not _is_plain(name):
        raise RibError(f"{path}, line {line}: {_short(name)} is no file name")
    if not _YOUTUBE_ID.fullmatch(youtube_id):
        raise RibError(
            f"{path}, line {line}: {_short(youtube_id)} is no YouTube id (11 letters, digits, - or _)"
        )
    try:
        rate = float(fps)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise RibError(f"{path}, line {line}: {_short(fps)} is no frame rate")
    return ListedVideo(name, youtube_id, rate)


def read_clip_list(path: str | Path) -> list[ListedClip]:
    """A JSON of clips: name -> video_name, video_frames and, if given, num_frames.

    Raises:
        RibError: It is absent, no such JSON, or a clip's frames do not increase or are not as many as said.
    """
    path = Path(path).expanduser()
    content = read_strict_json(path, "the list ", missing="leave it out")
    if not isinstance(content, dict):
        raise RibError(
            f"{path} holds {kind_of_json_value(content)}, no clips", f"a clip list looks like {EXAMPLE}"
        )
    return [_clip(path, name, entry) for name, entry in content.items()]


def _clip(path: Path, name: str, entry: Any) -> ListedClip:
    told = f"{path}: the clip {_short(name)}"
    video = entry.get("video_name") if isinstance(entry, dict) else None
    frames = entry.get("video_frames") if isinstance(entry, dict) else None
    if not isinstance(video, str) or not isinstance(frames, list) or not frames:
        raise RibError(f"{told} lacks video_name or video_frames", f"a clip list looks like {EXAMPLE}")
    frames = [f"{frame:06d}" if isinstance(frame, int) and 0 <= frame < 10**9 else frame for frame in frames]
    for word in (name, video, *frames):
        if not _is_plain(word):
            raise RibError(f"{told}: {_short(word)} is no file name")
    numbers = [listed_frame_number(frame) for frame in frames]
    if any(b <= a for a, b in pairwise(numbers)):
        raise RibError(f"{told}: its frames do not increase")
    if entry.get("num_frames", len(frames)) != len(frames):
        raise RibError(
            f"{told}: num_frames is {str(entry['num_frames'])[:40]}, but it names {len(frames)} frames"
        )
    return ListedClip(name, video, tuple(frames))


def listed_frame_number(name: str) -> int:
    """The number in a frame's name: frame00012.png is frame 12.

    Raises:
        RibError: There is none.
    """
    digits = re.findall(r"\d+", Path(name).stem)
    if not digits or len(digits[-1]) > 18:
        raise RibError(f"the frame name {_short(name)} holds no number", "names look like frame00012.png")
    return int(digits[-1])


def _short(word: Any) -> str:
    return repr(str(word)[:40])


def _is_plain(name: Any) -> bool:
    """Whether a word is a file's name and leads into no other folder."""
    return isinstance(name, str) and bool(_PLAIN.fullmatch(name)) and not name.startswith(".")
