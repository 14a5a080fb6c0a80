"""From what a user names to the clips that it stands for: files, folders, patterns and lists."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from rib.io.errors import RibError
from rib.io.files.text import read_text_file
from rib.video.reading.sequence import SUFFIXES, in_numeric_order, picture_pattern_glob, pictures_in

VIDEOS = frozenset(
    (
        *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".wmv", ".flv", ".mpg", ".mpeg", ".ts", ".m2ts"),
        *(".mts", ".3gp", ".ogv", ".gif", ".apng", ".mxf", ".vob", ".y4m"),
    )
)
"""Files of a folder that are taken for videos."""


def clips_named_by_input(named: str, only: str | None = None) -> list[str]:
    """The clips that an input stands for, each by a name that stands for it alone.

    Args:
        named: A file, a folder of pictures, of a video or of several, a pattern of files (`clips/*.mp4`), of
            numbered pictures (`seq/%04d.png`), or `@list.txt` with a name a line.
        only: A pattern of names: of a folder only these are taken.

    Raises:
        RibError: There is nothing, or it cannot be told what is meant.
    """
    path = Path(named).expanduser()
    if path.is_dir():
        return _of_folder(named, path, only)
    if path.exists() or (not _is_pattern(named) and not named.startswith("@")):
        return [named]
    return _of_list(Path(named[1:]).expanduser(), only) if named.startswith("@") else _of_pattern(named)


def pictures_named_by_input(named: str, only: str | None = None) -> list[Path] | None:
    """The pictures in order that an input stands for, or None where it is a file of its own.

    Args:
        named: See `clips_named_by_input`.
        only: See there.

    Raises:
        RibError: No picture has such a name.
    """
    path = Path(named).expanduser()
    if path.is_dir():
        return pictures_in(path, only)
    if path.exists() or not _is_pattern(named):
        return None
    found = [one for one in _matching(named) if one.suffix.lower() in SUFFIXES]
    if not found:
        raise RibError(f"no picture is called {named}", "name a folder of pictures, or a pattern that fits")
    return in_numeric_order(found)


def place_of_input(named: str) -> Path:
    """The file or the folder of pictures that an input stands for, by whose side a result may lie."""
    path = Path(named).expanduser().absolute()
    if path.exists() or not _is_pattern(named):
        return path
    folders = {one.absolute().parent for one in _matching(named)}
    if len(folders) == 1:
        return folders.pop()
    while _is_pattern(path.name) or not path.is_dir():
        path = path.parent
    return path


def _of_folder(named: str, folder: Path, only: str | None) -> list[str]:
    pictures = pictures_in(folder, only)
    videos = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in VIDEOS and path.is_file() and not path.name.startswith(".")
        and (only is None or path.match(only))
    )  # fmt: skip
    if not videos:
        return [named]
    if len(pictures) < 2:
        return [str(path) for path in videos]
    raise RibError(
        f"{folder} holds {len(pictures)} pictures and {len(videos)} videos, such as {pictures[0].name} and "
        f"{videos[0].name}",
        f"say which are meant: input_glob=*{pictures[0].suffix} or input_glob=*{videos[0].suffix}",
    )


def _of_list(file: Path, only: str | None) -> list[str]:
    text = read_text_file(file, "the list ", "give a text file, a name a line", from_pipe=True)
    names = [line.strip() for line in text.splitlines()]
    names = [name for name in names if name and not name.startswith("#")]
    if not names:
        raise RibError(f"the list {file} names nothing", "write a video or a folder a line")
    if any(name.startswith("@") for name in names):
        raise RibError(f"the list {file} names another list", "write videos and folders")
    return [
        clip
        for name in names
        for clip in clips_named_by_input(str(file.parent / Path(name).expanduser()), only)
    ]


def _of_pattern(named: str) -> list[str]:
    found = _matching(named)
    pictures = [path for path in found if path.suffix.lower() in SUFFIXES and path.is_file()]
    if not found:
        raise RibError(f"no file is called {named}", "name a file or folder, or a pattern that fits")
    if not pictures:
        return [clip for path in found for clip in clips_named_by_input(str(path))]
    if len(pictures) < len(found):
        other = next(path for path in found if path not in pictures)
        raise RibError(
            f"{named} stands for pictures and for others, such as {pictures[0].name} and {other.name}",
            f"name one kind, e.g. *{pictures[0].suffix}",
        )
    return [named]


def _matching(named: str) -> Sequence[Path]:
    """The files that a pattern stands for."""
    path = Path(named).expanduser()
    names = picture_pattern_glob(path.name)
    if names is not None and path.parent.is_dir():
        return [one for one in path.parent.iterdir() if names.fullmatch(one.name)]
    return [Path(one) for one in sorted(glob.glob(str(path)))]  # noqa: PTH207 (absolute patterns)


def _is_pattern(named: str) -> bool:
    return glob.has_magic(named) or picture_pattern_glob(Path(named).name) is not None


def expand_inputs(inputs: Sequence[str], only: str | None = None) -> Iterator[str]:
    """The clips that several inputs stand for, in order; what stands for none comes back as it is.

    The mistake is then told when that clip's turn comes, and does not stop the others.
    """
    for named in inputs:
        try:
            yield from clips_named_by_input(named, only)
        except RibError:
            if len(inputs) == 1:
                raise
            yield named
