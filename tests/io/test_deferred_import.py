from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rib.io.processes.deferred_import import deferred_import

PACKAGES = {
    "heavy_one/__init__.py": "WEIGHT = 3\n",
    "heavy_one/plot.py": "from heavy_one import WEIGHT\ndef draw():\n    return WEIGHT\n",
    "its_user.py": "import heavy_one.plot as plt\ndef show():\n    return plt.draw()\n",
}


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, text in PACKAGES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield
    for name in ("heavy_one", "heavy_one.plot", "its_user"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("packages")
def test_what_nobody_uses_is_not_imported_and_comes_when_it_is_used() -> None:
    with deferred_import("heavy_one.plot"):
        user = importlib.import_module("its_user")
    assert "heavy_one" not in sys.modules
    assert user.show() == 3
    assert importlib.import_module("heavy_one.plot").draw() == 3
    assert user.show() == 3


@pytest.mark.usefixtures("packages")
def test_used_inside_it_is_the_real_one_that_stays() -> None:
    with deferred_import("heavy_one.plot"):
        assert importlib.import_module("its_user").show() == 3
    assert importlib.import_module("heavy_one").WEIGHT == 3


@pytest.mark.usefixtures("packages")
def test_what_is_imported_already_stays() -> None:
    there = importlib.import_module("heavy_one.plot")
    with deferred_import("heavy_one.plot"):
        assert importlib.import_module("its_user").plt is there
    assert sys.modules["heavy_one.plot"] is there


@pytest.mark.usefixtures("packages")
def test_nothing_stands_in_after_an_error() -> None:
    with pytest.raises(RuntimeError), deferred_import("heavy_one.plot"):
        raise RuntimeError
    assert "heavy_one" not in sys.modules
