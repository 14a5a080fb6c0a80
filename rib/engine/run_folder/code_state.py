"""Commit, uncommitted changes and untracked source files of the code that a run is made with."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import rib
from rib.io.files.whole import write_text_whole

SOURCE = (".py", ".pyi", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".sh", ".c", ".cpp", ".cu", ".h")
"""Untracked files of these kinds count as code."""
LARGEST_BYTES, MOST_FILES = 200_000, 500


def write_code_state(folder: Path, plugins: Iterable[str] = ()) -> None:
    """Write git.json and git.diff of rib's own checkout, project.json and project.diff of the user's.

    The user's are the checkouts of the working directory and of plugins.

    Args:
        folder: The run folder.
        plugins: Dotted names.
    """
    own = Path(rib.__file__).resolve().parent.parent
    if (state := git_state(own, exactly=True)) is not None:
        _write(folder, "git", {**state, "command": " ".join(sys.argv)}, str(state["diff"]))
    roots = dict.fromkeys(
        root for place in _places(plugins) if (root := git_top_level(place)) not in (None, own)
    )
    states = [found for root in roots if root and (found := git_state(root)) is not None]
    if states:
        diff = "".join(f"# {state['folder']}\n{state['diff']}" for state in states)
        _write(folder, "project", states, diff)


def git_state(root: Path, exactly: bool = False) -> dict[str, Any] | None:
    """Commit, branch, untracked source files and, as one patch with them, uncommitted changes; None outside.

    Args:
        root: A folder of a checkout.
        exactly: It has to be the checkout's own.
    """
    try:
        if exactly and git_top_level(root) != root:
            return None
        untracked = _untracked(root)
        return {
            "folder": str(root),
            "commit": _git(root, "rev-parse", "HEAD").strip(),
            "branch": _git(root, "rev-parse", "--abbrev-ref", "HEAD").strip(),
            "untracked": untracked,
            "diff": _diff(root, untracked),
        }
    except (OSError, subprocess.SubprocessError):
        return None


def git_top_level(place: Path) -> Path | None:
    """The checkout that a folder lies in, or None."""
    try:
        return Path(_git(place, "rev-parse", "--show-toplevel").strip()).resolve()
    except (OSError, subprocess.SubprocessError):
        return None


def _places(plugins: Iterable[str]) -> Iterable[Path]:
    yield Path.cwd()
    for name in plugins:
        spec = importlib.util.find_spec(name.partition(".")[0])
        for place in (spec.submodule_search_locations or ()) if spec else ():
            yield Path(place)


def _untracked(root: Path) -> list[str]:
    names = _git(root, "ls-files", "--others", "--exclude-standard", "-z").split("\0")
    code = (name for name in names if name.endswith(SOURCE) and ".hydra" not in Path(name).parts)
    small = (name for name in code if (root / name).stat().st_size <= LARGEST_BYTES)
    return sorted(small)[:MOST_FILES]


def _diff(root: Path, untracked: list[str]) -> str:
    """The patch from the last commit, untracked files as new ones; the checkout's index stays as it is."""
    if not untracked:
        return _git(root, "diff", "HEAD")
    index = Path(_git(root, "rev-parse", "--path-format=absolute", "--git-path", "index").strip())
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "index"
        shutil.copyfile(index, copy)
        _git(root, "add", "--intent-to-add", "--", *untracked, index=copy)
        return _git(root, "diff", "HEAD", index=copy)


def _git(root: Path, *arguments: str, index: Path | None = None) -> str:
    environ = {**os.environ, "GIT_INDEX_FILE": str(index)} if index else None
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, check=True, timeout=20, env=environ
    )
    return done.stdout.decode("utf-8", "replace")


def _write(folder: Path, name: str, facts: Any, diff: str) -> None:
    states = [facts] if name == "git" else facts
    kept = [{key: value for key, value in state.items() if key != "diff"} for state in states]
    text = json.dumps(kept[0] if name == "git" else kept, indent=2)
    write_text_whole(folder / f"{name}.json", f"{text}\n")
    write_text_whole(folder / f"{name}.diff", diff)
