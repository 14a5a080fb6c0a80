import cv2
import numpy as np
import pytest

from rib.io.errors import RibError
from rib.pose.mask_files import FilesMask
from rib.video.reading.arrays import ArraySource


@pytest.fixture
def source() -> ArraySource:
    return ArraySource(np.zeros((3, 20, 30, 3), np.uint8), 10)


def write(folder, count: int, dtype=np.uint8, shape=(20, 30)) -> list[np.ndarray]:
    mattes = []
    for number in range(count):
        matte = np.random.default_rng(number).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
        cv2.imwrite(str(folder / f"{number:03d}.png"), matte)
        mattes.append(matte)
    return mattes


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_mattes_come_back_in_order_between_0_and_1(tmp_path, source, dtype):
    written = write(tmp_path, 3, dtype)
    read = list(FilesMask(str(tmp_path))(source, None))
    for matte, stored in zip(read, written, strict=True):
        assert matte.dtype == np.float32
        np.testing.assert_allclose(matte, stored / np.iinfo(dtype).max, atol=1e-6)


def test_another_count_than_the_clips_is_refused(tmp_path, source):
    write(tmp_path, 2)
    with pytest.raises(RibError, match=r"holds 2 PNG mattes.* has 3 frames"):
        list(FilesMask(str(tmp_path))(source, None))


def test_another_size_than_the_clips_is_refused(tmp_path, source):
    write(tmp_path, 3, shape=(20, 31))
    with pytest.raises(RibError, match="31 x 20, but the clip is 30 x 20"):
        list(FilesMask(str(tmp_path))(source, None))


def test_a_missing_folder_and_a_file_that_is_no_picture_are_refused(tmp_path, source):
    with pytest.raises(RibError, match="no folder"):
        list(FilesMask(str(tmp_path / "none"))(source, None))
    write(tmp_path, 3)
    (tmp_path / "001.png").write_bytes(b"")
    with pytest.raises(RibError, match=r"001\.png is no PNG"):
        list(FilesMask(str(tmp_path))(source, None))
