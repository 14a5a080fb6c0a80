from __future__ import annotations

import pickle

import numpy as np
from clip_module import PAINTED, painted

from rib.clips.synthetic import SyntheticClips
from rib.structures.skeleton import BODY19


def test_the_same_seed_paints_the_same_people_and_another_seed_others() -> None:
    again, other = SyntheticClips(**PAINTED), SyntheticClips(**{**PAINTED, "seed": 1})
    window = painted().window("synthetic_001", 2, 5)
    np.testing.assert_array_equal(window.frames, again.window("synthetic_001", 2, 5).frames)
    assert (window.frames != other.window("synthetic_001", 2, 5).frames).any()


def test_a_clip_does_not_depend_on_how_many_there_are() -> None:
    more = SyntheticClips(**{**PAINTED, "count": 5})
    ours, theirs = (store.window("synthetic_000", 0, 3) for store in (painted(), more))
    np.testing.assert_array_equal(ours.frames, theirs.frames)


def test_joints_lie_on_the_painted_person() -> None:
    for name in painted().names:
        window = painted().window(name, 0, 10)
        for pose, mask in zip(window.poses, window.masks, strict=True):
            x, y = pose[:, :2].astype(int).T
            inside = (x >= 0) & (x < mask.shape[1]) & (y >= 0) & (y < mask.shape[0])
            assert inside[BODY19.index("mid_hip")]
            assert (mask[y[inside], x[inside]] > 60).mean() > 0.9


def test_outside_the_mask_nothing_moves_and_inside_it_does() -> None:
    window = painted().window("synthetic_002", 0, 10)
    never = (window.masks == 0).all(0)
    assert (window.frames[:, never] == window.frames[0, never]).all()
    assert 0.03 < (window.masks > 0).mean() < 0.5
    assert (np.ptp(window.frames.astype(int), axis=0)[~never].max(-1) > 20).mean() > 0.3


def test_a_background_is_the_mean_of_the_frames_around() -> None:
    window = painted().window("synthetic_000", 3, 4)
    frames = window.frames.astype(float)
    np.testing.assert_allclose(window.backgrounds, (frames[:-2] + frames[2:]) / 2, atol=0.5)


def test_a_store_travels_to_another_process() -> None:
    copy = pickle.loads(pickle.dumps(painted()))
    ours, theirs = (store.window("synthetic_000", 0, 3) for store in (painted(), copy))
    np.testing.assert_array_equal(ours.frames, theirs.frames)
