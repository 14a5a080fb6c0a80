from __future__ import annotations

import json

import numpy as np
import pytest

from rib.pipeline.outputs.record import OutputRecord, PersonRecord, RecordNotes, shares_of_records
from rib.pipeline.synthesis.output_frames import OutputFrame


def test_pixels_are_a_mean_over_frames_and_an_interval_counts_once() -> None:
    record = OutputRecord()
    for interval, trusted in ((0, 0.0), (0, 0.3), (1, 0.0), (1, 0.0)):
        record.add(interval, trusted)
    assert record.shares() == {"trusted_pixels": pytest.approx(0.075), "trusted_intervals": 0.5}


def test_nothing_made_is_nothing_trusted() -> None:
    assert OutputRecord().shares() == {"trusted_pixels": 0.0, "trusted_intervals": 0.0}


def test_records_of_parts_add_up_to_the_whole() -> None:
    whole, parts = OutputRecord(), [OutputRecord(), OutputRecord()]
    for interval in range(6):
        for record in (whole, parts[interval // 3]):
            record.add(interval, interval / 10)
            record.pixels[interval] = 100
            record.people[interval][1] = PersonRecord(interval, 0.5, {"gate": 1.0})
    read = [OutputRecord.of(json.loads(json.dumps(part.plain()))) for part in parts]
    assert read == parts
    assert shares_of_records(read) == whole.shares()
    assert [one for part in read for one in part.intervals()] == list(whole.intervals())
    assert list(RecordNotes(read)) == whole.notes
    assert whole.take(range(3)) == parts[0]
    assert whole == parts[1]


def test_a_frame_is_trusted_where_its_map_is_above_one_half() -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    trust = np.array([[0.4, 0.5], [0.6, 1.0]], np.float32)
    assert OutputFrame(1, picture, -1, trust).trusted == 0.5
    assert OutputFrame(0, picture, 0).trusted == 0.0
