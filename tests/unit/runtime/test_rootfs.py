"""The firmware's file is found inside the root file system, whatever links and paths its author wrote."""

import os
import socket
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hybrid_runtime.bundle.rootfs import LONGEST_PATH, MOST_LINKS, open_inside
from hybrid_runtime.system.failure import Failure
from tests.unit.runtime.command_runner import attempt

INSIDE = b"inside"
OUTSIDE = b"outside"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "lib/deep").mkdir(parents=True)
    (root / "fw.elf").write_bytes(INSIDE)
    (root / "lib/fw.elf").write_bytes(b"in lib")
    (tmp_path / "fw.elf").write_bytes(OUTSIDE)
    (tmp_path / "secret").write_bytes(OUTSIDE)
    return root


def content(root: Path, path: str) -> bytes:
    descriptor = open_inside(str(root), path)
    try:
        return os.read(descriptor, 100)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    "path",
    [
        "fw.elf",
        "/fw.elf",
        "./fw.elf",
        "//fw.elf",
        "../fw.elf",
        "../../../../fw.elf",
        "lib/../fw.elf",
        "lib/deep/../../fw.elf",
    ],
)
def test_paths(root: Path, path: str) -> None:
    assert content(root, path) == INSIDE


@pytest.mark.parametrize(
    ("path", "working_folder", "expected"),
    [
        ("fw.elf", "/lib", b"in lib"),
        ("./fw.elf", "/lib/", b"in lib"),
        ("../fw.elf", "/lib", INSIDE),
        ("../../../fw.elf", "/lib", INSIDE),
        ("/fw.elf", "/lib", INSIDE),
        ("lib/fw.elf", "/lib", b"in lib"),
        ("fw.elf", "/lib/deep", INSIDE),
        ("fw.elf", "/absent", INSIDE),
        ("fw.elf", "/fw.elf", INSIDE),
        ("fw.elf", "/../lib", b"in lib"),
        ("fw.elf", "/abroad", INSIDE),
        ("link", "/lib/deep", INSIDE),
    ],
)
def test_a_relative_path_is_looked_for_below_the_working_folder_first(
    root: Path, path: str, working_folder: str, expected: bytes
) -> None:
    (root / "abroad").symlink_to(root.parent)
    (root / "lib/deep/link").symlink_to("../../../../fw.elf")
    descriptor = open_inside(str(root), path, working_folder)
    try:
        assert os.read(descriptor, 100) == expected
    finally:
        os.close(descriptor)


def test_only_what_is_absent_is_looked_for_elsewhere(root: Path) -> None:
    (root / "lib/loop").symlink_to("loop")
    for name, words in (("loop", "too many symbolic links"), ("deep", "is a directory|not a regular file")):
        (root / name).write_bytes(INSIDE)
        with pytest.raises(Failure, match=words):
            open_inside(str(root), name, "/lib")
    with pytest.raises(Failure, match=r"cannot open the firmware `absent` in `.*`, below `/lib` or `/`: "):
        open_inside(str(root), "absent", "/lib")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("fw.elf", INSIDE),
        ("/fw.elf", INSIDE),
        ("../fw.elf", INSIDE),
        ("../../../fw.elf", INSIDE),
        ("/lib/fw.elf", b"in lib"),
        ("lib/deep/../fw.elf", b"in lib"),
        ("/../../lib/../lib/fw.elf", b"in lib"),
    ],
)
def test_links(root: Path, target: str, expected: bytes) -> None:
    (root / "link").symlink_to(target)
    assert content(root, "link") == expected


def test_links_to_folders(root: Path) -> None:
    (root / "lib/deep/up").symlink_to("..")
    (root / "lib/deep/top").symlink_to("/")
    (root / "lib/deep/out").symlink_to("../../../..")
    assert content(root, "lib/deep/up/fw.elf") == b"in lib"
    assert content(root, "lib/deep/top/fw.elf") == INSIDE
    assert content(root, "lib/deep/out/fw.elf") == INSIDE
    assert content(root, "lib/deep/up/../fw.elf") == INSIDE


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("absent", "file not found"),
        ("../secret", "file not found"),
        ("lib", "not a regular file"),
        ("lib/..", "it is a folder"),
        ("/", "it is a folder"),
        ("..", "it is a folder"),
        ("fw.elf/x", "a part of the path is no folder"),
        ("fifo", "not a regular file"),
        ("socket", "not a regular file"),
        ("device", "not a regular file"),
        ("loop", "too many symbolic links"),
        ("itself", "too many symbolic links"),
        ("dangling", "file not found"),
        ("abroad", "file not found"),
        ("x" * 256, "file name too long"),
        ("x/" * LONGEST_PATH, "file name too long"),
        ("../" * 1_000_000 + "fw.elf", "file name too long"),
    ],
    ids=lambda value: value[:20],
)
def test_refused(root: Path, path: str, message: str) -> None:
    os.mkfifo(root / "fifo")
    (root / "device").symlink_to("null")
    try:
        os.mknod(root / "null", 0o600 | 0o020000, os.makedev(1, 3))
    except PermissionError:
        (root / "null").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket"))
    (root / "loop").symlink_to("pool")
    (root / "pool").symlink_to("loop")
    (root / "itself").symlink_to("itself/x")
    (root / "dangling").symlink_to("nothing")
    (root / "abroad").symlink_to(root.parent / "secret")
    with pytest.raises(Failure, match=message):
        open_inside(str(root), path)


def test_as_many_links_as_the_kernel_takes(root: Path) -> None:
    (root / "link0").symlink_to("fw.elf")
    for number in range(1, MOST_LINKS + 1):
        (root / f"link{number}").symlink_to(f"link{number - 1}")
    assert content(root, f"link{MOST_LINKS - 1}") == INSIDE
    with pytest.raises(Failure, match="too many symbolic links"):
        open_inside(str(root), f"link{MOST_LINKS}")


def test_root_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for root in ("absent", "file"):
        with pytest.raises(Failure, match="cannot open the firmware"):
            open_inside(str(tmp_path / root), "x")


def test_no_descriptor_stays(root: Path) -> None:
    (root / "link").symlink_to("lib/deep/../../../..")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for path in ("fw.elf", "link/fw.elf", "link/absent", "lib", "fw.elf/x", "link"):
        found = attempt(lambda path=path: open_inside(str(root), path), Failure)  # type: ignore[misc]
        if isinstance(found, int):
            os.close(found)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


NAMES = st.sampled_from(["a", "b", "c", "..", ".", "", "secret", "top"])
PATHS = st.lists(NAMES, min_size=1, max_size=6).map("/".join)


@given(links=st.dictionaries(st.sampled_from(["a", "b", "c", "a/a", "a/b", "b/c"]), PATHS), path=PATHS)
@example(links={}, path="../secret")
@example(links={"c": "../../secret"}, path="c")
def test_no_path_leaves_the_root(links: dict[str, str], path: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "top/root"
        (root / "a").mkdir(parents=True)
        (root / "b").mkdir()
        (root / "a/c").write_bytes(INSIDE)
        (root / "secret").write_bytes(INSIDE)
        (root.parent / "secret").write_bytes(OUTSIDE)
        (root.parent.parent / "secret").write_bytes(OUTSIDE)
        for name, target in links.items():
            place = root / name
            if not place.exists() and not place.is_symlink() and place.parent.is_dir():
                # Some targets are absolute, and name what lies outside by its real path.
                place.symlink_to(target or str(root.parent))
        for wanted in (path, f"{root.parent}/{path}", str(root.parent / "secret")):
            found = attempt(lambda wanted=wanted: content(root, wanted), Failure)  # type: ignore[misc]
            assert isinstance(found, Failure) or found == INSIDE
