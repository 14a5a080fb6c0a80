import numpy as np
import pytest
import torch

from rib.io.errors import RibError
from rib.mocap.recording import MocapRecording
from rib.mocap.stores.bank import MotionBank
from rib.structures.skeleton import BODY19


def recording(name, frames, subject="02", fps=60.0):
    joints = np.random.default_rng(frames).normal(size=(frames, 19, 3))
    return MocapRecording(name, joints, BODY19, fps, subject, name)


@pytest.fixture
def bank():
    return MotionBank.from_recordings([recording("a", 5), recording("b", 9, "05"), recording("c", 7)], fps=60)


def test_recordings_lie_end_to_end(bank):
    assert bank.lengths.tolist() == [5, 9, 7]
    torch.testing.assert_close(bank[1], torch.from_numpy(recording("b", 9).joints_m).float())


def test_gathered_frames_are_the_recordings_own(bank):
    frames = torch.tensor([[0, 2, 4], [8, 1, 0]])
    got = bank.frames(torch.tensor([0, 1]), frames)
    torch.testing.assert_close(got, torch.stack([bank[0][frames[0]], bank[1][frames[1]]]))


def test_a_bank_has_one_frame_rate():
    bank = MotionBank.from_recordings([recording("a", 9, fps=120.00004577636719), recording("b", 5)], fps=60)
    assert bank.lengths.tolist() == [5, 5]


def test_split_by_subject_keeps_everything_once(bank):
    train, held = bank.split(["05"])
    assert train.names == ("a", "c")
    assert held.names == ("b",)
    torch.testing.assert_close(train[1], bank[2])
    with pytest.raises(RibError, match=r"subject 77; type held_out=\[\], or name some of 02, 05"):
        bank.split(["77"], "held_out")


def test_folder_of_joint_files(tmp_path, bank):
    for name in ("cmu_02_01", "cmu_salsa_16"):
        np.savez(tmp_path / name, joints=np.zeros((4, 19, 3), np.float32) + 1, names=BODY19, fps=60.0)
    read = MotionBank.from_folder(tmp_path)
    assert read.names == ("cmu_02_01", "cmu_salsa_16")
    assert read.subjects == ("02", "61")
    with pytest.raises(RibError, match="holds no"):
        MotionBank.from_folder(tmp_path / "nothing")
