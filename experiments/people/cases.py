"""Write cases.json: every clip of real people at the strides nearest to 15, 7.5 and 4 keyframes a second.

python experiments/people/cases.py DATA

DATA holds people/, people_test/, video/ and dev_cases.json. Clips are 320 px high and have at most 97 frames,
those in the middle; the old clips keep the parts and strides that they were first judged on.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rib.video import open_frame_source

HERE = Path(__file__).parent
HEIGHT_PX, MAX_FRAMES, RATES = 320, 97, (15.0, 7.5, 4.0)
KINDS = {
    "several": ("videomimic_two", "raga_3", "street_crowd", "edgetam_cyclist", "walking_man"),
    "moving camera": ("davis_", "edgetam_skate", "edgetam_snow"),
    "upper body": ("intel_asl", "sign_pose", "edgetam_cups", "asl"),
    "falls and bends": ("gmdcsa_s1", "gmdcsa_s3_fall", "gmdcsa_s4"),
}
"""By the beginning of a clip's name; all others show one whole person before a camera that stands still."""
RECORDINGS = ("intel_asl", "gmdcsa_s1", "gmdcsa_s3", "gmdcsa_s4", "pose2sim", "raga", "videomimic")
"""Clips that begin alike were filmed together: rules are judged on recordings left out."""


def strides(fps: float, num_frames: int) -> list[int]:
    """The different strides that come nearest to `RATES` and leave three keyframes at least."""
    nearest = {max(2, round(fps / rate)) for rate in RATES}
    return sorted(stride for stride in nearest if 2 * stride < num_frames)


def kind_of(name: str) -> str:
    """See `KINDS`."""
    return next((kind for kind, begin in KINDS.items() if name.startswith(begin)), "one person")


def cases(data: Path) -> dict[str, dict[str, Any]]:
    """Every clip by its name."""
    found: dict[str, dict[str, Any]] = {}
    for name, case in json.loads((data / "dev_cases.json").read_text()).items():
        kept = {key: case[key] for key in ("recording", "first", "count", "crop_xywh", "size_wh", "strides")}
        found[name] = {"video": f"video/{case['video']}", "kind": kind_of(name), "judge": False, **kept}
    for folder in ("people", "people_test"):
        for path in sorted((data / folder).glob("*.m*")):
            if path.suffix in (".mp4", ".mkv"):
                found[path.stem] = _whole(path, folder)
    return found


def _whole(path: Path, folder: str) -> dict[str, Any]:
    source = open_frame_source(path)
    width, height = source.size_px
    count = min(MAX_FRAMES, len(source))
    name = path.stem
    return {
        "video": f"{folder}/{path.name}",
        "kind": kind_of(name),
        "judge": folder == "people_test",
        "recording": next((begin for begin in RECORDINGS if name.startswith(begin)), name),
        "first": (len(source) - count) // 2,
        "count": count,
        "crop_xywh": None,
        "size_wh": [2 * round(width * HEIGHT_PX / height / 2), HEIGHT_PX],
        "strides": strides(float(source.fps), count),
    }


if __name__ == "__main__":
    listing = cases(Path(sys.argv[1]))
    lines = [f" {json.dumps(name)}: {json.dumps(case)}" for name, case in listing.items()]
    (HERE / "cases.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(len(listing), "clips,", sum(len(case["strides"]) for case in listing.values()), "settings")
