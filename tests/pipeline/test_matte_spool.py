"""Mattes that wait until it is known where they are kept."""

from pathlib import Path

import cv2
import numpy as np

from rib.pipeline.analysis.matte_spool import AnalysisMatteSpool


def test_what_was_added_by_turns_is_written_by_person(tmp_path: Path) -> None:
    mattes = np.random.default_rng(0).integers(0, 256, (2, 5, 6, 7)).astype(np.float32) / 255
    spool = AnalysisMatteSpool(tmp_path)
    for moment in range(5):
        for person in (1, 2):
            spool.add(person, mattes[person - 1, moment])
    assert list(tmp_path.iterdir()) == []
    assert 1 in spool
    assert 3 not in spool
    for person in (2, 1):
        (tmp_path / str(person)).mkdir()
        spool.write(person, tmp_path / str(person))
        stored = [
            cv2.imread(str(p), cv2.IMREAD_GRAYSCALE) for p in sorted((tmp_path / str(person)).iterdir())
        ]
        np.testing.assert_array_equal(np.stack(stored), np.round(mattes[person - 1] * 255))
    spool.close()
