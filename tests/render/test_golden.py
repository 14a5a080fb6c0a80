from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from golden import DEMO, FOLDER, PAINTED, frames_of, read

from rib.io.errors import RibError


def assert_as_it_was(case: str, folder: Path) -> None:
    """All but a few pixels are within a rounding of the stored ones; 8 bits."""
    apart = np.abs(frames_of(case, folder).astype(int) - read(case))
    assert apart.mean() < 0.05, f"{case}: {apart.mean():.3f} apart on average"
    assert np.quantile(apart, 0.999) <= 3, f"{case}: {np.quantile(apart, 0.999)} in the worst thousandth"


@pytest.mark.parametrize("case", ["painted_none", "painted_warp"])
@pytest.mark.slow
def test_painted_pictures_are_as_they_were(case: str, tmp_path: Path) -> None:
    assert_as_it_was(case, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("case", [*sorted(set(PAINTED) - {"painted_none", "painted_warp"}), *DEMO])
def test_pictures_with_nets_are_as_they_were(case: str, tmp_path: Path) -> None:
    try:
        assert_as_it_was(case, tmp_path)
    except RibError as error:
        pytest.skip(f"the model packages are not installed: {error}")


def test_the_pictures_tell_renderers_apart() -> None:
    none, warp, gan = (read(f"painted_{name}").astype(int) for name in ("none", "warp", "gan"))
    assert np.abs(none - warp).mean() > 0.3
    assert np.abs(warp - gan).mean() > 0.01
    assert sum(path.stat().st_size for path in FOLDER.glob("*.png")) < 1_000_000
