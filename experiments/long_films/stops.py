"""A film whose run is killed at 55 and at 75 % of its segments, then finished: what does the third run cost?

python experiments/long_films/stops.py OUT [minutes=30] [settings of rib interpolate ...]

The film is that of run.py. It is made once without a stop; then by a run that is killed (SIGKILL) once 55 %
of the segments are there, one that is killed at 75 %, and one that nobody kills. Seconds are those of CPU,
so that other work on the machine plays no part.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from run import SETTINGS, write_clip

STOPS = (0.55, 0.75)
POLL_S = 0.02


def made(cache: Path) -> int:
    """How many segments are whole."""
    return len(list(cache.glob("segments-*/[0-9]*")))


def run(clip: Path, output: Path, cache: Path, settings: list[str], until: float) -> float:
    """CPU seconds of `rib interpolate`, killed once so many segments are there."""
    arguments = [f"input={clip}", f"output={output}", f"cache.dir={cache}", "quiet=true", *settings]
    process = subprocess.Popen([sys.executable, "-m", "rib.commands", "interpolate", *arguments])
    while True:
        done, code, used = os.wait4(process.pid, os.WNOHANG)
        if done:
            break
        if made(cache) >= until:
            process.kill()
            until = float("inf")
        time.sleep(POLL_S)
    if code not in (0, 9):
        raise SystemExit(f"the run ended with {code}")
    return used.ru_utime + used.ru_stime


def main() -> None:
    """See the module."""
    folder = Path(sys.argv[1])
    given = dict(one.split("=") for one in sys.argv[2:] if one.startswith("minutes="))
    settings = [one for one in sys.argv[2:] if not one.startswith("minutes=")] or list(SETTINGS)
    minutes = float(given.get("minutes", 30))
    folder.mkdir(parents=True, exist_ok=True)
    clip = folder / f"clip_{minutes:g}.mkv"
    if not clip.exists():
        write_clip(clip, minutes)
    never = float("inf")
    whole_s = run(clip, folder / "whole.mkv", folder / "cache_whole", [*settings, "overwrite=true"], never)
    film, cache = folder / "film.mkv", folder / "cache_film"
    summary = json.loads((folder / "whole.rib" / "summary.json").read_text())
    count = summary["segments"]["count"]
    spent, there = [], []
    for stop in (*STOPS, 2.0):
        spent.append(run(clip, film, cache, settings, stop * count))
        there.append(made(cache))
    last = json.loads((folder / "film.rib" / "summary.json").read_text())["segments"]
    left = 1 - last["made_before"] / count
    told = {
        "minutes": minutes, "settings": settings, "segments": count, "there_after_each_kill": there[:2],
        "cpu_s": {"whole": round(whole_s, 1), "three runs": [round(one, 1) for one in spent]},
        "left": round(left, 3), "third_of_whole": round(spent[2] / whole_s, 3),
    }  # fmt: skip
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
