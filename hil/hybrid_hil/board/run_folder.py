"""A running board's own folder: sockets, logs, the disk's overlay. Its lock dies with its owner."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from filelock import FileLock, Timeout

from hybrid_hil.failure import RigError, told
from hybrid_hil.host.checkout import checkout_name
from hybrid_hil.shell import Address

LOCK = "lock"
RUN_INFO = "board.json"
PREFIX = "board-"
# what unix(7) allows for a socket, less our own part of the path
LONGEST_ROOT = 60
A_FEW_WORDS = 1 << 14
MORE_ROOM = "free some space there, or let XDG_RUNTIME_DIR name a short path on a larger disk"


@dataclass(frozen=True)
class RunInfo:
    """How others on this machine reach a running board, and whose it is: `checkout` is the path of the checkout whose
    rig runs it, empty when that rig did not say."""

    owner: str
    layout: str
    port: int
    host_key: str
    login_key: str
    qemu_pid: int
    checkout: str = ""

    @classmethod
    def of(cls, owner: str, layout: str, address: Address, qemu_pid: int) -> "RunInfo":
        key = str(address.login_key)
        return cls(owner, layout, address.port, address.host_key, key, qemu_pid, checkout_name())

    @classmethod
    def parse(cls, text: str) -> "RunInfo":
        """As this rig or another version has written it, which may say more."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in json.loads(text).items() if name in known})

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self.port, self.host_key, Path(self.login_key))


def runs_root() -> Path:
    """The folder of all run folders: below XDG_RUNTIME_DIR, else in /tmp; 0700 and ours.

    Raises:
        RigError: something else has taken its name.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    fits = 0 < len(runtime) <= LONGEST_ROOT
    root = Path(runtime) / "hybrid-hil" if fits else Path(f"/tmp/hybrid-hil-{os.getuid()}")
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = root.lstat()
    if root.is_symlink() or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise RigError(f"`{root}` is not a folder of ours alone", f"remove it: rm -r {root}")
    return root


def room(folder: Path) -> str:
    """The free space where `folder` is, in words."""
    free = shutil.disk_usage(folder).free
    return f"{free >> 20} MiB" if free >> 20 else f"{free >> 10} KiB"


def no_space(folder: Path) -> str:
    """That there is none where `folder` is, and how much is left after all."""
    return f"no space in `{folder}` ({room(folder)} free there)"


def is_full(folder: Path) -> bool:
    """Whether not even a few words fit there any more, such as QEMU's last ones."""
    return shutil.disk_usage(folder).free < A_FEW_WORDS


@contextmanager
def filling(folder: Path) -> Iterator[None]:
    """Writes files below `folder` meanwhile. Raises RigError for what its file system refuses."""
    try:
        yield
    except OSError as error:
        raise RigError(f"`{folder}` takes no file: {told(error)} ({room(folder)} free there)", MORE_ROOM) from error


class RunFolder:
    """A folder held by its lock from `make` to `remove`; whoever gets the lock of a stale one sweeps it."""

    def __init__(self, path: Path, lock: FileLock) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def make(cls, root: Path) -> "RunFolder":
        """Sweeps what the dead left behind and makes a fresh folder. Raises RigError when there is no room for it."""
        with filling(root), FileLock(root / "sweep.lock"):
            sweep(root)
            path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
            lock = FileLock(path / LOCK)
            lock.acquire(blocking=False)
        return cls(path, lock)

    def publish(self, run_info: RunInfo) -> None:
        """Lets others find the board. Raises RigError when there is no room for that."""
        fresh = self.path / f"{RUN_INFO}.new"
        with filling(self.path):
            fresh.write_text(json.dumps(asdict(run_info), indent=2) + "\n")
            fresh.rename(self.path / RUN_INFO)

    def withdraw(self) -> None:
        """The board cannot be reached any more."""
        (self.path / RUN_INFO).unlink(missing_ok=True)

    def remove(self) -> None:
        """Removes the folder, then lets go of its lock."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()


def sweep(root: Path) -> list[Path]:
    """Removes the folders whose owner is dead, and returns them. Callers hold `sweep.lock`."""
    return [folder for folder in sorted(root.glob(f"{PREFIX}*")) if _swept(folder)]


def _swept(folder: Path) -> bool:
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    lock.release()
    return True


def running_boards(root: Path) -> Iterator[tuple[Path, RunInfo]]:
    """The boards that can be reached now, newest first."""
    published = sorted(root.glob(f"{PREFIX}*/{RUN_INFO}"), key=_made, reverse=True)
    for path in published:
        lock = FileLock(path.parent / LOCK)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            yield path.parent, RunInfo.parse(path.read_text())
        else:
            lock.release()


def _made(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
