"""The sources that a wheel carries."""

import importlib.util
import os
import subprocess
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.host import checkout
from hybrid_hil.host.cache import Cache
from hybrid_hil.host.checkout import PARTS, checkout_root, checkout_with_tests
from hybrid_hil.host.packaged_checkout import KIND, packaged_checkout
from hybrid_hil.host.revision import revision
from hybrid_hil.image.fingerprint import files_below


@pytest.fixture(scope="module")
def wheel_sources() -> ModuleType:
    path = checkout_root() / "hil/wheel_sources.py"
    spec = importlib.util.spec_from_file_location("wheel_sources", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def archive(wheel_sources: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wheel") / "checkout.tar"
    path.write_bytes(wheel_sources.packed(checkout_root()))
    return path


def tracked() -> list[str]:
    command = ["git", "-C", str(checkout_root()), "ls-files", "--", *PARTS]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def shape(path: Path) -> object:
    """What the image's makers see of it."""
    return path.readlink() if path.is_symlink() else (path.read_bytes(), os.access(path, os.X_OK))


def test_they_are_the_tracked_files_as_they_are(archive: Path, tmp_path: Path) -> None:
    unpacked = packaged_checkout(archive, Cache(tmp_path))
    assert unpacked is not None
    assert sorted(str(path.relative_to(unpacked)) for path in files_below(unpacked)) == sorted([*tracked(), "COMMIT"])
    for name in tracked():
        assert shape(unpacked / name) == shape(checkout_root() / name), name
    assert revision(unpacked / "runtime").split("-")[0] == revision(checkout_root() / "runtime").split("-")[0]
    assert packaged_checkout(archive, Cache(tmp_path)) == unpacked
    assert [component.kind for component in Cache(tmp_path).components(KIND)] == [KIND]


def test_equal_sources_make_equal_archives(wheel_sources: ModuleType, archive: Path) -> None:
    assert wheel_sources.packed(checkout_root()) == archive.read_bytes()
    with tarfile.open(archive) as opened:
        assert {(member.uid, member.gid, member.mtime) for member in opened} == {(0, 0, 0)}


def test_where_there_is_no_wheel_there_are_none(tmp_path: Path) -> None:
    assert packaged_checkout(tmp_path / "absent.tar", Cache(tmp_path)) is None


def test_a_wheel_is_built_from_git(wheel_sources: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="is built from a git checkout"):
        wheel_sources.packed(tmp_path)


def test_tests_of_the_rig_need_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checkout_with_tests() == checkout_root()
    monkeypatch.setattr(checkout, "checkout_root", lambda: tmp_path)
    with pytest.raises(RigError, match="has no tests: this needs a checkout"):
        checkout_with_tests()
