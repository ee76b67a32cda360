"""The cluster's programs: downloaded from a server, held to their digests, and laid out as a folder given by hand."""

import hashlib
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.image.store import Store
from hybrid_hil.terminal import QuietReporter
from tests.file_server import Quiet, served
from tests.kubernetes.binaries import ARCHITECTURES, CONTROL_PLANE, Binaries
from tests.kubernetes.release import VERSION, Part, downloaded, parts


def published(site: Path, part: Part) -> Part:
    """With an archive of that name on the server, in which each program is its own name."""
    inside = site / "inside" / f"kubernetes/{part.name}/bin"
    inside.mkdir(parents=True)
    for program in (*part.programs, "unwanted"):
        (inside / program).write_text(program)
    archive = site / f"v{VERSION}" / part.archive
    archive.parent.mkdir(exist_ok=True)
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(site / "inside/kubernetes", "kubernetes")
    return replace(part, sha512=hashlib.sha512(archive.read_bytes()).hexdigest())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


@pytest.fixture
def site(folder: Path) -> Iterator[str]:
    with served(partial(Quiet, directory=str(folder))) as uri:
        yield uri


def test_a_download_is_what_a_folder_given_by_hand_is(tmp_path: Path, folder: Path, site: str) -> None:
    wanted = [published(folder, part) for part in parts("x86_64")]
    found = downloaded(Store(tmp_path / "cache"), QuietReporter(), wanted, site)
    files = {str(path.relative_to(found)): path.read_text() for path in found.rglob("*") if path.is_file()}
    programs = {f"amd64/{name}": name for name in CONTROL_PLANE} | {"arm64/kubelet": "kubelet"}
    assert {name: text for name, text in files.items() if name in programs} == programs
    assert not {name for name in files if name.endswith(("unwanted", ".gz"))}


def test_another_archive_is_refused(tmp_path: Path, folder: Path, site: str) -> None:
    wanted = [replace(published(folder, part), sha512="0" * 128) for part in parts("x86_64")[:1]]
    with pytest.raises(RigError, match="has the digest") as raised:
        downloaded(Store(tmp_path / "cache"), QuietReporter(), wanted, site)
    assert "--binaries DIR" in raised.value.remedy


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_every_machine_gets_its_control_plane_and_the_boards_their_kubelet(machine: str) -> None:
    server, node = parts(machine)
    assert (server.name, server.architecture) == ("server", ARCHITECTURES[machine])
    assert (node.name, node.architecture) == ("node", "arm64")
    assert {len(part.sha512) for part in (server, node)} == {128}


def test_why_there_are_none_is_the_reason_of_the_skip() -> None:
    with pytest.raises(pytest.skip.Exception, match="cannot download"):
        Binaries(None, "cannot download").here("kubectl")
