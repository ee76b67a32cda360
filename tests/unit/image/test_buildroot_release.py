"""The pinned release is downloaded from a server, held to its digest, and unpacked."""

import hashlib
import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.image.buildroot.release import PINNED, Release, ReleaseRecipe, release_component
from hybrid_hil.image.buildroot.tree import open_tree
from hybrid_hil.image.child import BuildRunner
from hybrid_hil.terminal import QuietReporter
from tests.file_server import Quiet, served


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """A server that has the archive of a small tree."""
    tree = tmp_path / "buildroot-9999.02"
    (tree / "package").mkdir(parents=True)
    (tree / "package/Makefile.in").touch()
    (tree / "Makefile").write_text("export BR2_VERSION := 9999.02\n")
    with tarfile.open(tmp_path / "buildroot-9999.02.tar.xz", "w:xz") as archive:
        archive.add(tree, tree.name)
    with served(partial(Quiet, directory=str(tmp_path))) as uri:
        yield uri


def digest_of(archive: Path) -> str:
    return hashlib.sha256(archive.read_bytes()).hexdigest()


def fetch(release: Release, site: str, folder: Path) -> None:
    folder.mkdir()
    with QuietReporter().step("fetching") as step:
        ReleaseRecipe(release, site).build(folder, BuildRunner(folder.with_suffix(".log")), step)


def test_unpacked_where_it_is_asked_for(tmp_path: Path, site: str) -> None:
    release = Release("9999.02", digest_of(tmp_path / "buildroot-9999.02.tar.xz"))
    fetch(release, site, tmp_path / "release")
    assert open_tree(tmp_path / "release").version == "9999.02"
    assert not list((tmp_path / "release").glob("*.tar.xz"))


def test_other_content_is_refused(tmp_path: Path, site: str) -> None:
    with pytest.raises(RigError, match="has the digest") as raised:
        fetch(Release("9999.02", "0" * 64), site, tmp_path / "release")
    assert "--buildroot DIR" in raised.value.remedy


def test_each_release_has_a_place_of_its_own() -> None:
    assert release_component(PINNED) != release_component(Release(PINNED.version, "0" * 64))
    assert len(PINNED.sha256) == 64
