"""Following a trace buffer: firmware writes text into memory, as a ring or until it is full; we see snapshots.

The kernel shows the buffer up to its first NUL (rproc_trace_read, remoteproc_debugfs.c). Nothing is lost while
less than one buffer is written between two looks.
"""

import os

from hybrid_runtime.machine import Machine

LARGEST_BUFFER = 1 << 20
# The kernel's own words in place of a buffer it cannot map, from a char[100].
_LONGEST_NOTICE = 100


class TraceRing:
    """What of each snapshot is new. Pure: snapshots in, text out."""

    def __init__(self) -> None:
        self.last = b""
        self.position = 0

    def advance(self, snapshot: bytes) -> tuple[bytes, bool]:
        """The new text, and whether the buffer was begun anew (cleared or reloaded)."""
        previous, self.last = self.last, snapshot
        if snapshot == previous:
            return b"", False
        if len(snapshot) < len(previous):
            self.position = len(snapshot)
            return snapshot, True
        if len(snapshot) > len(previous):
            return self._grown(previous, snapshot)
        return self._walk_ring(previous, snapshot), False

    def _grown(self, previous: bytes, snapshot: bytes) -> tuple[bytes, bool]:
        if snapshot.startswith(previous):
            self.position = len(snapshot)
            return snapshot[len(previous) :], False
        if self.position == len(previous):
            # Filled and wrapped between two looks: the tail came first, then the overwritten beginning.
            tail = snapshot[len(previous) :]
            changed = _last_difference(previous, snapshot[: len(previous)])
            self.position = changed + 1
            return tail + snapshot[: changed + 1], False
        self.position = len(snapshot)
        return snapshot, True

    def _walk_ring(self, previous: bytes, snapshot: bytes) -> bytes:
        """From the position to the last byte, in ring order, that differs."""
        start = self.position % len(snapshot)
        # Rotated so that the walk is one comparison from the front.
        before = previous[start:] + previous[:start]
        after = snapshot[start:] + snapshot[:start]
        end = _last_difference(before, after) + 1
        self.position = (start + end) % len(snapshot)
        return after[:end]


def _last_difference(before: bytes, after: bytes) -> int:
    """Index of the last differing byte; -1 when equal. A binary search, since a byte loop over a
    large buffer would cost the supervisor more than everything else it does."""
    low, high = 0, len(before)
    if before == after:
        return -1
    # Invariant: before[high:] == after[high:], and they differ somewhere in [low:high].
    while high - low > 1:
        middle = (low + high) // 2
        if before[middle:high] == after[middle:high]:
            high = middle
        else:
            low = middle
    return low


class Trace:
    """All trace buffers of a processor, followed as one text."""

    def __init__(self, machine: Machine, device: str) -> None:
        self.folder = machine.trace_folder(device)
        self.rings: dict[str, TraceRing] = {}

    def read(self) -> tuple[bytes, bool]:
        """New text of all buffers, in their order, and whether any was begun anew."""
        text = b""
        restarted = False
        for name in self._names():
            snapshot = _snapshot(f"{self.folder}/{name}")
            if snapshot is None:
                continue
            ring = self.rings.setdefault(name, TraceRing())
            new, again = ring.advance(snapshot)
            text += new
            restarted = restarted or again
        return text, restarted

    def _names(self) -> list[str]:
        """trace0, trace1, … as far as they exist; known ones are asked for without listing the folder."""
        if self.rings:
            return list(self.rings)
        try:
            return sorted(name for name in os.listdir(self.folder) if name.startswith("trace"))
        except OSError:
            return []

    def begin_anew(self) -> None:
        """The core was reloaded: its buffers start empty, whatever they held."""
        self.rings.clear()


def _snapshot(path: str) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        # One read of the whole buffer: two would see two moments.
        text = os.read(descriptor, LARGEST_BUFFER)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    if len(text) < _LONGEST_NOTICE and text.startswith(b"Trace ") and text.endswith(b" not available\n"):
        return None
    return text.partition(b"\0")[0]
