"""A disk of the host that takes no more under a running board. About a minute."""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_hil.board.options import QemuOptions
from hybrid_hil.board.qemu import QemuBoard
from hybrid_hil.board.snapshot import DISK, KIND, SnapshotCache
from hybrid_hil.console import ConsoleError
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError
from hybrid_hil.host.cache import Cache
from hybrid_hil.image import Image
from hybrid_hil.shell import ShellError

BOOT_S = 90.0
MEBIBYTES = 160
LITTLE = 24 << 20
LONG_S = 60.0
# More than the host's disk takes then, less than the board's own.
FILL_THE_BOARD = "dd if=/dev/urandom of=/root/filler bs=1M count=48 2>&1 && sync"


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own with little room, as /run/user often is one."""
    if os.getuid() != 0:
        pytest.skip("needs root: only root mounts a file system")
    with tempfile.TemporaryDirectory(prefix="small-", dir="/tmp") as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={MEBIBYTES}m,mode=700", "small", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"needs a file system of its own: {done.stderr.strip()}")
        yield Path(folder)
        # A test that failed may hold a file there.
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path, leaving: int = 0) -> None:
    """But for so many bytes."""
    filler = os.open(folder / "filler", os.O_CREAT | os.O_WRONLY)
    os.posix_fallocate(filler, 0, shutil.disk_usage(folder).free - leaving)
    os.close(filler)
    assert shutil.disk_usage(folder).free == leaving


@pytest.fixture
def board(image: Image, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[QemuBoard]:
    """A board whose run folder is on the small disk."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(small_disk))
    with QemuBoard(image) as fresh:
        fresh.power_on(Deadline(BOOT_S))
        fill(small_disk, LITTLE)
        yield fresh


def test_a_full_run_folder_is_the_cause_of_every_wait(board: QemuBoard, small_disk: Path) -> None:
    cause = f"the board stands still: no space in `{small_disk}/hybrid-hil/{board.name}` "
    waited: list[str] = []

    def wait() -> None:
        with pytest.raises(ConsoleError) as caught:
            board.console.expect("what never comes", Deadline(LONG_S))
        waited.append(caught.value.message)

    waiter = threading.Thread(target=wait)
    waiter.start()
    begun = Deadline(LONG_S)
    with pytest.raises(ShellError) as caught:
        board.shell.run(FILL_THE_BOARD, deadline=Deadline(LONG_S))
    waiter.join()
    assert not begun.expired
    assert f"cannot end: {cause}(" in caught.value.message
    assert cause in waited[0]
    with pytest.raises(RigError) as unwell:
        board.raise_unless_well()
    assert unwell.value.message.startswith(cause)
    (small_disk / "filler").unlink()
    board.power_cycle(Deadline(BOOT_S))
    assert board.shell.run("echo again").stdout == "again\n"


def test_a_board_without_room_to_start_says_so(image: Image, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """QEMU's own words find no room either."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(small_disk))
    with QemuBoard(image) as fresh:
        fill(small_disk)
        with pytest.raises(RigError, match=f"no space in `{small_disk}/hybrid-hil/{fresh.name}` "):
            fresh.power_on(Deadline(BOOT_S))


@pytest.mark.parametrize("fits", [False, True], ids=["does-not-fit", "would-fill-the-disk"])
def test_a_kept_board_without_room_is_booted_and_stays_kept(
    image: Image, small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fits: bool
) -> None:
    """The small disk takes what the board writes, and not that and its memory, neither copied nor kept anew."""
    options, snapshots = QemuOptions(prepared="for this test"), SnapshotCache(Cache(tmp_path / "cache"))

    def board() -> QemuBoard:
        return QemuBoard(image, options, snapshots=snapshots)

    with board() as kept:
        kept.power_on(Deadline(BOOT_S))
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("XDG_RUNTIME_DIR", str(small_disk))
        (snapshot,) = (tmp_path / "cache").glob(f"{KIND}/*/{DISK}")
        fill(small_disk, snapshot.stat().st_blocks * 512 + LITTLE if fits else LITTLE)
        with board() as booted:
            booted.power_on(Deadline(BOOT_S))
            assert (booted.boots, booted.restores) == (1, 0)
            booted.shell.run("echo written >/root/file && sync")
            assert booted.health.cause is None
    with board() as again:
        again.power_on(Deadline(BOOT_S))
        assert (again.boots, again.restores) == (0, 1)
