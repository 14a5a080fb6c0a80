"""The field's words in the place of our own: those that went do not come back."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("rib", "conf", "docs", "experiments")
WORDS = {
    r"[Rr]ehears\w*|JUDGES": "hold-out validation, holdouts",
    r"Meeting\b": "rendezvous",
    r"told\(": "summary()",
    r"[Ss]ight(?:s|ing|ings)?\b(?! of)": "observation, view",
    r"[Pp]uppet\w*": "layered skinning",
    r"[Oo]pponents?\b|[Jj]udgements?\b|looks_at\b|labelled\b": "discriminator, logits, sees, conditional",
    r"(?:\w+_)?[Gg]aps?(?:_\w+)?\b": "interval between keyframes, missing span of a track",
    r"[Cc]rowd\b": "PeopleDetector",
    r"look_in_mirror|untangle|steadily": "flip augmentation, fix_left_right_swaps, trim_memory",
    r"PROBES|bumps\b": "query times, residual basis",
    r"final_share|averaged_weights": "min_lr_ratio, ema",
    r"(?:rows|picture|video|skeleton)_?(?:logger|panels)\b": "CSV logger, image logging, video logging",
    r"renderer_drawn|data=drawings|drawings\.h5": "refiner dataset, samples",
    r"(?:self|config|net|module|scenes)\.labels\b|\blabels:": "conditioning maps",
}
"""Words of earlier releases, and what is said today."""
EXEMPT = {
    "rib/config/renamed.py": "settings of the last release",
    "rib/io/renamed.py": "names in files of the last release",
    "rib/training/ema.py": "weights in files of the last release",
    "rib/io/registry.py": "arguments in files of the last release",
    "rib/engine/settings.py": "paths in settings of the last release",
}
LEFT = re.compile(r"net_gaps|_gaps\"|Opponent, \w+|street_crowd")
"""What a summary is called until the next release, and names of others."""
OLD = re.compile("|".join(rf"(?:\b(?:{word}))" for word in WORDS))


def test_words_that_went_do_not_come_back() -> None:
    found = []
    for path in (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*"))):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in (".py", ".md", ".yaml") and name not in EXEMPT:
            text = LEFT.sub("", path.read_text(encoding="utf-8"))
            found += [f"{name}: {match[0]}" for match in OLD.finditer(text)]
    assert found == [], "\n".join(f"{old}: say {new}" for old, new in WORDS.items())
