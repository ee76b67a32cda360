"""Following a trace buffer: firmware writes text into memory, as a ring or until it is full; we see snapshots.

The kernel shows the buffer up to its first NUL (rproc_trace_read, remoteproc_debugfs.c). Nothing is lost while
less than one buffer is written between two looks.
"""

import posix as os

from hybrid_runtime.machine import Machine
from hybrid_runtime.path import is_folder
from hybrid_runtime.processor.resource_table import trace_lengths

LARGEST_BUFFER = 1 << 20
# Firmware that wraps leaves at most this much of its buffer unused: some begin anew with a whole line.
_LONGEST_GAP = 512
# The kernel's own words in place of a buffer it cannot map, from a char[100].
_LONGEST_NOTICE = 100


class TraceRing:
    """What of each snapshot is new. Pure: snapshots in, text out."""

    def __init__(self) -> None:
        self.last = b""
        self.position = 0
        # Bytes of the whole buffer, 0 while not known.
        self.capacity = 0

    def overwrites(self, snapshot: bytes) -> bool:
        """Whether text was written over older text, so that a second look is needed to read it whole."""
        return snapshot != self.last and len(snapshot) >= len(self.last) and not snapshot.startswith(self.last)

    def advance(self, snapshot: bytes, second: bytes | None = None) -> tuple[bytes, bool]:
        """The new text, and whether the buffer was begun anew (cleared or reloaded).

        The firmware writes while the kernel copies: a byte may be read before it is written and the next one after.
        So the first look only tells how far the writing has come, and the text is taken from a `second` one, made
        when everything up to there is in place. Without it the first is taken for whole.
        """
        if second is None or len(second) != len(snapshot):
            second = snapshot
        previous = self.last
        if snapshot == previous:
            return b"", False
        if len(snapshot) < len(previous) or self._was_cleared(snapshot):
            return self._anew(snapshot), True
        if len(snapshot) == len(previous):
            return self._walk_ring(previous, snapshot, second), False
        if snapshot.startswith(previous):
            return self._anew(snapshot)[len(previous) :], False
        if self.position == len(previous):
            return self._wrapped(previous, snapshot, second), False
        return self._anew(snapshot), True

    def _was_cleared(self, snapshot: bytes) -> bool:
        """Other text in a buffer with room left is no ring's: it was written after a restart."""
        if not self.overwrites(snapshot):
            return False
        return len(snapshot) < self.capacity - min(_LONGEST_GAP, self.capacity // 4)

    def _anew(self, snapshot: bytes) -> bytes:
        self.last = snapshot
        self.position = len(snapshot)
        return snapshot

    def _wrapped(self, previous: bytes, snapshot: bytes, second: bytes) -> bytes:
        """Filled and begun from the front between two looks: first came the tail, then the overwritten beginning."""
        self.position = _last_difference(previous, snapshot[: len(previous)]) + 1
        self.last = second[: self.position] + previous[self.position :] + snapshot[len(previous) :]
        return snapshot[len(previous) :] + second[: self.position]

    def _walk_ring(self, previous: bytes, snapshot: bytes, second: bytes) -> bytes:
        """From the position to the last byte, in ring order, that differs."""
        size = len(snapshot)
        start = self.position % size
        before, after, whole = (text[start:] + text[:start] for text in (previous, snapshot, second))
        end = _last_difference(before, after) + 1
        self.position = (start + end) % size
        known = whole[:end] + before[end:]
        self.last = known[size - start :] + known[: size - start]
        return whole[:end]


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
        self.capacities: list[int] | None = None

    def is_reachable(self) -> bool:
        """Whether debugfs is mounted and open to us; a firmware without a buffer has an empty folder there."""
        return is_folder(self.folder)

    def read(self) -> tuple[bytes, bool]:
        """New text of all buffers, in their order, and whether any was begun anew."""
        text = b""
        restarted = False
        for name in self._names():
            snapshot = _snapshot(f"{self.folder}/{name}")
            if snapshot is None:
                continue
            ring = self.rings.setdefault(name, TraceRing())
            second = None
            if ring.overwrites(snapshot):
                second = _snapshot(f"{self.folder}/{name}")
                ring.capacity = self._capacity(name)
            new, again = ring.advance(snapshot, second)
            text += new
            restarted = restarted or again
        return text, restarted

    def _capacity(self, name: str) -> int:
        """Asked for only when text was overwritten, and then once: it is the firmware's."""
        if self.capacities is None:
            self.capacities = trace_lengths(f"{self.folder}/resource_table")
        number = name.removeprefix("trace")
        index = int(number) if number.isdigit() else len(self.capacities)
        return self.capacities[index] if index < len(self.capacities) else 0

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
        # One read of the whole buffer: two halves would be further apart in time.
        text = os.read(descriptor, LARGEST_BUFFER)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    if len(text) < _LONGEST_NOTICE and text.startswith(b"Trace ") and text.endswith(b" not available\n"):
        return None
    return text.partition(b"\0")[0]
