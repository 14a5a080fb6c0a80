import numpy as np
import pytest

from rib.io.errors import RibError
from rib.mocap.readers.bvh import bvh_nominal_fps, bvh_positions, read_bvh

ARM = """HIERARCHY
ROOT my hip
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT elbow
  {
    OFFSET 1 0 0
    CHANNELS 3 Xrotation Zrotation Yrotation
    End Site
    {
      OFFSET 0 2 0
    }
  }
}
ROOT prop
{
  OFFSET 5 5 5
  CHANNELS 6 Zposition Xposition Yposition Yrotation Xrotation Zrotation
  JOINT slider {
    OFFSET 9 9 9
    CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
    End Site { OFFSET 0 0 1 }
  }
}
MOTION
Frames: 2
Frame Time: 0.008333
0 0 0 0 0 0  0 0 0  3 1 2 0 0 0  0 1 0 0 0 0
1 2 3 90 0 0  0 90 0  3 1 2 90 0 0  0 1 0 0 0 0
"""


def turn(axis, degrees):
    a, b = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    angle = np.deg2rad(degrees)
    matrix[a, a] = matrix[b, b] = np.cos(angle)
    matrix[a, b], matrix[b, a] = -np.sin(angle), np.sin(angle)
    return matrix


@pytest.fixture
def write(tmp_path):
    def _write(text):
        path = tmp_path / "clip.bvh"
        path.write_text(text)
        return path

    return _write


def test_known_positions(write):
    bvh = read_bvh(write(ARM))
    assert bvh.names == ["my hip", "elbow", "elbow_end", "prop", "slider", "slider_end"]
    assert bvh.parents == [-1, 0, 1, -1, 3, 4]
    rest, moved = bvh_positions(bvh)
    np.testing.assert_allclose(
        rest, [[0, 0, 0], [1, 0, 0], [1, 2, 0], [1, 2, 3], [1, 3, 3], [1, 3, 4]], atol=1e-12
    )
    # the hip's z turn lifts the elbow; a second z turn, the elbow's own, turns its end downwards
    np.testing.assert_allclose(moved[:3], [[1, 2, 3], [1, 3, 3], [1, 1, 3]], atol=1e-12)
    # position channels replace the slider's offset; the prop's y turn sends z to x
    np.testing.assert_allclose(moved[3:], [[1, 2, 3], [1, 3, 3], [2, 3, 3]], atol=1e-12)


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_rotation_channels_multiply_in_the_files_order(write, order):
    angles = (20.0, -35.0, 110.0)
    text = f"""HIERARCHY
ROOT a {{ OFFSET 0 0 0 CHANNELS 3 {" ".join(f"{axis}rotation" for axis in order)}
End Site {{ OFFSET 1 2 3 }} }}
MOTION
Frames: 1
Frame Time: 0.04
{" ".join(map(str, angles))}
"""
    expected = np.linalg.multi_dot([turn(axis.lower(), a) for axis, a in zip(order, angles, strict=True)])
    np.testing.assert_allclose(bvh_positions(read_bvh(write(text)))[0, 1], expected @ [1, 2, 3], atol=1e-12)


@pytest.mark.parametrize(
    ("frame_time", "fps"),
    [
        ("0.00833333", 120),
        ("0.008333", 120),
        ("0.0083333", 120),
        ("0.0166667", 60),
        ("0.0333333", 30),
        ("0.0333", 30),
        ("0.04", 25),
        ("0.01", 100),
        ("0.016683", 1 / 0.016683),
    ],
)
def test_rounded_frame_times_give_the_rate_they_were_rounded_from(frame_time, fps):
    assert bvh_nominal_fps(frame_time) == fps


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("nonsense", "no MOTION"),
        (ARM[:-4], "whole number of frames"),
        (ARM.replace("OFFSET 1 0 0", "OFFSET 1 0"), "not a whole BVH"),
        (ARM.replace("OFFSET 0 0 1 }", "OFFSET 0 0 1"), "not a whole BVH"),
        (ARM[: ARM.index("Frame Time")], "not a whole BVH"),
        (ARM.replace("0.008333", "0"), "not a whole BVH"),
        (ARM.replace("OFFSET", "OFF" + 3000 * "\0", 1), r"the hierarchy holds 'OFF.{140,160}'"),
    ],
)
def test_damaged_files_are_one_clear_line(write, broken, message):
    with pytest.raises(RibError, match=message):
        read_bvh(write(broken))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("Frames: 2", "Frames: 3"), "says that it has 3 frames and ends after 2"),
        (("CHANNELS 3 ", "CHANNELS 1000000000 "), "1000000000 channels"),
        (("Xrotation Zrotation Yrotation", "Xrotation Xrotation Yrotation"), "turns about x, x, y"),
        (("Xrotation Zrotation Yrotation", "Xrotation Zrotation Yscale"), "no channel 'yscale'"),
        (("OFFSET 1 0 0", "OFFSET 1 nan 0"), "NaN"),
        (("1 2 3 90", "1 2 1e300 90"), r"1e\+300"),
    ],
)  # fmt: skip
def test_a_file_that_was_written_to_do_harm_is_refused_in_one_line(write, change, message):
    with pytest.raises(RibError, match=message):
        read_bvh(write(ARM.replace(*change)))
