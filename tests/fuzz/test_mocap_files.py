"""Motion capture of strangers, through `rib prepare`: BVH, ASF/AMC and joint files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from harness import FUZZ, Campaign
from hypothesis import given
from hypothesis import strategies as st
from mutations import RAW, spoiled_bytes, spoiled_text

from rib.mocap.synthetic import synthetic_mocap_recordings

CHAINS = [
    ["Spine", "Head"],
    *(
        [f"{name}_{side}" for name in chain]
        for side in "LR"
        for chain in (["UpperArm", "LowerArm", "Hand"], ["UpperLeg", "LowerLeg", "Foot", "Toes"])
    ),
]
"""A skeleton that `rib` knows, limb by limb."""


def bvh(frames: int = 3) -> str:
    """A person who bends a little."""
    lines = ["HIERARCHY", "ROOT Hips {", "OFFSET 0 90 0"]
    lines += ["CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation"]
    for place, chain in enumerate(CHAINS):
        for joint in chain:
            lines += [f"JOINT {joint} {{", f"OFFSET {10 * place - 20} {20 + place} 5"]
            lines += ["CHANNELS 3 Zrotation Yrotation Xrotation"]
        lines += ["End Site {", "OFFSET 0 5 0", "}", *["}"] * len(chain)]
    numbers = 6 + 3 * sum(map(len, CHAINS))
    motion = [" ".join(str(frame + n % 7) for n in range(numbers)) for frame in range(frames)]
    return "\n".join([*lines, "}", "MOTION", f"Frames: {frames}", "Frame Time: 0.0166667", *motion])


BONES = {
    "root": ["lowerback", "lhipjoint", "rhipjoint"],
    "lowerback": ["upperneck", "lclavicle", "rclavicle"],
    "upperneck": ["head"],
    **{
        f"{side}{a}": [f"{side}{b}"]
        for side in "lr"
        for a, b in [
            ("clavicle", "humerus"), ("humerus", "radius"), ("radius", "hand"), ("hipjoint", "femur"),
            ("femur", "tibia"), ("tibia", "foot"),
        ]
    },
}  # fmt: skip


def asf() -> str:
    """CMU's skeleton, the bones that matter."""
    bones = [
        f"begin\nid {n}\nname {name}\ndirection 0 1 {n % 3}\nlength {2 + n}\n"
        f"axis 0 0 {n} XYZ\ndof rx ry rz\nend"
        for n, name in enumerate(bone for children in BONES.values() for bone in children)
    ]
    tree = [" ".join([parent, *children]) for parent, children in BONES.items()]
    return "\n".join(
        [
            ":version 1.10", ":units", "mass 1.0", "length 0.45", "angle deg", ":root",
            "order TX TY TZ RX RY RZ", "axis XYZ", "position 0 0 0", "orientation 0 0 0", ":bonedata", *bones,
            ":hierarchy", "begin", *tree, "end",
        ]
    )  # fmt: skip


def amc(frames: int = 3) -> str:
    """A motion of that skeleton."""
    names = [bone for children in BONES.values() for bone in children]
    moments = [
        [str(frame), "root 1 2 3 4 5 6", *(f"{name} {frame} 2 3" for name in names)]
        for frame in range(1, frames + 1)
    ]
    return "\n".join([":FULLY-SPECIFIED", ":DEGREES", *(line for moment in moments for line in moment)])


JOINTS_JUNK = {
    "joints": [np.zeros((0, 19, 3)), np.zeros((3, 18, 3)), np.full((3, 19, 3), np.nan),
               np.full((3, 19, 3), 1e300), np.array(["x"]), np.zeros((3, 19, 3), complex),
               np.zeros(()), np.zeros((3, 19, 3), bool)],
    "fps": [np.array(0.0), np.array(np.nan), np.array(1e-9), np.array(1e300), np.array("x"), np.zeros(3)],
    "names": [np.array(["a"]), np.zeros(19), np.array("x"), np.array(["nose"] * 19), np.zeros((0,))],
    "name": [np.zeros(3), np.array("../../x"), np.array("a\nb")],
    "made_up": [np.array(3), np.array(["nobody"]), np.zeros((2, 2))],
}  # fmt: skip


def joints(**changes: np.ndarray) -> bytes:
    """An `.npz` of joint positions; None leaves a key out."""
    person = next(iter(synthetic_mocap_recordings(1, 4, 60, seed=0)))
    content = {
        "joints": person.joints_m,
        "names": np.array(person.joint_names),
        "fps": np.array(60.0),
        **changes,
    }
    file = io.BytesIO()
    np.savez(file, **content)
    return file.getvalue()


spoiled_joints = st.one_of(
    spoiled_bytes(joints()),
    st.sampled_from([(key, value) for key, values in JOINTS_JUNK.items() for value in values]).map(
        lambda change: joints(**{change[0]: change[1]})
    ),
)

files = st.one_of(
    st.tuples(st.just({}), st.just("a.bvh"), spoiled_text(bvh())),
    st.tuples(st.just({}), st.just("a.bvh"), spoiled_bytes(bvh().encode())),
    st.tuples(st.just({"02.asf": asf()}), st.just("02_01.amc"), spoiled_text(amc())),
    st.tuples(st.just({"02_01.amc": amc()}), st.just("02.asf"), spoiled_text(asf())),
    st.tuples(st.just({"02_01.amc": amc()}), st.just("02.asf"), spoiled_bytes(asf().encode())),
    st.tuples(st.just({}), st.just("a.npz"), spoiled_joints),
    st.tuples(st.just({}), st.sampled_from(["a.bvh", "a.npz", "a.amc"]), st.sampled_from(RAW)),
)


@pytest.mark.slow
def test_motion_capture_is_prepared_or_refused_in_one_line(tmp_path: Path) -> None:
    campaign = Campaign("motion capture", tmp_path, "out/mocap.h5")
    for name, content in (("a.bvh", bvh().encode()), ("02_01.amc", amc().encode()), ("a.npz", joints())):
        others = {"02.asf": asf()} if name == "02_01.amc" else {}
        campaign.whole(lambda folder, case=(others, name, content): prepare(folder, *case))

    @FUZZ
    @given(files)
    def fuzz(case: tuple[dict[str, str], str, bytes]) -> None:
        campaign.run(lambda folder: prepare(folder, *case))

    fuzz()
    campaign.close()


def prepare(folder: Path, others: dict[str, str], name: str, content: bytes) -> list[str]:
    (folder / "mocap").mkdir()
    for other, text in others.items():
        (folder / "mocap" / other).write_text(text)
    (folder / "mocap" / name).write_bytes(content)
    return [
        "prepare", "data=mocap", "data.prepare.folder=mocap", "data.prepare.output=out/mocap.h5",
        "data.prepare.workers=1",
    ]  # fmt: skip
