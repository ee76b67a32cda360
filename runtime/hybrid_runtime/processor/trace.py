"""Following trace buffers: firmware writes text into memory, as a ring or until it is full; we see snapshots.

The kernel shows a buffer up to its first NUL (rproc_trace_read, remoteproc_debugfs.c). Nothing is lost while less than
one buffer is written between two looks. How many buffers there are, and how large, is the firmware's to say: so many
are followed, and of each so much, that all snapshots that are kept together are bounded.
"""

import posix as os
from time import monotonic

from hybrid_runtime.processor.resource_table import trace_lengths
from hybrid_runtime.system.path import is_folder
from hybrid_runtime.system.system_paths import SystemPaths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_BUFFERS = 16
LARGEST_BYTES = 1 << 20
# Files of buffers are made before the core runs: another one is a surprise, and looking for it costs a quiet
# supervisor time.
LOOK_FOR_NEW_SECONDS = 5.0
# Firmware that wraps leaves at most this much of its buffer unused: some begin anew with a whole line.
_LONGEST_GAP = 512
# The kernel's own words in place of a buffer it cannot map, from a char[100].
_LONGEST_NOTICE = 100
_COMPARED_AT_ONCE = 4096


class TraceRing:
    """What of each snapshot is new. Pure: snapshots in, text out. Holds one snapshot, and two while it compares."""

    def __init__(self) -> None:
        self.last: bytes | bytearray = b""
        self.position = 0
        # Bytes of the whole buffer, 0 while not known.
        self.capacity = 0

    def overwrites(self, snapshot: bytes) -> bool:
        """Whether text was written over older text, so that a second look is needed to read it whole."""
        return snapshot != self.last and len(snapshot) >= len(self.last) and not snapshot.startswith(self.last)

    def advance(self, snapshot: bytes, look_again: "Callable[[], bytes | None] | None" = None) -> tuple[bytes, bool]:
        """The new text, and whether the buffer was begun anew (cleared or reloaded).

        The firmware writes while the kernel copies: a byte may be read before it is written and the next one after.
        So where text was overwritten the first look only tells how far the writing has come, and the text is taken
        from a second one, made when everything up to there is in place. Without it the first is taken for whole.
        """
        previous = self.last
        if snapshot == previous:
            return b"", False
        if len(snapshot) < len(previous) or self._was_cleared(snapshot):
            return self._anew(snapshot), True
        if snapshot.startswith(previous):
            return self._anew(snapshot)[len(previous) :], False
        if len(snapshot) > len(previous) and self.position != len(previous):
            return self._anew(snapshot), True
        # It may have been filled, and begun from the front, since: what is new of it differs from NUL.
        known = previous if isinstance(previous, bytearray) else bytearray(previous)
        known += bytes(len(snapshot) - len(previous))
        self.last = previous = b""
        start = self.position % len(snapshot)
        end = _end_of_writing(known, snapshot, start)
        if look_again is not None:
            second = look_again()
            if second is not None and len(second) >= len(snapshot):
                # Longer: the first was measured while there was room, and the writing has come round since.
                start = self.position % len(second)
                snapshot = second if end <= start else second[: len(snapshot)]
                known += bytes(len(snapshot) - len(known))
        text = snapshot[start:end] if end > start else snapshot[start:] + snapshot[:end]
        _overwrite(known, snapshot, start, end)
        self.last, self.position = known, end % len(snapshot)
        return text, False

    def _was_cleared(self, snapshot: bytes) -> bool:
        """Other text in a buffer with room left is no ring's: it was written after a restart."""
        if not self.overwrites(snapshot):
            return False
        return len(snapshot) < self.capacity - min(_LONGEST_GAP, self.capacity // 4)

    def _anew(self, snapshot: bytes) -> bytes:
        self.last = snapshot
        self.position = len(snapshot)
        return snapshot


def _end_of_writing(before: bytearray, after: bytes, start: int) -> int:
    """Behind the last byte that differs, in the order of a ring that is written from `start` on."""
    in_front = _last_difference(before, after, 0, start)
    return (in_front if in_front >= 0 else _last_difference(before, after, start, len(after))) + 1


def _last_difference(before: bytearray, after: bytes, low: int, high: int) -> int:
    """Index of the last differing byte between `low` and `high`; -1 when equal. Comparisons of memory, since a loop
    over the bytes of a large buffer would cost the supervisor more than everything else it does."""
    while high > low:
        chunk = max(low, high - _COMPARED_AT_ONCE)
        if before[chunk:high] != after[chunk:high]:
            low = chunk
            break
        high = chunk
    else:
        return -1
    # Invariant: they differ somewhere in [low:high], and nowhere above.
    while high - low > 1:
        middle = (low + high) // 2
        if before[middle:high] == after[middle:high]:
            high = middle
        else:
            low = middle
    return low


def _overwrite(known: bytearray, text: bytes, start: int, end: int) -> None:
    """The part of the ring from `start` to `end`, which may come before it; in place."""
    parts = [(start, end)] if end > start else [(start, len(known)), (0, end)]
    for first, last in parts:
        memoryview(known)[first:last] = memoryview(text)[first:last]


class Trace:
    """The trace buffers of a processor, each followed by itself."""

    def __init__(self, system: SystemPaths, device: str) -> None:
        self.folder = system.trace_folder(device)
        self.rings: dict[str, TraceRing] = {}
        self.capacities: list[int] | None = None
        self.look_for_new = 0.0
        # Bytes of all snapshots.
        self.kept = 0
        # What is left out, as it was found; each is told once.
        self.limits: list[str] = []
        self.told: set[str] = set()

    def is_reachable(self) -> bool:
        """Whether debugfs is mounted and open to us; a firmware without a buffer has an empty folder there."""
        return is_folder(self.folder)

    def read(self) -> "Iterator[tuple[str, bytes, bool]]":
        """Of each buffer with new text, in their order: its name, the text, and whether it was begun anew."""
        if not self.rings or monotonic() >= self.look_for_new:
            self._find_buffers()
        for name, ring in tuple(self.rings.items()):
            before = len(ring.last)
            text, anew = self._advance(name, ring, LARGEST_BYTES - self.kept + before)
            if text or anew:
                self.kept += len(ring.last) - before
                yield name, text, anew

    def _advance(self, name: str, ring: TraceRing, most: int) -> tuple[bytes, bool]:
        """As the ring's own, of the first `most` bytes of the buffer."""
        path = f"{self.folder}/{name}"
        snapshot = _snapshot(path, most + 1)
        if snapshot is None or snapshot == ring.last:
            return b"", False
        if len(snapshot) > most:
            self._leave_out(name, f"of trace buffer `{name}` only the first {most} bytes are followed, {_LIMIT}")
            snapshot = snapshot[:most]
        if ring.overwrites(snapshot):
            ring.capacity = self._capacity(name)
        # Given away: the ring lets go of the first snapshot before it holds what it made of the second.
        handed = [snapshot]
        del snapshot
        return ring.advance(handed.pop(), lambda: _snapshot(path, most))

    def _find_buffers(self) -> None:
        """trace0, trace1, … as far as they are there and may be followed."""
        self.look_for_new = monotonic() + LOOK_FOR_NEW_SECONDS
        try:
            names = sorted(filter(_is_buffer, os.listdir(self.folder)), key=_number)
        except OSError:
            return
        if len(names) > MOST_BUFFERS:
            left_out = f"`{names[MOST_BUFFERS]}` to `{names[-1]}`"
            self._leave_out("", f"trace buffers {left_out} are not followed, {_LIMIT}")
        self.rings = {name: self.rings.get(name) or TraceRing() for name in names[:MOST_BUFFERS]}
        self.kept = sum(len(ring.last) for ring in self.rings.values())

    def _leave_out(self, name: str, what: str) -> None:
        if name not in self.told:
            self.told.add(name)
            self.limits.append(what)

    def _capacity(self, name: str) -> int:
        """Asked for only when text was overwritten, and then once: it is the firmware's."""
        if self.capacities is None:
            self.capacities = trace_lengths(f"{self.folder}/resource_table", MOST_BUFFERS)
        index = _number(name)
        return self.capacities[index] if index < len(self.capacities) else 0

    def begin_anew(self) -> None:
        """The core was reloaded: its buffers start empty, whatever they held."""
        self.rings = {}


_LIMIT = f"the most is {MOST_BUFFERS} buffers and {LARGEST_BYTES >> 10} KiB of all"


def _is_buffer(name: str) -> bool:
    """The kernel's names: rproc_handle_trace, remoteproc_core.c."""
    number = name.removeprefix("trace")
    return number != name and number.isascii() and number.isdigit()


def _number(name: str) -> int:
    return int(name.removeprefix("trace"))


def _snapshot(path: str, most: int) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        # One read of the whole buffer: two halves would be further apart in time.
        text = os.read(descriptor, most)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    if len(text) < _LONGEST_NOTICE and text.startswith(b"Trace ") and text.endswith(b" not available\n"):
        return None
    return text.partition(b"\0")[0]
