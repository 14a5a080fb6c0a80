"""The page of promises names tests that exist, and every campaign of hostile input."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "hostile_input.md"


def named_tests() -> set[tuple[str, str]]:
    """File and test of all that the page names; `::test` is of the file before it."""
    found, file = set(), ""
    for name, test in re.findall(r"`([\w/]*(?:\.py)?)::(test_\w+)`", PAGE.read_text(encoding="utf-8")):
        file = name or file
        found.add((file, test))
    return found


def found_in(file: Path) -> set[str]:
    return set(re.findall(r"^def (test_\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE))


def test_every_test_that_the_page_names_exists() -> None:
    lost = [f"{file}::{test}" for file, test in named_tests() if test not in found_in(ROOT / file)]
    assert lost == []


def test_every_campaign_and_every_test_of_kills_and_full_disks_is_named() -> None:
    files = [*(ROOT / "tests/fuzz").glob("test_*.py"), ROOT / "tests/robustness/test_kills.py"]
    there = {(str(file.relative_to(ROOT)), test) for file in files for test in found_in(file)}
    assert there - named_tests() == set()
