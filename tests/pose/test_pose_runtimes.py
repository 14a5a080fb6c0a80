"""The two runtimes of the pose networks see the same."""

from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from rib.io.errors import RibError
from rib.io.weights.model_packages import require_model_package
from rib.pose.detectors.networks import PoseRuntime
from rib.video import open_frame_source

CLIP = Path(__file__).parents[3] / "shared/data/video/pose2sim_single_cam01.mp4"
MEDIAPIPE, TORCH = PoseRuntime("mediapipe", "cpu"), PoseRuntime("torch", "cpu")


@pytest.fixture(scope="module")
def looks():
    """Pictures, and the squares of the people in them."""
    pytest.importorskip("tflite", reason="the schema of the nets' files is not installed: type make install")
    try:
        require_model_package("mediapipe")
    except RibError as error:
        pytest.skip(str(error))
    if not CLIP.exists():
        pytest.skip(f"the clip {CLIP.name} is not beside this checkout (../shared/data/video)")
    pictures = list(islice(open_frame_source(CLIP), 0, 36, 12))
    with closing(MEDIAPIPE.person_network()) as find:
        return [(picture, find(picture)) for picture in pictures]


@pytest.mark.slow
def test_both_runtimes_find_the_same_people(looks):
    find = TORCH.person_network()
    for picture, squares in looks:
        found = find(picture)
        assert len(found) == len(squares)
        for one, other in zip(found, squares, strict=True):
            np.testing.assert_allclose(one.centre_px, other.centre_px, atol=1e-2)
            assert one.side_px == pytest.approx(other.side_px, abs=2e-2)


@pytest.mark.slow
def test_both_runtimes_see_the_same_landmarks_and_masks_also_of_many_at_once(looks):
    pairs = [(picture, square) for picture, squares in looks for square in squares]
    assert pairs
    with closing(MEDIAPIPE.body_network(False, True, 512)) as network:
        expected = network.in_each(pairs)
    found = TORCH.body_network(False, True, 512).in_each(pairs)
    for (_, square), one, other in zip(pairs, found, expected, strict=True):
        assert (one is None) == (other is None)
        if one is None or other is None:
            continue
        np.testing.assert_allclose(one.points, other.points, atol=1e-3 * square.side_px)
        np.testing.assert_allclose(one.visibility, other.visibility, atol=1e-3)
        off = np.abs(one.mask - other.mask)  # on an edge a sample that is rounded the other way
        assert off.max() < 0.05
        assert (off > 1e-3).mean() < 1e-3


@pytest.mark.slow
def test_both_runtimes_see_the_same_hands(looks):
    """A fresh network each time: the package's looks for a hand where it was the last time."""
    picture, squares = looks[0]
    with closing(MEDIAPIPE.body_network(True, False, 512)) as network:
        expected = network(picture, squares[0])
    found = TORCH.body_network(True, False, 512)(picture, squares[0])
    for one, other in ((found.left_hand, expected.left_hand), (found.right_hand, expected.right_hand)):
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_allclose(one, other, atol=1e-3 * squares[0].side_px)
