import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from rib.io.errors import RibError
from rib.keypoint_files import read_people_keypoints
from rib.keypoint_files.raw import keypoint_numbers
from rib.structures.skeleton import convert_joints, joint_set_named

DETECTIONS = Path(__file__).parents[3] / "shared/data/openpose_json"


def standing(layout, seed=0):
    """Somebody who stands, (J, 3) in a layout: real proportions, so that limbs join what lies close."""
    body25b = np.array([
        (50, 20), (52, 17), (48, 17), (55, 18), (45, 18), (60, 40), (40, 40), (64, 62), (36, 62), (66, 82),
        (34, 82), (56, 85), (44, 85), (57, 118), (43, 118), (58, 150), (42, 150), (50, 35), (50, 8),
        (62, 156), (65, 155), (57, 154), (38, 156), (35, 155), (43, 154),
    ], float)  # fmt: skip
    jitter = np.random.default_rng(seed).normal(0, 0.5, body25b.shape)
    joints, confidence = convert_joints((body25b + jitter) * 2, None, "body25b", layout)
    return np.concatenate([joints, 0.9 * confidence[..., None]], axis=-1)


def openpose(*people, **more):
    entries = [{"person_id": [-1], "pose_keypoints_2d": np.ravel(p).tolist(), **more} for p in people]
    return {"version": 1.3, "people": entries}


def write_frames(folder, contents):
    for number, content in enumerate(contents):
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"frame{number}.json").write_text(text)
    return folder


def as_body(people, layout):
    """The (P, 67, 3) of a frame back in a layout."""
    joints, confidence = convert_joints(people[..., :2], people[..., 2], "body25_hands", layout)
    return np.concatenate([joints, confidence[..., None]], axis=-1)


@pytest.mark.parametrize("layout", ["body25", "coco17", "coco18", "halpe26", "body25b"])
def test_layouts_are_told_apart_and_land_on_the_same_joints(tmp_path, layout):
    people = [standing(layout, seed) for seed in range(4)]
    read = read_people_keypoints(write_frames(tmp_path, [openpose(p) for p in people]))
    assert read.layout == layout
    expected = [convert_joints(p[..., :2], p[..., 2], layout, "body25_hands")[0] for p in people]
    np.testing.assert_allclose(np.concatenate(read.frames)[..., :2], expected)


def test_the_users_layout_wins(tmp_path):
    folder = write_frames(tmp_path, [openpose(standing("body25"))])
    assert read_people_keypoints(folder, "body25b").layout == "body25b"
    with pytest.raises(RibError, match=r"25 points a person, coco17 has 17"):
        read_people_keypoints(folder, "coco17")
    with pytest.raises(RibError, match="did you mean 'body25b'"):
        read_people_keypoints(folder, "body_25b")


def test_frames_stand_in_natural_order_and_may_be_empty(tmp_path):
    people = [standing("body25", seed) for seed in range(12)]
    contents = [openpose(p) for p in people]
    contents[3] = openpose()
    contents[5] = openpose(people[5], people[6])
    contents[7]["people"][0]["person_id"] = 1
    read = read_people_keypoints(write_frames(tmp_path, contents))
    assert [len(frame) for frame in read.frames] == [1, 1, 1, 0, 1, 2, 1, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(as_body(read.frames[10], "body25")[0], people[10])
    assert Path(read.names[10]).name == "frame10.json"


def test_hands_stand_beside_the_body(tmp_path):
    left = np.random.default_rng(0).uniform(1, 90, (21, 3)) / (1, 1, 100)
    left[4] = 0
    more = {"hand_left_keypoints_2d": left.ravel().tolist(), "hand_right_keypoints_2d": []}
    body = standing("body25")
    read = read_people_keypoints(write_frames(tmp_path, [openpose(body, **more), openpose(body)]))
    np.testing.assert_allclose(read.frames[0][0, 25:46], left)
    assert (read.frames[0][0, 46:] == 0).all()
    assert (read.frames[1][0, 25:] == 0).all()


def test_a_missing_point_stays_missing(tmp_path):
    body = standing("body25")
    body[[4, 9]] = 0
    frame = read_people_keypoints(write_frames(tmp_path, [openpose(body)])).frames[0][0]
    assert (frame[[4, 9]] == 0).all()
    assert (frame[:25, 2] > 0).sum() == (body[:, 2] > 0).sum()


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (['{"people": [NaN]}'], "frame0.json holds NaN at line 1, column 13"),
        (['{"people": [\n  Infinity]}'], "frame0.json holds Infinity at line 2, column 3"),
        (['{"people": ['], "frame0.json is not JSON .* line 1, column 13"),
        (["\udcff"], "frame0.json is not JSON|cannot be read"),
        ([{"persons": []}, {"people": []}], 'frame0.json has no "people"'),
        ([{"people": {}}, {"people": []}], '"people" is not a list'),
        ([openpose(np.ones(74))], "frame0.json: a person's body has 74 values"),
        ([openpose(np.ones(66))], "22 points a person, expected one of"),
        ([openpose(standing("body25"), hand_left_keypoints_2d=[1, 2, 3])], "has 3 values, expected 63"),
        ([openpose(standing("body25")), openpose(standing("coco17"))], "frame0.json has 25 points .* 17"),
        ([openpose(standing("body25")), openpose([1e999] * 75)], r"frame1\.json"),
        ([openpose(standing("body25")), openpose([None] * 75)], "not a finite number: .*frame1.json"),
        ([openpose(standing("body25")), openpose([{}] * 75)], "not a finite number: .*frame1.json"),
        (["3"], "has no"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_in_one_line(tmp_path, contents, message):
    if contents == ["\udcff"]:
        (tmp_path / "frame0.json").write_bytes(b"\xff\xfe\x00")
    else:
        write_frames(tmp_path, contents)
    with pytest.raises(RibError, match=message) as caught:
        read_people_keypoints(tmp_path)
    assert "\n" not in str(caught.value)


def test_missing_and_empty_folders(tmp_path):
    with pytest.raises(RibError, match="do not exist"):
        read_people_keypoints(tmp_path / "nowhere")
    with pytest.raises(RibError, match=r"no \.json file"):
        read_people_keypoints(tmp_path)
    (tmp_path / "clip").mkdir()
    write_frames(tmp_path / "clip", [openpose()])
    with pytest.raises(RibError, match=r"did you mean .*clip"):
        read_people_keypoints(tmp_path)


def test_a_wrong_number_of_frames_names_both(tmp_path):
    read = read_people_keypoints(write_frames(tmp_path, [openpose(standing("body25"))] * 3))
    assert len(read.aligned(3)) == 3
    with pytest.raises(RibError, match="poses of 3 frames, but the clip has 5"):
        read.aligned(5)


def test_poses_of_another_picture_are_refused(tmp_path):
    read = read_people_keypoints(write_frames(tmp_path, [openpose(standing("body25"))]))
    read.check_fits((200, 400))
    read.check_fits()
    with pytest.raises(RibError, match=r"no point .* lies in the picture of 10 x 10"):
        read.check_fits((10, 10))
    width, height = read.extent_px()
    assert (read.frames[0][0, :, :2] <= (width, height)).all()


def test_normalised_coordinates_are_refused(tmp_path):
    body = standing("body25") / (1000, 1000, 1)
    with pytest.raises(RibError, match="are no pixels"):
        read_people_keypoints(write_frames(tmp_path, [openpose(body)])).check_fits()


def test_alphapose_results_leave_out_empty_frames(tmp_path):
    people = {
        0: [standing("coco17", 0)],
        2: [standing("coco17", 1), standing("coco17", 2)],
        10: [standing("coco17")],
    }
    entries = [
        {"image_id": f"{k}.jpg", "category_id": 1, "keypoints": p.ravel().tolist(), "score": 2.9, "idx": 1}
        for k, found in people.items() for p in found
    ]  # fmt: skip
    (tmp_path / "alphapose-results.json").write_text(json.dumps(entries))
    read = read_people_keypoints(tmp_path / "alphapose-results.json").aligned(12)
    assert [len(f) for f in read.frames] == [1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0]
    np.testing.assert_allclose(as_body(read.frames[10], "coco17")[0], people[10][0])
    with pytest.raises(RibError, match=r"numbered 0 to 10, but the clip has 2 frames"):
        read_people_keypoints(tmp_path).aligned(2)


def test_alphapose_in_openpose_form_by_image(tmp_path):
    people = [standing("coco18", seed) for seed in range(3)]
    content = {f"{k}.jpg": {"version": "AlphaPose v0.3", **openpose(p)} for k, p in enumerate(people)}
    (tmp_path / "a.json").write_text(json.dumps(content))
    read = read_people_keypoints(tmp_path / "a.json").aligned(3)
    np.testing.assert_allclose(as_body(read.frames[2], "coco18")[0], people[2])


def test_scores_beyond_one_are_normalised(tmp_path):
    body = standing("coco17")
    body[:, 2] = np.linspace(0.1, 4, 17)
    (tmp_path / "a.json").write_text(json.dumps([{"image_id": 0, "keypoints": body.ravel().tolist()}]))
    confidence = as_body(read_people_keypoints(tmp_path / "a.json").frames[0], "coco17")[0, :, 2]
    np.testing.assert_allclose(confidence, body[:, 2] / 4)


def test_coco_annotations_and_their_flags(tmp_path):
    body = standing("coco17")
    body[:, 2] = [2] * 8 + [1] * 8 + [0]
    content = {
        "images": [{"id": 7, "file_name": "f10.png"}, {"id": 9, "file_name": "f2.png"}],
        "annotations": [{"image_id": 7, "keypoints": body.ravel().tolist(), "num_keypoints": 16}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(content))
    read = read_people_keypoints(tmp_path / "coco.json").aligned(2)
    assert [len(f) for f in read.frames] == [0, 1]
    np.testing.assert_allclose(as_body(read.frames[1], "coco17")[0, :, 2], body[:, 2] / 2)


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("layout", ["coco17", "coco_wholebody133"])
def test_kinetics_skeletons(tmp_path, layout, nested):
    people = [
        np.concatenate([standing("coco17", s), np.ones((len(joint_set_named(layout)) - 17, 3))])
        for s in range(3)
    ]
    data = [
        {"frame_index": k + 1, "skeleton": [{
            "pose": p[:, :2].tolist() if nested else p[:, :2].ravel().tolist(),
            "score": p[:, 2:].tolist() if nested else p[:, 2].tolist(),
        }]} for k, p in enumerate(people) if k != 1
    ]  # fmt: skip
    (tmp_path / "k.json").write_text(json.dumps({"data": data, "label": "x"}))
    read = read_people_keypoints(tmp_path / "k.json").aligned(3)
    assert read.layout == layout
    assert [len(f) for f in read.frames] == [1, 0, 1]
    np.testing.assert_allclose(as_body(read.frames[2], "coco17")[0], people[2][:17])


@pytest.mark.parametrize(
    "content", [{"data": [{"skeleton": []}]}, {"data": 3}, [{"image_id": 1}], [3], {"a": 3}, {}]
)
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    (tmp_path / "x.json").write_text(json.dumps(content))
    with pytest.raises(RibError, match=r"x\.json"):
        read_people_keypoints(tmp_path / "x.json")


ENTRY = {"image_id": "0.jpg", "keypoints": [1.0] * 51}
SKELETON = {"pose": [1.0] * 36, "score": [1.0] * 18}


@pytest.mark.parametrize("junk", [None, True, 3, "x", [], {}, [3], {"a": 1}, [[1]], float(10**20)], ids=repr)
@pytest.mark.parametrize(
    "place",
    [
        lambda junk: [junk], lambda junk: [{**ENTRY, "image_id": junk}],
        lambda junk: [{**ENTRY, "keypoints": junk}], lambda junk: {"0.jpg": {"bodies": junk}},
        lambda junk: {"0.jpg": junk, "1.jpg": junk}, lambda junk: {"annotations": junk},
        lambda junk: {"annotations": [{**ENTRY, "image_id": junk}]},
        lambda junk: {"annotations": [], "images": junk}, lambda junk: {"annotations": [], "images": [junk]},
        lambda junk: {"annotations": [], "images": [{"id": junk}]},
        lambda junk: {"data": junk}, lambda junk: {"data": [junk]},
        lambda junk: {"data": [{"frame_index": junk, "skeleton": []}]},
        lambda junk: {"data": [{"frame_index": 1, "skeleton": junk}]},
        lambda junk: {"data": [{"frame_index": 1, "skeleton": [junk]}]},
        lambda junk: {"data": [{"frame_index": 1, "skeleton": [{**SKELETON, "pose": junk}]}]},
        lambda junk: {"data": [{"frame_index": 1, "skeleton": [{**SKELETON, "score": junk}]}]},
    ],
)  # fmt: skip
def test_anything_at_any_place_is_read_or_told_in_our_own_words(tmp_path, place, junk):
    (tmp_path / "x.json").write_text(json.dumps(place(junk)))
    told = "x.json"
    try:
        read_people_keypoints(tmp_path / "x.json")
    except RibError as error:
        told = str(error)
    assert "x.json" in told
    assert not re.search(r"Error|object is not|must be", told)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layout", "num_frames"),
    [("treadmill_body25_hands/27_teenage_hooligan", "body25", 90),
     ("pose2sim_single_body25b/cam01", "body25b", 100),
     ("pose2sim_single_body25b/cam03", "body25b", 100),
     ("coco17_and_wholebody133/gast_baseball.json", "coco17", 277),
     ("coco17_and_wholebody133/gast_baseball_wholebody.json", "coco_wholebody133", 277)],
)  # fmt: skip
def test_real_detections_are_told_apart(name, layout, num_frames):
    if not (DETECTIONS / name).exists():
        pytest.skip("the shared detections are not here")
    read = read_people_keypoints(DETECTIONS / name)
    assert (read.layout, len(read)) == (layout, num_frames)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"people": [' + "9" * 5000 + "]}", "holds a number of thousands of digits"),
        ('{"people": [], "people": []}', "says 'people' twice"),
        (json.dumps([{"image_id": n, "keypoints": [1e30] * 51} for n in range(2)]), "not a finite number"),
        (json.dumps([{"image_id": "9" * 6000 + ".jpg", "keypoints": [1] * 50}]), "has 50 values"),
    ],
)
def test_a_clip_that_was_written_to_do_harm_is_told_in_one_line(tmp_path, content, message):
    (tmp_path / "clip.json").write_text(content)
    with pytest.raises(RibError, match=message):
        read_people_keypoints(tmp_path / "clip.json")


@pytest.mark.parametrize("last", ["1000000000", "9" * 17])
def test_no_memory_is_taken_by_a_frames_number(tmp_path, last):
    people = [{"image_id": f"{n}.jpg", "keypoints": [1.0] * 51} for n in ("0", "1", last)]
    (tmp_path / "clip.json").write_text(json.dumps(people))
    with pytest.raises(RibError, match=r"would be .* frames, and 3 of them hold poses"):
        read_people_keypoints(tmp_path / "clip.json").aligned()


def test_numbers_too_long_for_a_count_still_give_the_order(tmp_path):
    names = ["1" + "0" * 30, "1" + "0" * 29 + "1", "2" + "0" * 30]
    people = [{"image_id": f"{n}.jpg", "keypoints": [1.0] * 51} for n in reversed(names)]
    (tmp_path / "clip.json").write_text(json.dumps(people))
    found = read_people_keypoints(tmp_path / "clip.json").aligned()
    assert [name.rpartition(" ")[2] for name in found.names] == [f"{n}.jpg" for n in names]


def test_a_fifo_among_the_files_is_refused(tmp_path):
    write_frames(tmp_path, [openpose(standing("body25"))] * 2)
    os.mkfifo(tmp_path / "frame9.json")
    with pytest.raises(RibError, match=r"frame9\.json is a FIFO"):
        read_people_keypoints(tmp_path)
    with pytest.raises(RibError, match=r"frame9\.json is a FIFO"):
        read_people_keypoints(tmp_path / "frame9.json")


@pytest.mark.parametrize(
    ("given", "told"), [(None, "null"), ({}, "an object"), ("x", "a text"), ([1], "1 values")]
)
def test_points_that_are_no_list_are_called_as_json_calls_them(given, told):
    with pytest.raises(RibError, match=f"a.json has {told}, expected a list of x, y, confidence"):
        keypoint_numbers(given, "a.json")
