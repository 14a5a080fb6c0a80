import numpy as np
import pytest

from rib.mocap.recording import MocapRecording
from rib.mocap.resample import resample_recording


def moving(fps, frames, path):
    times_s = np.arange(frames) / fps
    return MocapRecording(
        "walk", path(times_s)[:, None, None] * np.ones((1, 2, 3)), ("a", "b"), fps, "s", "test"
    )


@pytest.mark.parametrize("fps", [120.0, 120.00004577636719, 119.99998])
def test_whole_multiples_keep_captured_frames_bit_by_bit(fps):
    recording = moving(fps, 9, np.sin)
    resampled = resample_recording(recording, 60)
    assert resampled.fps == 60
    np.testing.assert_array_equal(resampled.joints_m, recording.joints_m[::2])


def test_the_same_rate_changes_nothing():
    recording = moving(60.0, 5, np.sin)
    np.testing.assert_array_equal(resample_recording(recording, 60).joints_m, recording.joints_m)


@pytest.mark.parametrize("fps", [24.0, 59.94, 100.0, 250.0])
def test_a_cubic_in_time_is_met_exactly_at_any_rate(fps):
    def path(t):
        return 1 + 2 * t - 3 * t**2 + t**3

    resampled = resample_recording(moving(fps, 40, path), 60)
    np.testing.assert_allclose(resampled.joints_m, moving(60.0, len(resampled), path).joints_m, atol=1e-9)


@pytest.mark.parametrize("fps", [24.0, 100.0])
def test_the_result_ends_with_the_recording(fps):
    recording = moving(fps, 50, np.cos)
    resampled = resample_recording(recording, 60)
    assert resampled.duration_s <= recording.duration_s
    assert recording.duration_s - resampled.duration_s < 1 / 60


def test_one_frame_stays_one_frame():
    assert len(resample_recording(moving(100.0, 1, np.sin), 60)) == 1
