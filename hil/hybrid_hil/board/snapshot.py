"""Booted boards that are kept: the memory inside the disk's overlay, as QEMU's savevm leaves it."""

import hashlib
import json
import secrets
import shlex
import statistics
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError
from hybrid_hil.host.cache import Cache, Component
from hybrid_hil.terminal import QuietReporter, Step

NAME = "ready"
KIND = "snapshot"
DISK = "disk.qcow2"
FACTS = "facts.json"
TIMES = "times"
# Each is as large as the memory its board has touched.
MOST_KEPT = 4
ENOUGH_TIMES = 3
LATEST_TIMES = 9


@dataclass(frozen=True)
class Snapshot:
    """`boot_s` is what the boot took that it spares; `restored_s` what restoring it took lately."""

    folder: Path
    boot_s: float
    restored_s: tuple[float, ...]

    @property
    def disk(self) -> Path:
        return self.folder / DISK

    @property
    def size(self) -> int:
        """The bytes its disk takes; 0 when it has just made room for another."""
        try:
            return self.disk.stat().st_blocks * 512
        except FileNotFoundError:
            return 0


def worth_it(snapshot: Snapshot) -> bool:
    """Whether restoring is faster than booting; it is tried a few times before it is judged."""
    times = snapshot.restored_s
    return len(times) < ENOUGH_TIMES or statistics.median(times) < snapshot.boot_s


def key_of(*parts: str) -> str:
    """The name of a snapshot by everything that makes it what it is."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


# What is written to /dev/urandom counts from its next seed on, which may be a minute away. RNDRESEEDCRNG of
# linux/random.h seeds it now.
_RESEED = """
import fcntl, sys
with open("/dev/urandom", "wb", 0) as pool:
    pool.write(bytes.fromhex(sys.argv[1]))
    fcntl.ioctl(pool, 0x5207)
"""


def refreshment() -> str:
    """What a board is told that cannot know how long it slept: the time, and randomness of its own."""
    seed = shlex.join(["python3", "-IS", "-c", _RESEED, secrets.token_hex(32)])
    return f"date -s @{time.time():.0f} >/dev/null && {seed}"


class SnapshotCache:
    """The snapshots in the cache, newest first; the old make room."""

    def __init__(self, cache: Cache | None = None) -> None:
        self._cache = cache or Cache()

    def find(self, key: str) -> Snapshot | None:
        """None also for one that is damaged: a board can always be booted."""
        folder = self._cache.path(Component(KIND, key))
        try:
            facts = json.loads((folder / FACTS).read_text())
            times = (folder / TIMES).read_text().split() if (folder / TIMES).exists() else []
            return Snapshot(folder, float(facts["boot_s"]), tuple(map(float, times[-LATEST_TIMES:])))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, key: str, disk: Path, boot_s: float) -> None:
        """Copies a disk that has the snapshot inside; its board stands still meanwhile."""

        def make(folder: Path, _step: Step) -> None:
            copy(disk, folder / DISK)
            (folder / FACTS).write_text(json.dumps({"boot_s": boot_s}) + "\n")

        self._cache.made(Component(KIND, key), make, QuietReporter(), "keep a booted board")
        for old in self._cache.components(KIND)[MOST_KEPT:]:
            self.drop(old.digest)

    def note(self, snapshot: Snapshot, seconds: float) -> None:
        """Remembers how long a restore took, unless it has made room meanwhile, or nothing can be written there."""
        with suppress(OSError), (snapshot.folder / TIMES).open("a") as times:
            times.write(f"{seconds:.3f}\n")

    def drop(self, key: str) -> None:
        component = Component(KIND, key)
        with self._cache.claimed(component) as free:
            if free and self._cache.has(component):
                self._cache.remove(component)


def make_overlay(disk: Path, overlay: Path) -> None:
    """A fresh qcow2 that takes what a board writes over a raw disk, and its memory.

    Raises:
        RigError: qemu-img is missing or refuses.
    """
    overlay.unlink(missing_ok=True)
    _run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(disk), str(overlay))


def copy(source: Path, target: Path) -> None:
    """By reference where the file system can. Raises RigError, and leaves no half of a copy."""
    try:
        _run("cp", "--sparse=always", "--reflink=auto", str(source), str(target))
    except RigError:
        target.unlink(missing_ok=True)
        raise


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=Deadline(60).remaining())
    except FileNotFoundError:
        raise RigError(f"`{command[0]}` is not installed", "hil doctor shows what to install", exit_code=2) from None
    except subprocess.SubprocessError as error:
        said = getattr(error, "stderr", None) or str(error)
        raise RigError(f"`{' '.join(command)}` failed: {said.strip()}") from error
