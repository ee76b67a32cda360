"""Archives come from a server, are held to their digests, and whatever goes wrong is told."""

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.image.pinned_archive import PinnedArchive
from hybrid_hil.terminal import QuietReporter
from tests.file_server import Quiet, served

CONTENT = b"content" * 100_000


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/a.tar.xz").write_bytes(CONTENT)
    with served(partial(Quiet, directory=str(tmp_path / "site"))) as uri:
        yield uri


def fetch(uri: str, folder: Path, digest: str = "0" * 64, algorithm: str = "sha256") -> Path:
    with QuietReporter().step("fetching") as step:
        return PinnedArchive(uri, digest, algorithm, "give one of your own").fetch(folder, step)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_what_was_pinned_is_kept(tmp_path: Path, site: str, algorithm: str) -> None:
    file = fetch(f"{site}/a.tar.xz", tmp_path, hashlib.new(algorithm, CONTENT).hexdigest(), algorithm)
    assert file == tmp_path / "a.tar.xz"
    assert file.read_bytes() == CONTENT


def test_other_content_is_refused(tmp_path: Path, site: str) -> None:
    with pytest.raises(RigError, match="has the digest") as raised:
        fetch(f"{site}/a.tar.xz", tmp_path)
    assert raised.value.remedy == "do not use it; try again on another network, or give one of your own"


def test_missing_archive_is_told_with_the_way_around(tmp_path: Path, site: str) -> None:
    with pytest.raises(RigError, match="cannot download") as raised:
        fetch(f"{site}/b.tar.xz", tmp_path)
    assert raised.value.remedy == "connect this machine, or give one of your own"


def test_server_that_stops_early_is_no_wrong_archive(tmp_path: Path) -> None:
    class Cut(Quiet):
        def do_GET(self) -> None:  # noqa: N802  the base class's name
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half")

    with served(Cut) as uri, pytest.raises(RigError, match="cannot download"):
        fetch(f"{uri}/a.tar.xz", tmp_path)


def test_disk_that_is_full_is_no_fault_of_the_network(tmp_path: Path, site: str) -> None:
    (tmp_path / "a.tar.xz").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        fetch(f"{site}/a.tar.xz", tmp_path)
