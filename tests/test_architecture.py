"""The house's walls: imports run downwards only, and every file is one idea."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "rib"

FLOORS = [
    {"commands"},
    {"config"},
    {"pipeline", "benchmark"},
    {"evaluation"},
    {"engine", "datasets"},
    {"clips"},
    {"render", "background", "motion", "pose", "mocap"},
    {"metrics", "training"},
    {"video", "keypoint_files"},
    {"structures"},
    {"io"},
]
"""From the top; a room imports from the floors below it and from itself (README draws the same picture)."""

BESIDE = {
    # the demo and the benchmark run the chain
    ("benchmark", "pipeline"),
    # a person is followed and filtered by the same motion code that fills the gaps
    ("pose", "motion"),
    # the net's training pairs are projected motion capture
    ("motion", "mocap"),
}
"""Doors between rooms of one floor, each with its reason; none leads back."""

ONLY = {
    "hydra": {"commands", "config"},
    "omegaconf": {"commands", "config"},
    "pytorch_lightning": {"engine", "clips", "render", "motion"},
    "mediapipe": {"pose", "metrics"},
}
"""Packages that only some rooms may know."""


def floor_of(room: str) -> int | None:
    return next((i for i, rooms in enumerate(FLOORS) if room in rooms), None)


def imports() -> list[tuple[Path, int, str]]:
    """File, line and dotted name of every import, lazy ones included."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found += [(path, node.lineno, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = (
                    [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "rib" else []
                )
                found += [(path, node.lineno, name) for name in names or [node.module]]
    return found


def room_of(path: Path) -> str:
    part = path.relative_to(ROOT).parts[0]
    return part.removesuffix(".py")


def test_every_room_has_a_floor() -> None:
    rooms = {room_of(p) for p in ROOT.rglob("*.py")} - {"__init__"}
    assert {room for room in rooms if floor_of(room) is None} == set()


def test_imports_run_downwards() -> None:
    wrong = []
    for path, line, name in imports():
        parts = name.split(".")
        here, there = room_of(path), parts[1] if len(parts) > 1 else "__init__"
        if parts[0] != "rib" or here in ("__init__", there) or there.startswith("__"):
            continue
        down, up = floor_of(there), floor_of(here)
        assert down is not None, f"{path}:{line} imports {name}, which is no room"
        assert up is not None
        if down < up or (down == up and (here, there) not in BESIDE):
            wrong.append(f"{path.relative_to(ROOT.parent)}:{line} imports {name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", sorted(ONLY))
def test_a_package_stays_in_its_rooms(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT.parent)}:{line}"
        for path, line, name in imports()
        if name.split(".")[0] == package and room_of(path) not in ONLY[package]
    ]
    assert not wrong, "\n".join(wrong)


def test_a_file_is_one_idea_and_has_a_telling_name() -> None:
    lengths = {p: p.read_text(encoding="utf-8").count("\n") for p in ROOT.rglob("*.py")}
    assert not {str(p): n for p, n in lengths.items() if n > 300}
    assert not {str(p) for p in lengths if p.stem in {"utils", "util", "misc", "helpers", "common"}}


def test_commands_are_thin() -> None:
    lengths = {p.name: p.read_text(encoding="utf-8").count("\n") for p in (ROOT / "commands").glob("*.py")}
    assert not {name: n for name, n in lengths.items() if n > 60}
