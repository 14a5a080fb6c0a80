from __future__ import annotations

from pathlib import Path

import pytest

from rib.commands.prepare import command
from rib.mocap.readers.joint_files import write_mocap_joint_file
from rib.mocap.stores.store import MotionStore
from rib.mocap.synthetic import synthetic_mocap_recordings


@pytest.fixture
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "collection"
    folder.mkdir()
    for number, person in enumerate(synthetic_mocap_recordings(4, 30, 60, seed=0)):
        write_mocap_joint_file(folder / f"{number:02d}_01.npz", person)
    (folder / "broken.npz").write_bytes(b"PK\x03\x04 but not for long")
    return folder


def prepare(collection: Path, *arguments: str) -> None:
    here = [f"data.prepare.folder={collection}", f"data.prepare.output={collection.parent / 'm.h5'}"]
    command([*here, *arguments, "data.prepare.workers=1"])


@pytest.mark.slow
def test_it_tells_what_was_prepared_what_was_done_before_and_what_was_skipped_and_why(
    collection: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(collection)
    first = capsys.readouterr().out
    assert "4 prepared, 0 done before, 1 skipped" in first
    assert "broken: " in first
    assert f"store {collection.parent / 'm.h5'}" in first
    with pytest.raises(SystemExit):
        prepare(collection)
    assert "type overwrite=true" in capsys.readouterr().err
    prepare(collection, "max_reasons=0", "overwrite=true")
    again = capsys.readouterr().out
    assert "0 prepared, 4 done before, 1 skipped\n  and 1 more" in again


@pytest.mark.slow
def test_shards_of_a_sweep_share_the_work_and_the_last_writes_the_store(
    collection: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(collection, "-m", "shard=0/2,1/2")
    told = capsys.readouterr().out
    assert "files wait for other shards" in told
    assert len(MotionStore(collection.parent / "m.h5")) == 4
