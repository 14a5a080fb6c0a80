import numpy as np
import pytest

from rib.io.errors import RibError
from rib.mocap.readers.asf import INCH_M, amc_positions, asf_file_of_amc, read_amc, read_asf

ASF = """# a comment
:version 1.10
:name VICON
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
   free text: nothing to see
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name thigh
     direction 0 -1 0
     length 2
     axis 0 0 90  XYZ
    dof rx rz
    limits (-160.0 20.0)
           (-70.0 70.0)
  end
  begin
     id 2
     name stub
     direction 1 0 0
     length 3
     axis 0 0 0   XYZ
  end
:hierarchy
  begin
    root thigh
    thigh stub
  end
"""
AMC = """#!OML:ASF somewhere
:FULLY-SPECIFIED
:DEGREES
1
root 1 2 3 0 0 0
thigh 0 0
2
root 0 0 0 0 0 90
thigh 90 0
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "07.asf").write_text(ASF)
    (tmp_path / "07_01.amc").write_text(AMC)
    return tmp_path


def test_known_positions(folder):
    skeleton = read_asf(folder / "07.asf")
    rest, moved = amc_positions(skeleton, read_amc(folder / "07_01.amc", skeleton))
    assert [bone.name for bone in skeleton.bones] == ["root", "thigh", "stub"]
    np.testing.assert_allclose(rest, [[1, 2, 3], [1, 0, 3], [4, 0, 3]], atol=1e-12)
    # the thigh's own x axis is the parent's y (axis 0 0 90), about which the thigh itself does not move but
    # the stub turns from x to -z; then the root turns everything about z
    np.testing.assert_allclose(moved, [[0, 0, 0], [2, 0, 0], [2, 0, -3]], atol=1e-12)


def test_the_file_states_its_unit(folder):
    assert read_asf(folder / "07.asf").metres_per_unit == pytest.approx(INCH_M / 0.45)


def test_radians_are_honoured(folder):
    degrees = read_asf(folder / "07.asf")
    moved = amc_positions(degrees, read_amc(folder / "07_01.amc", degrees))
    (folder / "07.asf").write_text(
        ASF.replace("angle deg", "angle rad").replace("0 0 90 ", f"0 0 {np.pi / 2} ")
    )
    (folder / "07_01.amc").write_text(AMC.replace("90", str(np.pi / 2)))
    radians = read_asf(folder / "07.asf")
    np.testing.assert_allclose(
        amc_positions(radians, read_amc(folder / "07_01.amc", radians)), moved, atol=1e-9
    )


def test_a_motion_finds_its_skeleton(folder):
    assert asf_file_of_amc(folder / "07_01.amc").name == "07.asf"
    assert asf_file_of_amc(folder / "walk.amc").name == "07.asf"
    (folder / "08.asf").write_text(ASF)
    with pytest.raises(RibError, match=r"put walk\.asf beside it"):
        asf_file_of_amc(folder / "walk.amc")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (AMC.replace("thigh 90 0\n", ""), "lacks the bone 'thigh'"),
        (AMC.replace("thigh 90 0", "thigh 90"), "not a whole AMC"),
        (AMC.replace("0 0 90", "0 0 x"), "not a whole AMC"),
        (":DEGREES\n", "holds no frame"),
    ],
)
def test_damaged_motions_are_one_clear_line(folder, broken, message):
    (folder / "07_01.amc").write_text(broken)
    with pytest.raises(RibError, match=message):
        read_amc(folder / "07_01.amc", read_asf(folder / "07.asf"))


@pytest.mark.parametrize(
    "broken",
    ["", ASF.replace("length 2", "length"), ASF.replace("root thigh", ""), ASF.replace(":units", ":unit")],
)
def test_damaged_skeletons_are_one_clear_line(folder, broken):
    (folder / "07.asf").write_text(broken)
    with pytest.raises(RibError, match="not a whole ASF"):
        read_asf(folder / "07.asf")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("thigh stub", "thigh stub\n    stub thigh"), "hangs in two places"),
        (("thigh stub", "stub stub"), "hangs in two places|outside the hierarchy"),
        (("length 0.45", "length 0"), "length 0"),
        (("dof rx rz", "dof rx rx"), "dof rx rx"),
        (("0 0 90  XYZ", "0 0 90  XXZ"), "axis 'XXZ'"),
        (("direction 0 -1 0", "direction 0 1e300 0"), r"holds 1e\+300"),
        (("direction 0 -1 0", "direction 0 -1"), "2 numbers where 3"),
    ],
)  # fmt: skip
def test_a_skeleton_that_is_none_is_refused_in_one_line(folder, change, message):
    (folder / "07.asf").write_text(ASF.replace(*change))
    with pytest.raises(RibError, match=message):
        read_asf(folder / "07.asf")


def test_a_motion_that_lacks_a_frame_is_refused(folder):
    (folder / "07_01.amc").write_text(AMC.replace("\n2\n", "\n3\n"))
    with pytest.raises(RibError, match="not numbered one by one"):
        read_amc(folder / "07_01.amc", read_asf(folder / "07.asf"))
