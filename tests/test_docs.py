"""The documentation: the site builds without a warning, and commands on its pages compose."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from rib.config.compose import compose
from rib.config.help.verbs import VERBS
from rib.config.overrides.shorthand import shorthand_to_overrides
from rib.config.schema import ROOTS
from rib.io.errors import RibError

ROOT = Path(__file__).resolve().parents[1]
TUTORIALS = ("film_makers", "researchers", "how_to", "export", "renderer_training")
COMPOSED = ("how_to", "export", "renderer_training", "training", "humanslomo", "plugins", "../README")
"""Pages whose commands want what a reader has: they are put together and checked, not run."""
UNTRIED = "# not run by a test: "
MADE_PAGES = ("reference/settings.md", "reference/commands.md")
"""Pages that the site makes from conf/ (docs/site_reference.py)."""
WALKED = ("film_makers", "researchers")
"""Pages whose commands tests/test_tutorials.py runs in their order."""
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)


def commands_on(page: str, untried: bool = True) -> Iterator[list[str]]:
    """The words of every `rib ...` in a page's blocks, without comments.

    Args:
        page: Its name.
        untried: Whether those of blocks that say that no test runs them count too.
    """
    for block in FENCE.findall((ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")):
        if UNTRIED in block and not untried:
            continue
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("rib "):
                yield shlex.split(line, comments=True)[1:]


def test_pages_name_commands_that_there_are() -> None:
    typed = [words for page in TUTORIALS for words in commands_on(page)]
    assert len(typed) > 20
    assert {words[0] for words in typed if not words[0].startswith("--")} <= VERBS.keys()


def test_every_command_is_run_by_a_test_or_says_that_it_is_not() -> None:
    for path in (ROOT / "docs").glob("*.md"):
        if path.stem not in WALKED:
            assert list(commands_on(path.stem, untried=False)) == [], path.name


@pytest.mark.slow
@pytest.mark.parametrize("page", COMPOSED)
def test_commands_on_a_page_compose(page: str) -> None:
    """They are not run: most want a film or a store of the reader's."""
    for words in commands_on(page):
        if words[0] not in ROOTS or of_somebody_elses_package(words):
            continue
        root, given = composed_as(*words)
        try:
            assert compose(root, *given)  # type: ignore[call-overload]
        except RibError as error:  # `...` stands for what the page said above
            if "..." not in words or "was not given" not in error.what:
                raise


def of_somebody_elses_package(words: list[str]) -> bool:
    """Whether a command needs the reader's plugin or configs."""
    return any(word.startswith(("plugins=", "--config-dir")) or "my_question" in word for word in words)


def composed_as(verb: str, *words: str) -> tuple[str, list[str]]:
    """The root config of a command, and its overrides."""
    data = [word for word in words if word.startswith("data=")]
    given = [word for word in words if word not in ("-m", "...", *data)]
    if "-m" in words:  # the first of the values that are swept over; ranges are the sweeper's
        given = [re.sub(r"=([^\[,]+),.*", r"=\1", word) for word in given if "(" not in word]
    if verb == "benchmark" and "speed=true" in given:  # another root
        verb, given = "benchmark_speed", [word for word in given if word != "speed=true"]
    if verb == "evaluate" and "data=humanslomo" in data:
        verb = "evaluate_humanslomo"
    if "input" in ROOTS[verb].__dataclass_fields__:
        given = shorthand_to_overrides(given, ROOTS[verb])
    return verb, [*(data if verb == "prepare" else []), *given]


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    for package in ("mkdocs", "material", "mkdocstrings"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} of the extra [docs] is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    settings = (tmp_path / "reference" / "settings" / "index.html").read_text(encoding="utf-8")
    commands = (tmp_path / "reference" / "commands" / "index.html").read_text(encoding="utf-8")
    python = (tmp_path / "reference" / "python" / "index.html").read_text(encoding="utf-8")
    for name in ("preset=accumulate", "trainer=ddp", "render=gan"):
        assert f"{name}</h3>" in settings or name in settings
    assert all(f"rib {verb}" in commands for verb in VERBS)
    assert "from 2 to 1024" in commands  # export's keyframes, out of the record
    assert "from_weights" in python


def test_every_cell_of_the_comparison_has_its_evidence() -> None:
    text = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
    _, rule, *rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    assert len(rule[0].split("|")) == 8
    assert len(rows) > 12
    for title, *theirs, ours in rows:
        assert len(theirs) == 6, title
        assert all("](https://" in cell for cell in theirs), title
        pages, tests = re.findall(r"\]\(([\w/]+\.md)\)", ours), re.findall(r"`(tests/[^`]+)`", ours)
        assert pages, title
        assert tests, title
        assert all((ROOT / "docs" / page).is_file() or page in MADE_PAGES for page in pages), title
        assert all((ROOT / test).is_file() for test in tests), title
        assert "**behind**" not in ours or len(ours.partition("**behind**")[2]) > 10, title


def test_what_was_not_tried_says_so_and_names_what_there_is() -> None:
    """No machine here has Docker or conda: what can be held is that their files fit the project."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    table = (ROOT / "docs" / "platforms.md").read_text(encoding="utf-8")
    for name in ("Dockerfile", "environment.yml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert text.startswith("# UNTRIED"), name
        assert re.search(rf"`{name}`[^|]*\| untried", table), name
        (extras,) = re.findall(r"\.\[([\w,]+)\]", text)
        assert set(extras.split(",")) <= project["optional-dependencies"].keys(), name
        for copied in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE):
            assert all((ROOT / path).exists() for path in copied.split()), copied


def test_pictures_and_films_of_the_site_are_small_and_shown() -> None:
    shown = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md"))
    files = [file for file in (ROOT / "docs").iterdir() if file.suffix in (".jpg", ".png", ".mp4", ".webm")]
    assert {file.name for file in files} >= {"walk.jpg", "walk.mp4", "hardest.jpg"}
    assert all(f'"{file.name}"' in shown or f"({file.name})" in shown for file in files)
    assert sum(file.stat().st_size for file in files) < 1_000_000
