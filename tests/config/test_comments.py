"""What a comment in conf/ says of a number is what its range says; units in names stand in comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from rib.config.annotations import hints_inside, ranges_in
from rib.config.paths import conf_dir
from rib.config.schema import ROOTS
from rib.config.sweeps.launchers import RANGES, plugin_annotations
from rib.io.settings.ranges import Range
from rib.io.settings.records import annotations_of_settings
from rib.io.settings.values import find_misfit
from rib.pipeline.settings import ChainSettings, VideoSettings

RECORDS = {**ROOTS, "chain/default": ChainSettings, "video/mp4": VideoSettings, "video/frames": VideoSettings}
LAUNCHERS = {"launch/joblib": "Joblib", "launch/slurm": "SlurmLauncher", "launch/ray": "Ray"}
UNITS = {
    "_px": r"\bpx\b|pixels", "_s": r"\bs\b|seconds?", "_deg": r"degrees", "_m": r"metres", "_hz": r"Hz",
    "_db": r"dB", "_gb": r"10\^9 bytes|gigabytes|GB", "_mpx": r"10\^6 pixels|megapixels|million pixels",
}  # fmt: skip

BETWEEN = re.compile(r"(?<!units of )(?<![\w.])(\d[\d.]*\d|\d)\.\.(\d[\d.]*\d|\d)")


@dataclass(frozen=True)
class Setting:
    """A line of conf/ that sets something, with what is written and what is declared about it."""

    file: str
    path: tuple[str, ...]
    value: Any
    comment: str
    before: str
    """The same, or the one above that also holds for this line."""
    hint: Any

    def __str__(self) -> str:
        return f"{self.file}: {'.'.join(self.path)}={self.value}  # {self.comment}"


def settings() -> Iterator[Setting]:
    for file in sorted(conf_dir().rglob("*.yaml")):
        yield from settings_of(file)


def settings_of(file: Path) -> Iterator[Setting]:
    name = str(file.relative_to(conf_dir()).with_suffix(""))
    content = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
    path: list[tuple[int, str]] = []
    comment, before = "", ""
    for line in file.read_text(encoding="utf-8").splitlines():
        found = re.match(r"( *)([\w/@]+):(?: (.*?))?(?: *# (.*))?$", line)
        if found is None:
            written = line.strip()
            comment = f"{comment} {written[1:].strip()}".strip() if written.startswith("#") else ""
            before = "" if not written else before
            continue
        indent, key, _, beside = found.groups()
        path = [*(step for step in path if step[0] < len(indent)), (len(indent), key)]
        before = beside or comment or before
        yield setting(name, tuple(step for _, step in path), content, beside or comment, before)
        comment = ""


def setting(name: str, path: tuple[str, ...], content: Any, comment: str, before: str) -> Setting:
    hints: Mapping[str, Any] = annotations_of_settings(RECORDS[name]) if name in RECORDS else {}
    if name in LAUNCHERS and path[:2] == ("hydra", "launcher"):
        hints = next(known for target, known in RANGES.items() if LAUNCHERS[name] in target)
        value = OmegaConf.select(OmegaConf.create(content), ".".join(path))
        return Setting(name, path, value, comment, before, hints.get(".".join(path[2:])))
    if name.startswith("hydra/"):
        value = content.get(path[-1]) if len(path) == 1 else None
        known = plugin_annotations(content["_target_"])
        return Setting(name, path, value, comment, before, known.get(path[-1]))
    if path[0] == "hydra":  # of packages that a recipe may not name
        return Setting(name, path, None, comment, before, None)
    node, hint = content, None
    for step in path:
        inner = hints_inside(node, hint) if isinstance(node, Mapping) else {}
        hint = (inner or hints).get(step)
        hints = {}
        node = node.get(step) if isinstance(node, Mapping) else None
    return Setting(name, path, node, comment, before, hint)


SETTINGS = list(settings())


def ends(range_: Range) -> tuple[float, float]:
    return max(range_.least, range_.above), min(range_.most, range_.below)


def test_numbers_and_words_that_a_comment_names_are_in_the_declared_range() -> None:
    wrong, num = [], 0
    for s in SETTINGS:
        if s.hint is None or isinstance(s.value, Mapping) or not ranges_in(s.hint):
            continue
        ranges = [ends(each) for each in ranges_in(s.hint)]
        claims = [tuple(map(float, between)) in ranges for between in BETWEEN.findall(s.comment)]
        claims += [float(a) in [low for low, _ in ranges] for a in re.findall(r"from (\d+) on\b", s.comment)]
        for word in re.findall(
            r"(?:^|[;,.] )(-?\d+|null|auto) (?:is|takes|for|leaves|draws|means)\b", s.comment
        ):
            given = {"null": None, "auto": "auto"}.get(word, word)
            given = int(given) if isinstance(given, str) and given != "auto" else given
            claims.append(find_misfit(given, s.hint) is None)
        num += len(claims)
        wrong += [str(s)] * (not all(claims))
    assert not wrong, "\n".join(wrong)
    assert num > 20


def test_a_share_lies_between_0_and_1() -> None:
    shares = [s for s in SETTINGS if s.hint is not None and re.match(r"(greatest )?share of", s.comment)]
    assert [str(s) for s in shares if any(not 0 <= x <= 1 for r in ranges_in(s.hint) for x in ends(r))] == []
    assert len(shares) > 15


def test_a_unit_in_a_name_stands_in_the_comment() -> None:
    named = [
        (s, unit) for s in SETTINGS for end, unit in UNITS.items()
        if s.path[-1].endswith(end) and not s.path[-1].endswith("_per_s") and s.value != float("inf")
        and not str(s.value).startswith("${")
    ]  # fmt: skip
    wrong = [str(s) for s, unit in named if s.value is not None and not re.search(unit, s.before)]
    assert not wrong, "\n".join(wrong)
    assert len(named) > 40


def test_every_number_of_a_recipe_of_ribs_has_a_declared_range() -> None:
    numbers = [s for s in SETTINGS if s.path[-1] != "_target_" and is_number(s.value) and s.hint is not None]
    assert [str(s) for s in numbers if not ranges_in(s.hint)] == []
    assert len(numbers) > 150


def is_number(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(map(is_number, value))
    return isinstance(value, int | float) and not isinstance(value, bool)
