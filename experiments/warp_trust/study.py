"""Is the threshold of the verdict good for recordings that had no part in its choice?

    python run.py data=DATA out=OPEN render.trust.threshold=-9 render.trust.holdout_weight=0 \
        render.trust.colour_weight=0                                # every interval open, all cases ...
    python run.py data=DATA out=OPEN view=more list=more.json ...   # ... and further strides, so too
    python study.py out=OPEN [margin=0.15]

Opening an interval replaces RIFE's frames by the drawn ones: the outcome of any rule follows from these runs.
A threshold is chosen on some recordings as the lowest from which on no setting of theirs is out of bound
(person 0.1 dB or 0.002 LPIPS, full frame 0.001 LPIPS below RIFE), plus a margin; for the rule as it ships,
by the outline alone: what speaks against an interval only closes more.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SCORES = ("psnr_person", "lpips_person", "lpips_full")
GRID = np.round(np.arange(0, 1.51, 0.05), 2)
MUST = {"walk_4", "walk_8", "jacks_4", "balance_16"}
Rule = Callable[[dict[str, float]], float]
SHIPPED = "outline less what speaks against, as shipped"
RULES: dict[str, Rule] = {
    SHIPPED: lambda e: e["outline"] + min(e["colour"], 0) + _lost(e),
    "outline less hold-out lost": lambda e: e["outline"] + _lost(e),
    "outline less colour lost": lambda e: e["outline"] + min(e["colour"], 0),
    "outline alone": lambda e: e["outline"],
    "colour + outline": lambda e: e["colour"] + e["outline"],
    "colour alone": lambda e: e["colour"],
    "hold-outs alone, dB": lambda e: e["holdout_db"],
    "colour + outline + 0.2 hold-out": lambda e: (
        e["colour"] + e["outline"] + 0.2 * float(np.clip(e["holdout_db"], -1, 1))
    ),
}


def _lost(evidence: dict[str, float]) -> float:
    return float(np.clip(evidence["holdout_db"] or 0.0, -1, 0))


@dataclass(frozen=True)
class Setting:
    """A clip at a stride, every interval open.

    Attributes:
        name: With the view it was seen in.
        recording: What it was filmed with.
        evidence: (G) of each interval that was drawn, or None.
        change: (G, 3) what each interval adds to the change of the clip's mean `SCORES`.
        rife_lpips: RIFE's mean LPIPS over the person.
    """

    name: str
    recording: str
    evidence: list[dict[str, float] | None]
    change: np.ndarray
    rife_lpips: float

    def outcome(self, rule: Rule, threshold: float) -> tuple[np.ndarray, float]:
        """Change of the mean scores, and the share of intervals open."""
        gate = np.array([e is not None and rule(e) >= threshold for e in self.evidence])
        return (self.change * gate[:, None]).sum(0), float(gate.mean())

    def in_bound(self, rule: Rule, threshold: float) -> bool:
        """Whether RIFE is nowhere better by more than is allowed."""
        (db, lpips, full), _ = self.outcome(rule, threshold)
        return bool(db >= -0.1 and lpips <= 0.002 and full <= 0.001)


def load(path: Path) -> Setting:
    """One `result.json` of `run.py`."""
    result = json.loads(path.read_text())
    stride, found = result["stride"], result["told"]["intervals"]
    rife, warp = (result[name]["frames"] for name in ("rife", "warp"))
    num = 1 + max(row["frame"] for row in rife) // stride
    change = np.zeros((num, len(SCORES)))
    for number, score in enumerate(SCORES):
        rows = [
            (a["frame"] // stride, b[score] - a[score]) for a, b in zip(rife, warp, strict=True) if score in a
        ]
        for interval, difference in rows:
            change[interval, number] += difference / len(rows)
    evidence = [found.get(str(interval)) for interval in range(num)]
    mean = result["rife"]["summary"].get("lpips_person", float("nan"))
    return Setting(f"{path.parent.parent.name} {result['case']}", result["recording"], evidence, change, mean)


def lowest_safe(settings: list[Setting], rule: Rule) -> float:
    """The lowest threshold of the grid from which on all settings are in bound."""
    safe = [all(s.in_bound(rule, threshold) for s in settings) for threshold in GRID]
    unsafe = [float(t) for t, good in zip(GRID, safe, strict=True) if not good]
    return max(unsafe) + float(GRID[1]) if unsafe else float(GRID[0])


def print_rule(name: str, settings: list[Setting], rule: Rule, margin: float) -> None:
    """A row for each recording left out, and one for all."""
    recordings = sorted({s.recording for s in settings})
    by = RULES["outline alone"] if name == SHIPPED else rule
    low = {r: lowest_safe([s for s in settings if s.recording == r], by) for r in recordings}
    print(f"\n{name}: lowest safe threshold " + ", ".join(f"{r} {t:.2f}" for r, t in low.items()))
    for left_out in [*recordings, None]:
        chosen = max(t for r, t in low.items() if r != left_out) + margin
        judged = [s for s in settings if left_out in (None, s.recording)]
        outside = [s.name for s in judged if not s.in_bound(rule, chosen)]
        changes = [s.outcome(rule, chosen)[0] for s in judged]
        gain = f"{np.mean([c[0] for c in changes]):+.2f} dB"
        share = np.mean([c[1] / s.rife_lpips for c, s in zip(changes, judged, strict=True)])
        cells = left_out or "(none)", f"{chosen:.2f}", ", ".join(outside) or "none", f"{gain}, {share:+.0%}"
        print(f"| {' | '.join(cells)} |")


def main(arguments: list[str]) -> None:
    """See the module."""
    given = dict(argument.split("=", 1) for argument in arguments)
    settings = [load(path) for path in sorted(Path(given["out"]).glob("*/*/result.json"))]
    margin = float(given.get("margin", 0.15))
    for name, rule in RULES.items():
        print_rule(name, settings, rule, margin)
    name, rule = SHIPPED, RULES[SHIPPED]
    print(f"\n{name}, by threshold: dB, LPIPS of RIFE's, intervals open")
    for setting in settings:
        cells = []
        for threshold in (0.3, 0.4, 0.5, 0.55, 0.6, 0.7):
            (db, lpips, _), share = setting.outcome(rule, threshold)
            cells.append(f"{db:+.2f} {lpips / setting.rife_lpips:+.0%} {share:.2f}")
        print(f"| {setting.name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])
