"""A folder of one run, and what killed runs leave."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from hybrid_hil.host.checkout import checkout_root
from tests.throwaway_folder import ThrowawayFolder, lock_of, sweep

PREFIX = "throwaway-"


def test_a_folder_goes_with_its_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with ThrowawayFolder(PREFIX) as folder:
        (folder / "file").write_text("")
        assert sweep(tmp_path, PREFIX) == []
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_killed_run_goes_with_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = """
import sys, time
from tests.throwaway_folder import ThrowawayFolder
with ThrowawayFolder("throwaway-") as folder:
    print(folder, flush=True)
    time.sleep(600)
"""
    here = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(checkout_root())}
    with subprocess.Popen([sys.executable, "-c", lines], env=here, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        left = Path(run.stdout.readline().strip())
        run.kill()
    assert left.is_dir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with ThrowawayFolder(PREFIX) as folder:
        assert {path for path in tmp_path.iterdir() if path.is_dir()} == {folder}
    assert not lock_of(left).exists()


def test_what_a_killed_run_left_is_removed_and_no_other(tmp_path: Path) -> None:
    left, held, other = (tmp_path / name for name in (f"{PREFIX}left", f"{PREFIX}held", "other"))
    for folder in (left, held, other):
        (folder / "tree").mkdir(parents=True)
    with FileLock(lock_of(held)):
        assert sweep(tmp_path, PREFIX) == [left]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == sorted([held.name, other.name])
    assert not lock_of(left).exists()
