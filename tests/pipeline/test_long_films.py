"""A film that is killed twice ends with the frames of one that was not, and its sound in step."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

STUDY = Path(__file__).parents[2] / "experiments" / "long_films" / "run.py"


@pytest.mark.slow
def test_a_film_that_was_killed_twice_goes_on_and_keeps_its_sound(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(STUDY), str(tmp_path), "minutes=10", "kills=2"],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["frames"] == 10 * 60 * 10
    assert told["kills"] >= 1  # the second may come too late on a machine that has more time than before
    assert told["same_frames"] is True
    assert told["worst_sound_offset_s"] <= 0.05
    assert told["worst_sound_offset_after_kills_s"] <= 0.05
