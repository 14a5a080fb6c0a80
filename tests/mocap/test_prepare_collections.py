import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from amass_files import body_model, poses

from rib.io.errors import RibError
from rib.mocap.prepare import prepare_amass, prepare_mocap
from rib.mocap.readers.joint_files import read_mocap_joint_file, write_mocap_joint_file
from rib.mocap.readers.reader import MocapReader, guess_mocap_unit_m
from rib.mocap.stores.bank import MotionBank
from rib.mocap.stores.reference_store import read_reference_mocap_store
from rib.mocap.stores.store import MotionStore
from rib.mocap.synthetic import synthetic_mocap_recordings

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
SETTINGS = {"fps": 60, "units": {"cmu_daz": "cm"}, "drop_frames": {"cmu_daz": 5}, "up": "y", "amc_fps": 120}
BICYCLE = """HIERARCHY
ROOT wheel { OFFSET 0 0 0 CHANNELS 1 Xrotation
End Site { OFFSET 0 1 0 } }
MOTION
Frames: 1
Frame Time: 0.01
90
"""


@pytest.fixture
def collection(tmp_path):
    folder = tmp_path / "collection"
    (folder / "deep").mkdir(parents=True)
    for number, person in enumerate(synthetic_mocap_recordings(4, 30, 60, seed=0)):
        write_mocap_joint_file(folder / "deep" / f"{number:02d}_01.npz", person)
    (folder / "bicycle.bvh").write_text(BICYCLE)
    (folder / "broken.npz").write_bytes(b"PK\x03\x04 but not for long")
    return folder


UNSPEAKABLE = os.fsdecode(b"caf\xe9")
"""A name that is no UTF-8, as of an old disk."""


def prepare(folder, output, workers=1, shard="0/1", progress=None, **changes):
    settings = {**SETTINGS, **changes}
    return prepare_mocap(folder, output, **settings, workers=workers, shard=shard, progress=progress)


def test_a_collection_becomes_one_store_and_a_list_of_what_was_skipped(collection, tmp_path):
    seen = []
    report = prepare(
        collection, tmp_path / "m.h5", progress=lambda done, total, name: seen.append((done, total))
    )
    store = MotionStore(report.store)
    assert store.names == tuple(f"deep/{i:02d}_01" for i in range(4))
    assert (report.prepared, report.reused, report.waiting) == (4, 0, 0)
    assert set(report.skipped) == {"bicycle", "broken"}
    assert "no known skeleton" in report.skipped["bicycle"]
    assert json.loads((tmp_path / "m.h5.skipped.json").read_text()) == report.skipped
    assert seen == [(i, 6) for i in range(1, 7)]


def test_a_name_that_no_store_can_hold_is_left_out_and_listed(collection, tmp_path):
    (collection / "deep" / "00_01.npz").rename(collection / f"{UNSPEAKABLE}.npz")
    report = prepare(collection, tmp_path / "m.h5")
    assert MotionStore(report.store).names == tuple(f"deep/{i:02d}_01" for i in range(1, 4))
    assert "the name is not UTF-8" in report.skipped[UNSPEAKABLE]
    assert json.loads((tmp_path / "m.h5.skipped.json").read_text()) == report.skipped
    with pytest.raises(RibError, match="the name is not UTF-8"):
        replace(next(iter(synthetic_mocap_recordings(1, 4, 60, seed=0))), name=UNSPEAKABLE)


def test_done_work_is_not_done_again(collection, tmp_path):
    prepare(collection, tmp_path / "m.h5")
    first = (tmp_path / "m.h5").read_bytes()
    again = prepare(collection, tmp_path / "m.h5")
    assert (again.prepared, again.reused) == (0, 4)
    assert (tmp_path / "m.h5").read_bytes() == first
    os.utime(collection / "deep" / "02_01.npz", (1, 1))
    changed = prepare(collection, tmp_path / "m.h5")
    assert (changed.prepared, changed.reused) == (1, 3)
    assert prepare(collection, tmp_path / "m.h5", fps=30).prepared == 4


def test_a_mended_file_is_no_longer_skipped(collection, tmp_path):
    prepare(collection, tmp_path / "m.h5")
    write_mocap_joint_file(collection / "broken.npz", synthetic_mocap_recordings(1, 5, 60, 9)[0])
    report = prepare(collection, tmp_path / "m.h5")
    assert set(report.skipped) == {"bicycle"}
    assert "broken" in MotionStore(report.store).names


def test_shards_make_what_one_run_makes(collection, tmp_path):
    first = prepare(collection, tmp_path / "shards.h5", shard="1/2")
    assert first.store is None
    assert first.waiting == 3
    last = prepare(collection, tmp_path / "shards.h5", shard="0/2")
    whole = prepare(collection, tmp_path / "whole.h5")
    assert last.skipped == whole.skipped
    assert last.store.read_bytes() == whole.store.read_bytes()


@pytest.mark.slow
def test_processes_make_what_one_makes(collection, tmp_path):
    several = prepare(collection, tmp_path / "several.h5", workers=2)
    assert several.skipped == prepare(collection, tmp_path / "one.h5").skipped
    assert several.store.read_bytes() == (tmp_path / "one.h5").read_bytes()


def test_mistakes_are_one_clear_line(collection, tmp_path):
    with pytest.raises(RibError, match="nowhere does not exist"):
        prepare(tmp_path / "nowhere", tmp_path / "m.h5")
    for shard in ("2/2", "1", "a/b"):
        with pytest.raises(RibError, match="shard=i/n"):
            prepare(collection, tmp_path / "m.h5", shard=shard)
    with pytest.raises(RibError, match="did you mean 'mm'"):
        prepare(collection, tmp_path / "m.h5", units={"cmu_daz": "cmm"})
    for file in (collection / "deep").iterdir():
        file.unlink()
    with pytest.raises(RibError, match="none of 2 files could be read"):
        prepare(collection, tmp_path / "m.h5")


@pytest.mark.parametrize(
    ("unit", "metres"), [("cm", 0.01), ("cmu", 0.0254 / 0.45), ("m", 1.0), ("inch", 0.0254)]
)
def test_the_unit_that_makes_a_person_is_found(unit, metres):
    for person in synthetic_mocap_recordings(5, 20, 60, seed=0):
        assert guess_mocap_unit_m(replace(person, joints_m=person.joints_m / metres)) == pytest.approx(metres)


def test_joint_files_keep_everything(tmp_path):
    person = replace(synthetic_mocap_recordings(1, 5, 60, 0)[0], made_up=("nose",))
    write_mocap_joint_file(tmp_path / "a.npz", person)
    back = read_mocap_joint_file(tmp_path / "a.npz")
    np.testing.assert_array_equal(back.joints_m, person.joints_m)
    assert replace(back, joints_m=person.joints_m) == person


@pytest.fixture
def amass(tmp_path):
    for number, gender in enumerate(("male", "female")):
        (tmp_path / "models" / gender).mkdir(parents=True)
        np.savez(tmp_path / "models" / gender / "model.npz", **body_model("smplh", number))
    clips = {
        "CMU/05/05_01": {},
        "KIT/3/walk_01": {"gender": np.array(b"male"), "mocap_framerate": np.array(100.0)},
    }
    clips["KIT/3/broken_01"] = {"poses": np.full((7, 156), np.nan)}
    for clip, changes in clips.items():
        path = tmp_path / "amass" / f"{clip}_poses.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **poses("smplh", **changes))
        np.savez(path.with_name("shape.npz"), betas=np.zeros(16))
    return tmp_path


@pytest.mark.parametrize("layout", ["rib", "reference"])
def test_amass_becomes_our_store_or_the_references(amass, layout):
    report = prepare_amass(
        amass / "amass", amass / "models", amass / "a.h5", 60, layout, workers=1, shard="0/1"
    )
    assert report.skipped == {"KIT/3/broken_01_poses": report.skipped["KIT/3/broken_01_poses"]}
    assert "NaN" in report.skipped["KIT/3/broken_01_poses"]
    if layout == "rib":
        store = MotionStore(report.store)
        assert store.names == ("CMU/05_05_01", "KIT/3_walk_01")
        assert store.subjects == ("05", "KIT/3")
        assert store.lengths.tolist() == [4, 4]
    else:
        assert [len(recording) for recording in read_reference_mocap_store(report.store)] == [4, 4]


def test_amass_without_body_models_is_one_clear_line(amass):
    with pytest.raises(RibError, match=r"holds no \.npz body model"):
        prepare_amass(amass / "amass", amass / "nothing", amass / "a.h5", 60, "rib", workers=1, shard="0/1")


@pytest.mark.slow
def test_original_files_give_the_prepared_joints(tmp_path):
    if not (SHARED / "mocap_raw").exists():
        pytest.skip("the CMU recordings are not beside this checkout (../shared/data/mocap_raw)")
    report = prepare(SHARED / "mocap_raw", tmp_path / "m.h5", workers=2)
    assert report.skipped == {}
    ours, theirs = MotionStore(report.store).load(), MotionBank.from_folder(SHARED / "mocap_joints")
    prefix = {"cmu_bvh_daz": "cmu_", "cmu_asf_amc": "cmuasf_"}
    overlap = 0
    for index, name in enumerate(ours.names):
        folder, _, clip = name.partition("/")
        twin = prefix.get(folder, "") + clip
        if twin in theirs.names:
            other = theirs.names.index(twin)
            assert (ours[index] - theirs[other]).abs().max() < 1e-4
            assert ours.subjects[index] == theirs.subjects[other]
            overlap += 1
    assert overlap == 51
    xia = [index for index, name in enumerate(ours.names) if name.startswith("xia_style")]
    assert len(xia) == 9
    assert (ours.stature_m[xia] - 1.65).abs().max() < 0.1


def test_reader_rejects_an_unknown_axis():
    with pytest.raises(RibError, match="expected y or z"):
        MocapReader({}, {}, "x", 120)
