import numpy as np
import pytest
from amass_files import PARENTS, body_model, poses

from rib.io.errors import RibError
from rib.mocap.kinematics import to_y_up, to_z_up
from rib.mocap.readers.amass import read_amass
from rib.mocap.readers.body_model import JOINT_NAMES, BodyModel, BodyModels


@pytest.fixture
def models(tmp_path):
    folder = tmp_path / "models"
    for number, gender in enumerate(("male", "female", "neutral")):
        (folder / gender).mkdir(parents=True)
        np.savez(folder / gender / "model.npz", **body_model("smplh", number))
        np.savez(folder / f"SMPLX_{gender.upper()}.npz", **body_model("smplx", number))
    return BodyModels(folder)


@pytest.fixture
def write(tmp_path):
    def _write(database="CMU", subject="05", file="05_01_poses.npz", **data):
        path = tmp_path / "amass" / database / subject / file
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **data)
        return path

    return _write


@pytest.mark.parametrize("kind", ["smplh", "smplx"])
def test_joints_are_those_of_smplx_to_a_micrometre(tmp_path, monkeypatch, kind):
    smplx, torch = pytest.importorskip("smplx"), pytest.importorskip("torch")
    model, motion = body_model(kind), poses(kind)
    np.savez(tmp_path / "model.npz", **model)
    hands = {f"hands_mean{side}": np.zeros(45) for side in "lr"}
    hands |= {f"hands_components{side}": np.eye(45) for side in "lr"}  # absent from AMASS's files
    extra = {}
    if kind == "smplx":
        extra = {"lmk_faces_idx": np.zeros(51, np.int64), "lmk_bary_coords": np.full((51, 3), 1 / 3)}
        extra["shapedirs"] = np.concatenate([model["shapedirs"], np.zeros((60, 3, 394))], axis=2)
    np.savez(tmp_path / "smplx_model.npz", **{**model, **hands, **extra})
    picked = ["nose", *(f"{side}{part}" for side in "rl" for part in ("eye", "ear"))]
    picked += [f"{side}{toe}" for side in "RL" for toe in ("BigToe", "SmallToe", "Heel")]
    picked += [f"{side}{finger}" for side in "lr" for finger in ("thumb", "index", "middle", "ring", "pinky")]
    monkeypatch.setitem(smplx.body_models.VERTEX_IDS, kind, dict.fromkeys(picked, 0))  # ours has 60 vertices
    build = {"smplh": smplx.SMPLH, "smplx": smplx.SMPLX}[kind]
    build = type("Wide", (build,), {"SHAPE_SPACE_DIM": 16})  # smplx keeps 10 shapes else
    body = build(
        str(tmp_path / "smplx_model.npz"),
        ext="npz",
        num_betas=16,
        use_pca=False,
        flat_hand_mean=True,
        batch_size=7,
        dtype=torch.float64,
        use_face_contour=False,
    )
    item = torch.from_numpy(motion["poses"])
    face = {"jaw_pose": item[:, 66:69], "leye_pose": item[:, 69:72], "reye_pose": item[:, 72:75]}
    expected = body(
        global_orient=item[:, :3],
        body_pose=item[:, 3:66],
        left_hand_pose=item[:, -90:-45],
        right_hand_pose=item[:, -45:],
        betas=torch.from_numpy(motion["betas"]).expand(7, 16),
        transl=torch.from_numpy(motion["trans"]),
        **(face if kind == "smplx" else {}),
    ).joints[:, : len(PARENTS[kind])]
    ours = BodyModel.load(tmp_path / "model.npz").joints(motion["poses"], motion["betas"], motion["trans"])
    np.testing.assert_allclose(ours, expected.detach().numpy(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", ["smplh", "smplx"])
def test_a_recording_is_posed_and_turned_to_y_up(models, write, kind):
    file = {"smplh": "05_01_poses.npz", "smplx": "05_01_stageii.npz"}[kind]
    recording = read_amass(write(file=file, **poses(kind)), models)
    assert recording.name == "CMU/05_05_01"
    assert recording.subject == "05"
    assert recording.fps == pytest.approx(120)
    assert recording.joint_names == JOINT_NAMES[kind]
    still = {"poses": np.zeros((1, len(PARENTS[kind]) * 3)), "trans": np.zeros((1, 3))}
    raised = {**still, "trans": np.array([[0, 0, 2.0]])}  # z is up in AMASS
    low, high = (
        read_amass(write(file=file, **poses(kind, **trans)), models).joints_m for trans in (still, raised)
    )
    np.testing.assert_allclose(high - low, np.broadcast_to([0, 2.0, 0], low.shape), atol=1e-12)


def test_turning_up_axes_is_a_proper_rotation_and_its_inverse():
    points = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_array_equal(to_z_up(to_y_up(points, "z")), points)
    np.testing.assert_array_equal(to_y_up(points, "y"), points)
    assert np.linalg.det(to_y_up(np.eye(3), "z")) == pytest.approx(1)
    np.testing.assert_array_equal(to_y_up(np.array([0, 0, 1.0]), "z"), [0, 1, 0])


def test_gender_may_be_bytes_and_each_has_its_own_body(models, write):
    female, as_bytes, male = (
        read_amass(write(**poses("smplh", gender=np.array(gender))), models).joints_m
        for gender in ("female", b"female", "male")
    )
    np.testing.assert_array_equal(female, as_bytes)
    assert np.abs(female - male).max() > 0.01


def test_shape_matters(models, write):
    mean, shaped = (
        read_amass(write(**poses("smplh", betas=betas)), models).joints_m
        for betas in (np.zeros(16), np.ones(16))
    )
    assert np.abs(mean - shaped).max() > 0.01


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"poses": np.full((7, 156), np.nan)}, "poses holds NaN"),
        ({"betas": np.full(16, np.inf)}, "betas holds NaN or infinite"),
        ({"poses": np.zeros((7, 72))}, "72 columns"),
        ({"gender": np.array("child")}, "no child SMPLH body model"),
    ],
)
def test_what_cannot_be_posed_is_one_clear_line(models, write, changes, message):
    with pytest.raises(RibError, match=message):
        read_amass(write(**poses("smplh", **changes)), models)


def test_files_without_motion_or_damaged_are_one_clear_line(models, write, tmp_path):
    with pytest.raises(RibError, match="lacks poses, trans: not an AMASS recording"):
        read_amass(write(betas=np.zeros(16), gender=np.array("male"), mocap_framerate=120.0), models)
    whole = write(**poses("smplh")).read_bytes()
    cut = tmp_path / "cut_poses.npz"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RibError, match="cannot be read"):
        read_amass(cut, models)


def test_pickled_body_models_are_refused_with_the_way_out(tmp_path):
    (tmp_path / "SMPLH_MALE.pkl").write_bytes(b"\x80\x04N.")
    with pytest.raises(RibError, match=r"chumpy.*\.npz release"):
        BodyModels(tmp_path).get("smplh", "male")
