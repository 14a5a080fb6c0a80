"""The house's walls: imports run downwards only, and every file is one idea."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1] / "rib"

FLOORS = [
    {"commands"},
    {"config"},
    {"pipeline", "benchmark"},
    {"evaluation", "export"},
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
    # the net's training pairs are projected motion capture
    ("motion", "mocap"),
    # the errors of real detectors are those of the person whom the tracker follows
    ("motion", "pose"),
}
"""Doors between rooms of one floor, each with its reason; none leads back."""

ONLY = {
    "hydra": {"config"},
    "omegaconf": {"config"},
    "pytorch_lightning": {"engine", "clips", "render", "motion"},
    "mediapipe": {"pose", "metrics"},
}
"""Packages that only some rooms may know."""


@cache
def nodes_of(path: Path) -> list[Any]:
    """Every statement of a file, also within others, the module first."""
    nodes: list[Any] = [ast.parse(path.read_text(encoding="utf-8"))]
    for node in nodes:  # which grows
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            nodes += getattr(node, part, ())
    return nodes


def floor_of(room: str) -> int | None:
    return next((i for i, rooms in enumerate(FLOORS) if room in rooms), None)


def imports() -> list[tuple[Path, int, str]]:
    """File, line and dotted name of every import, lazy ones included."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        for node in nodes_of(path):
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


def test_every_door_leads_somewhere() -> None:
    used = {(room_of(path), name.split(".")[1]) for path, _, name in imports() if name.startswith("rib.")}
    assert used >= BESIDE, f"nobody goes through {BESIDE - used}"
    known = {(room_of(path), name.split(".")[0]) for path, _, name in imports()}
    idle = {(room, package) for package, rooms in ONLY.items() for room in rooms} - known
    assert not idle, f"{idle} is allowed, but not done"


def modules() -> dict[str, Path]:
    """Every file by its dotted name."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported_modules(path: Path, known: dict[str, Path]) -> set[str]:
    """Files of the package that a file imports, lazily or for types alone too."""
    found = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & known.keys()) or {node.module}
    return found & known.keys()


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of nodes that lead to one another."""
    reach = {node: set(leads) for node, leads in graph.items()}
    grown = True
    while grown:
        grown = False
        for leads in reach.values():
            more = set().union(*(reach[node] for node in leads)) - leads if leads else set()
            grown |= bool(more)
            leads |= more
    groups = {tuple(sorted(other for other in reach[node] if node in reach[other])) for node in graph}
    return [list(group) for group in sorted(groups) if group]


def test_no_two_files_import_one_another_in_a_circle() -> None:
    known = modules()
    graph = {name: imported_modules(path, known) for name, path in known.items()}
    assert not circles(graph), circles(graph)


def test_no_room_holds_more_files_than_a_shelf() -> None:
    """What outgrows it is sorted into inner rooms."""
    held = {folder: len(list(folder.glob("[!_]*.py"))) for folder in (ROOT, *ROOT.rglob("*"))}
    assert not {str(folder.relative_to(ROOT)): n for folder, n in held.items() if n > 15}


def inner_room_of(module: str) -> str:
    """The inner room that a file lies in, or the file itself where it lies in none."""
    return ".".join(module.split(".")[:3])


def test_inner_rooms_do_not_lead_to_one_another_in_a_circle() -> None:
    known = modules()
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        here = inner_room_of(name)
        leads = {inner_room_of(other) for other in imported_modules(path, known)}
        graph.setdefault(here, set()).update(leads - {here})
    assert not circles(graph), circles(graph)


def test_a_circle_would_be_seen() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert circles({"a": {"b"}, "b": set()}) == []


@pytest.mark.parametrize("package", sorted(ONLY))
def test_a_package_stays_in_its_rooms(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT.parent)}:{line}"
        for path, line, name in imports()
        if name.split(".")[0] == package and room_of(path) not in ONLY[package]
    ]
    assert not wrong, "\n".join(wrong)


def test_settings_are_read_as_attributes_that_mypy_sees() -> None:
    looked_up = re.compile(r"""\b(config|settings)\[["'f]""")
    wrong = [
        f"{path.relative_to(ROOT.parent)}:{number}"
        for path in sorted(ROOT.rglob("*.py"))
        if room_of(path) != "config"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if looked_up.search(line)
    ]
    assert not wrong, "\n".join(wrong)


def test_a_file_is_one_idea_and_has_a_telling_name() -> None:
    lengths = {p: p.read_text(encoding="utf-8").count("\n") for p in ROOT.rglob("*.py")}
    assert not {str(p): n for p, n in lengths.items() if n > 300}
    assert not {str(p) for p in lengths if p.stem in {"utils", "util", "misc", "helpers", "common"}}


def test_commands_are_thin() -> None:
    lengths = {p.name: p.read_text(encoding="utf-8").count("\n") for p in (ROOT / "commands").glob("*.py")}
    assert not {name: n for name, n in lengths.items() if n > 60}


def test_no_class_name_stands_for_two_things() -> None:
    found: dict[str, list[str]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        for node in nodes_of(path)[0].body:
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    twice = {name: paths for name, paths in found.items() if len(paths) > 1}
    assert not twice, twice


def test_first_sentences_are_no_riddles() -> None:
    """A module or class is a thing of the field: its docstring names it, and does not ask what it is."""
    asking = {"What", "Where", "How", "Which", "Who", "When", "Why"}
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        tree, *others = nodes_of(path)
        for node in (tree, *(one for one in others if isinstance(one, ast.ClassDef))):
            text = ast.get_docstring(node) or ""
            if text.partition(" ")[0] in asking:
                found.append(f"{path.relative_to(ROOT)}: {text.splitlines()[0]}")
    assert not found, "\n".join(found)


def test_no_two_files_of_tests_share_a_name() -> None:
    names = [path.name for path in Path(__file__).parent.rglob("test_*.py")]
    assert {name for name in names if names.count(name) > 1} == set()  # pytest would collect neither


def test_what_tests_of_several_rooms_share_lies_at_their_top() -> None:
    """A folder of tests runs alone: another folder's files are found only when that one is collected too."""
    tests = ROOT.parent / "tests"
    kept = {path.stem: path.parent for path in tests.rglob("*.py") if path.stem != "conftest"}
    wrong = []
    for path in sorted(tests.rglob("*.py")):
        nodes = nodes_of(path)
        names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
        names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        foreign = [name for name in names if kept.get(name, tests) not in (tests, path.parent)]
        wrong += [f"{path.relative_to(tests)} imports {name} of {kept[name].name}" for name in foreign]
    assert not wrong
