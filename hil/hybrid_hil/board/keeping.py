"""A board that is kept once it is provisioned: its overlay, the room it takes, and what is kept of it."""

import shutil
from pathlib import Path

from hybrid_hil.board import snapshot
from hybrid_hil.board.machine import Machine
from hybrid_hil.board.snapshot import Snapshot, SnapshotCache
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError

# About twice the memory that a booted board has touched, in bytes. QEMU gives nothing back of what did not fit.
ROOM_TO_KEEP = 512 << 20
ROOM_TO_WRITE = 32 << 20


class Keeping:
    """The overlay of one board in its run `folder`, and the snapshot of all boards of its `key`."""

    def __init__(self, folder: Path, snapshots: SnapshotCache, key: str) -> None:
        self.overlay = folder / snapshot.DISK
        self._folder = folder
        self._snapshots = snapshots
        self._key = key
        # What the board has begun as, or is kept as.
        self.kept: Snapshot | None = None

    def find(self) -> Snapshot | None:
        """What is kept of such a board, unless booting is faster."""
        found = self._snapshots.find(self._key)
        self.kept = found if found is not None and snapshot.worth_it(found) else None
        return self.kept

    def has_room(self) -> bool:
        return shutil.disk_usage(self._folder).free >= ROOM_TO_KEEP

    def keep(self, machine: Machine, boot_s: float, deadline: Deadline) -> None:
        """While it stands still; its SSH connection lives on."""
        with machine.standing_still(deadline):
            machine.command(f"savevm {snapshot.NAME}", deadline)
            self._snapshots.keep(self._key, self.overlay, boot_s)
        self.find()

    def copied(self, kept: Snapshot) -> bool:
        """Whether there was room for it, and for what the board will write; the snapshot is good nonetheless."""
        if shutil.disk_usage(self._folder).free < kept.size + ROOM_TO_WRITE:
            return False
        try:
            snapshot.copy(kept.disk, self.overlay)
        except RigError:
            return False
        return True

    def note(self, kept: Snapshot, seconds: float) -> None:
        """How long it took to restore it."""
        self._snapshots.note(kept, seconds)

    def drop(self) -> None:
        self._snapshots.drop(self._key)
