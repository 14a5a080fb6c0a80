import numpy as np
import pytest

from rib.pose.matting import guided_filter, keep_matte_touching_joints, steepen_matte


def two_colours(edge_px: int) -> np.ndarray:
    picture = np.full((40, 60, 3), (30, 90, 40), np.uint8)
    picture[:, edge_px:] = (200, 120, 90)
    return picture


def test_steepening_keeps_order_and_moves_the_centre_to_one_half():
    values = np.linspace(0, 1, 101, dtype=np.float32)
    steep = steepen_matte(values, centre=0.35, gain=3.0)
    assert (np.diff(steep) >= 0).all()
    assert steep[35] == pytest.approx(0.5, abs=1e-3)
    assert steep.min() < 1e-3
    assert steep.max() > 1 - 1e-3


def test_gain_one_about_one_half_changes_nothing():
    values = np.linspace(0.01, 0.99, 50, dtype=np.float32)
    np.testing.assert_allclose(steepen_matte(values, centre=0.5, gain=1.0), values, atol=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_a_constant_mask_stays_as_it_is(value):
    picture = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    mask = np.full((30, 40), value, np.float32)
    np.testing.assert_allclose(guided_filter(picture, mask, 3, 1e-4), mask, atol=1e-3)


def test_a_blurred_edge_jumps_where_the_picture_does():
    blurred = np.clip((np.arange(60)[None] - 24) / 12, 0, 1).repeat(40, axis=0).astype(np.float32)
    found = guided_filter(two_colours(30), blurred, 6, 1e-4)
    jumps = np.abs(np.diff(found, axis=1)).mean(axis=0)
    assert jumps.argmax() == 29
    assert jumps[29] > 4 * np.diff(blurred, axis=1)[0, 29]


def test_a_mask_that_follows_the_picture_stays():
    truth = (np.arange(60)[None] >= 30).repeat(40, axis=0).astype(np.float32)
    np.testing.assert_allclose(guided_filter(two_colours(30), truth, 4, 1e-6), truth, atol=1e-3)


def test_only_islands_under_the_joints_stay():
    mask = np.zeros((40, 60), np.float32)
    mask[5:30, 5:20] = 1
    mask[10:20, 40:50] = 0.8
    kept = keep_matte_touching_joints(mask, np.array([[10.5, 10.5]]), level=0.2)
    assert kept[5:30, 5:20].min() == 1
    assert kept[:, 30:].max() == 0


def test_islands_stay_where_no_joint_lies_on_any():
    mask = np.zeros((40, 60), np.float32)
    mask[5:30, 5:20] = 1
    np.testing.assert_array_equal(
        keep_matte_touching_joints(mask, np.array([[-5.0, 3.0], [50.0, 35.0]]), level=0.2), mask
    )


def test_filtered_some_rows_at_a_time_is_filtered_at_once() -> None:
    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (70, 40, 3), dtype=np.uint8)
    mask = random.random((70, 40), dtype=np.float32)
    whole = guided_filter(picture, mask, 3, 1e-3)
    np.testing.assert_allclose(guided_filter(picture, mask, 3, 1e-3, at_once_px=40 * 13), whole, atol=1e-6)
