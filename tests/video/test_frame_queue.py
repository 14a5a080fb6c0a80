"""Frames that wait, in memory or on disk."""

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rib.video import FrameQueue, share_decoded_frames

FRAMES = list(np.random.default_rng(0).integers(0, 256, (12, 4, 5, 3), np.uint8))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 7), st.lists(st.booleans(), max_size=40))
def test_frames_come_out_in_order_wherever_they_waited(room: int, appends: list[bool]) -> None:
    queue, given_, taken = FrameQueue(memory_bytes=room * FRAMES[0].nbytes), 0, 0
    for append in appends:
        if append:
            queue.append(FRAMES[given_ % 12])
            given_ += 1
        elif queue:
            frame = queue.pop()
            assert np.array_equal(frame, FRAMES[taken % 12])
            assert frame.flags.writeable
            taken += 1
        assert len(queue) == given_ - taken
        assert queue.num_bytes == len(queue) * FRAMES[0].nbytes


def test_nothing_of_it_is_seen_in_the_folder(tmp_path: Path) -> None:
    queue = FrameQueue(tmp_path, memory_bytes=0)
    queue.append(FRAMES[0])
    assert list(tmp_path.iterdir()) == []


def test_several_share_one_walk_at_their_own_pace() -> None:
    taken = []
    walks = share_decoded_frames((taken.append(index) or frame for index, frame in enumerate(FRAMES)), 2)
    ahead = [next(walks[0]) for _ in range(5)]
    assert taken == [0, 1, 2, 3, 4]
    behind = list(walks[1])
    assert taken == list(range(12))
    for walk in ([*ahead, *walks[0]], behind):
        assert all(np.array_equal(a, b) for a, b in zip(walk, FRAMES, strict=True))
