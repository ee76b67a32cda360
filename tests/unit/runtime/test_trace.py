"""Following a trace buffer: a ring writer on one side, snapshots on the other."""

import posix
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_runtime.processor.resource_table import trace_lengths
from hybrid_runtime.processor.trace import LOOK_FOR_NEW_SECONDS, Trace, TraceRing, _last_difference
from hybrid_runtime.system.system_paths import SystemPaths


class RingWriter:
    """Firmware that wraps: the byte at index i goes to i mod size. What is not written yet is NUL."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.memory = bytearray(size)
        self.written = 0

    def write(self, text: bytes) -> None:
        for byte in text:
            self.memory[self.written % self.size] = byte
            self.written += 1

    def snapshot(self) -> bytes:
        """As the kernel shows it: up to the first NUL."""
        return bytes(self.memory).partition(b"\0")[0]


def numbered(first: int, count: int) -> bytes:
    """Lines no two of which are alike, so that overwriting one by another is seen."""
    return b"".join(b"%d;" % number for number in range(first, first + count))


@given(size=st.integers(24, 300), amounts=st.lists(st.integers(0, 40), max_size=40))
def test_output_equals_input_while_less_than_a_buffer_comes_between_polls(size: int, amounts: list[int]) -> None:
    writer, ring = RingWriter(size), TraceRing()
    sent = received = b""
    number = 0
    for amount in amounts:
        text = numbered(number, amount)
        while len(text) >= size - len(sent[len(received) :]):
            amount //= 2  # noqa: PLW2901
            text = numbered(number, amount)
        number += amount
        writer.write(text)
        sent += text
        new, restarted = ring.advance(writer.snapshot())
        received += new
        assert not restarted
        # Bytes equal to those they overwrite come out with the next difference.
        assert sent.startswith(received)
        held_back = sent[len(received) :]
        before = sent[len(received) - size : len(received) - size + len(held_back)]
        assert held_back in (b"", before)


class RacingWriter(RingWriter):
    """Firmware on another core: it writes on while its buffer is being copied."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.text = b"".join(b"%d;" % number for number in range(5000))

    def step(self, count: int) -> None:
        self.write(self.text[self.written : self.written + count])

    def copied(self, lead: int, burst: int) -> bytes:
        """The kernel measures up to the first NUL, then copies from the front to there. The firmware writes `burst`
        bytes when the copy is `lead` bytes past the place where it writes: between 0 and `burst` the copy is torn."""
        length = len(self.snapshot())
        moment = (self.written + lead) % self.size
        copy = bytearray()
        for at in range(length):
            if at == moment:
                self.step(burst)
            copy.append(self.memory[at])
        return bytes(copy)


RACES = st.tuples(st.integers(-2, 8), st.integers(0, 8))


@given(
    size=st.integers(48, 64),
    before=st.integers(0, 64),
    looks=st.lists(st.tuples(st.integers(0, 12), RACES, RACES), min_size=4, max_size=12),
)
def test_a_copy_made_while_the_firmware_writes_is_never_torn(
    size: int, before: int, looks: list[tuple[int, tuple[int, int], tuple[int, int]]]
) -> None:
    writer, ring = RacingWriter(size), TraceRing()
    writer.step(min(size, before))
    received = ring.advance(writer.snapshot())[0]
    for between, (lead, burst), second_race in looks:
        writer.step(between)
        # More than a buffer between two looks is lost, race or no race.
        unread = writer.written - len(received)
        first = writer.copied(lead, burst if unread < size // 2 else 0)
        received += ring.advance(first, lambda race=second_race: writer.copied(*race))[0]  # type: ignore[misc]
        assert writer.text.startswith(received)


def test_overwritten_text_is_taken_from_the_second_look() -> None:
    """In the first one a byte was copied before it was written, and the one behind it after."""
    ring = TraceRing()
    ring.advance(b"abcdefgh")
    assert ring.advance(b"12c45fgh", lambda: b"1234567h") == (b"12345", False)
    assert ring.advance(b"1234567h", lambda: b"1234567h") == (b"67", False)


@given(
    size=st.integers(1, 12),
    texts=st.lists(st.text(alphabet="ab", max_size=12).map(str.encode), max_size=30),
)
def test_any_bytes_while_less_than_a_buffer_is_held_back(size: int, texts: list[bytes]) -> None:
    """Even of two letters, as long as what was held back and what is new fit the buffer."""
    writer, ring = RingWriter(size), TraceRing()
    sent = received = b""
    for text in texts:
        room = size - (len(sent) - len(received))
        writer.write(text[: max(0, room - 1)])
        sent += text[: max(0, room - 1)]
        received += ring.advance(writer.snapshot())[0]
        assert sent.startswith(received)


@given(size=st.integers(16, 64), amounts=st.lists(st.integers(0, 60), max_size=20))
def test_after_a_gap_it_goes_on(size: int, amounts: list[int]) -> None:
    """More than a buffer between two polls is lost; what comes out later is text of the ring, never more than it."""
    writer, ring = RingWriter(size), TraceRing()
    number = 0
    for amount in amounts:
        writer.write(numbered(number, amount))
        number += amount
        snapshot = writer.snapshot()
        new, _ = ring.advance(snapshot)
        assert len(new) <= len(snapshot)
        assert new in snapshot + snapshot


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_any_snapshots(snapshots: list[bytes]) -> None:
    ring = TraceRing()
    for snapshot in snapshots:
        new, _ = ring.advance(snapshot)
        assert len(new) <= len(snapshot)
        assert ring.advance(snapshot) == (b"", False)


def test_fills_without_wrapping() -> None:
    ring = TraceRing()
    assert ring.advance(b"") == (b"", False)
    assert ring.advance(b"one\n") == (b"one\n", False)
    assert ring.advance(b"one\ntwo\n") == (b"two\n", False)


def test_fills_and_wraps_between_two_looks() -> None:
    ring = TraceRing()
    ring.advance(b"0123")
    assert ring.advance(b"8923" + b"4567") == (b"456789", False)


@pytest.mark.parametrize(("before", "first", "new"), [(b"0123", b"89234", b"456789"), (b"012345", b"892345", b"6789")])
def test_fills_and_wraps_during_a_look(before: bytes, first: bytes, new: bytes) -> None:
    """Its length was measured while there was room, and it has come round while it was copied."""
    ring = TraceRing()
    ring.advance(before)
    assert ring.advance(first, lambda: b"89234567") == (new, False)
    assert ring.advance(b"89a34567") == (b"a", False)


def test_begun_anew() -> None:
    ring = TraceRing()
    ring.advance(b"old text")
    assert ring.advance(b"new") == (b"new", True)
    assert ring.advance(b"new line") == (b" line", False)
    assert ring.advance(b"") == (b"", True)
    assert ring.advance(b"again") == (b"again", False)


@given(lives=st.lists(st.integers(1, 60), min_size=2, max_size=8))
def test_a_restart_is_known_by_the_room_that_is_left(lives: list[int]) -> None:
    """Nobody tells of the restarts: each life writes other lines, more or fewer than the one before, or as many."""
    ring = TraceRing()
    ring.capacity = 4096
    for boot, lines in enumerate(lives):
        text = b"".join(b"boot %d line %d\n" % (boot, line) for line in range(lines))
        new, anew = ring.advance(text)
        assert (new, anew) == (text, boot > 0)


@pytest.mark.parametrize("unused", [0, 1, 100, 511])
def test_a_ring_that_leaves_some_room_is_no_restart(unused: int) -> None:
    """Some firmware begins anew where its next line does not fit."""
    ring = TraceRing()
    ring.capacity = 4096
    full = b"x" * (4096 - unused)
    ring.advance(full)
    assert ring.advance(b"next" + full[4:]) == (b"next", False)


def test_large_rings_are_walked_quickly() -> None:
    """A look at a megabyte costs comparisons of memory, not a loop over bytes."""
    from time import process_time

    ring = TraceRing()
    buffer = bytearray(b"x" * (1 << 20))
    ring.advance(bytes(buffer))
    started = process_time()
    for number in range(10):
        buffer[number * 1000 : number * 1000 + 900] = b"%0900d" % number
        new, _ = ring.advance(bytes(buffer))
        assert new.endswith(b"%0900d" % number)
    assert process_time() - started < 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "sys/kernel/debug/remoteproc/remoteproc0"
    folder.mkdir(parents=True)
    return folder


def read(trace: Trace) -> list[tuple[str, bytes, bool]]:
    return list(trace.read())


def test_each_buffer_by_itself(tmp_path: Path, folder: Path) -> None:
    trace = Trace(SystemPaths(str(tmp_path)), "remoteproc0")
    assert read(trace) == []
    (folder / "resource_table").write_bytes(b"no trace")
    (folder / "trace1").write_bytes(b"second\n")
    (folder / "trace0").write_bytes(b"first\n\0garbage")
    assert read(trace) == [("trace0", b"first\n", False), ("trace1", b"second\n", False)]
    (folder / "trace1").write_bytes(b"second\nmore\n")
    assert read(trace) == [("trace1", b"more\n", False)]
    (folder / "trace0").unlink()
    assert read(trace) == []
    trace.begin_anew()
    (folder / "trace0").write_bytes(b"reloaded\n")
    assert read(trace) == [("trace0", b"reloaded\n", False), ("trace1", b"second\nmore\n", False)]


def test_buffers_come_in_the_order_of_their_numbers(tmp_path: Path, folder: Path) -> None:
    for number in (10, 2, 0):
        (folder / f"trace{number}").write_bytes(b"text\n")
    for name in ("trace", "trace1x", "traces", "trace_9"):
        (folder / name).write_bytes(b"no buffer\n")
    trace = Trace(SystemPaths(str(tmp_path)), "remoteproc0")
    assert [name for name, _, _ in read(trace)] == ["trace0", "trace2", "trace10"]


def test_a_buffer_that_appears_later(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "trace0").write_bytes(b"first\n")
    trace = Trace(SystemPaths(str(tmp_path)), "remoteproc0")
    assert read(trace) == [("trace0", b"first\n", False)]
    (folder / "trace1").write_bytes(b"late\n")
    listed: list[str] = []
    listdir = posix.listdir

    def noted(path: str) -> list[str]:
        listed.append(path)
        return listdir(path)

    monkeypatch.setattr(posix, "listdir", noted)
    assert (read(trace), listed) == ([], []), "a quiet look lists no folder"
    now = monotonic() + LOOK_FOR_NEW_SECONDS
    monkeypatch.setattr("hybrid_runtime.processor.trace.monotonic", lambda: now)
    assert read(trace) == [("trace1", b"late\n", False)]
    assert (read(trace), len(listed)) == ([], 1)


def test_so_many_buffers_and_no_more(tmp_path: Path, folder: Path) -> None:
    for number in range(600):
        (folder / f"trace{number}").write_bytes(b"text\n")
    trace = Trace(SystemPaths(str(tmp_path)), "remoteproc0")
    for _ in range(2):
        assert [name for name, _, _ in read(trace)] == [f"trace{number}" for number in range(16)]
        trace.begin_anew()
    assert trace.limits == [
        "trace buffers `trace16` to `trace599` are not followed, the most is 16 buffers and 1024 KiB of all"
    ]


def test_so_many_bytes_and_no_more(tmp_path: Path, folder: Path) -> None:
    """Of the first buffers everything, of one that does not fit its beginning. Growing takes nothing from others."""
    trace = Trace(SystemPaths(str(tmp_path)), "remoteproc0")
    (folder / "trace0").write_bytes(b"0" * 1000)
    (folder / "trace1").write_bytes(b"1" * (1 << 20))
    (folder / "trace2").write_bytes(b"2")
    assert [(name, len(text)) for name, text, _ in read(trace)] == [("trace0", 1000), ("trace1", (1 << 20) - 1000)]
    (folder / "trace0").write_bytes(b"0" * 1001)
    (folder / "trace1").write_bytes(b"1" * 10 + b"x" + b"1" * ((1 << 20) - 11))
    assert read(trace) == [("trace1", b"1" * 10 + b"x", False)]
    assert sum(len(ring.last) for ring in trace.rings.values()) == 1 << 20
    assert [limit.partition(", ")[0] for limit in trace.limits] == [
        "of trace buffer `trace1` only the first 1047576 bytes are followed",
        "of trace buffer `trace2` only the first 0 bytes are followed",
        "of trace buffer `trace0` only the first 1000 bytes are followed",
    ]


@pytest.mark.parametrize("size", [1, 100, 4095, 4096, 4097, 10000])
def test_the_last_difference_is_found_wherever_it_is(size: int) -> None:
    before = bytearray(b"x" * size)
    for place in {0, size // 2, size - 1, max(0, size - 4096), max(0, size - 4097)}:
        after = bytearray(before)
        after[: place + 1] = b"y" * (place + 1)
        assert _last_difference(before, bytes(after), 0, size) == place
        assert _last_difference(before, bytes(after), place + 1, size) == -1
    assert _last_difference(before, bytes(before), 0, size) == -1


TABLE = b"""Entry 0 is of type vdev
  ID 7
  Vring 0
    Length 0x99 Bytes
Entry 1 is of type trace
  Device Address 0x10ca0
  Length 0x1000 Bytes
  Reserved (should be zero) [0]
  Name trace0

Entry 2 is of type carveout
  Length 0x77 Bytes
Entry 3 is of type trace
  Length 0x40 Bytes
"""


def test_lengths_of_the_buffers_are_asked_of_the_kernel(tmp_path: Path, folder: Path) -> None:
    trace = Trace(SystemPaths(str(tmp_path)), "remoteproc0")
    (folder / "resource_table").write_bytes(TABLE)
    (folder / "trace0").write_bytes(b"first life\n")
    (folder / "trace1").write_bytes(b"y" * 64)
    assert [text for _, text, _ in trace.read()] == [b"first life\n", b"y" * 64]
    assert trace.capacities is None
    (folder / "trace0").write_bytes(b"second life, longer\n")
    (folder / "trace1").write_bytes(b"zz" + b"y" * 62)
    assert read(trace) == [("trace0", b"second life, longer\n", True), ("trace1", b"zz", False)]
    assert trace.capacities == [0x1000, 0x40]


@pytest.mark.parametrize("table", [b"", b"no table", b"Entry 0 is of type trace\n  Length what Bytes\n", None])
def test_a_table_that_says_nothing(tmp_path: Path, folder: Path, table: bytes | None) -> None:
    trace = Trace(SystemPaths(str(tmp_path)), "remoteproc0")
    if table is not None:
        (folder / "resource_table").write_bytes(table)
    (folder / "trace0").write_bytes(b"0123")
    read(trace)
    (folder / "trace0").write_bytes(b"89234567")
    assert read(trace) == [("trace0", b"456789", False)]


def test_a_buffer_that_is_being_written_over_is_looked_at_again(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first copy was made while the firmware wrote: of its third byte it has what was there before."""
    trace = Trace(SystemPaths(str(tmp_path)), "remoteproc0")
    buffer = folder / "trace0"
    buffer.write_bytes(b"0123456789")
    assert read(trace) == [("trace0", b"0123456789", False)]
    copies = [b"ab2def6789", b"abcdef6789", b"nobody asks for a third"]

    def copied(path: str, most: int) -> bytes:
        assert (path, most >= 10) == (str(buffer), True)
        return copies.pop(0)

    monkeypatch.setattr("hybrid_runtime.processor.trace._snapshot", copied)
    assert read(trace) == [("trace0", b"abcdef", False)]
    assert len(copies) == 1


def test_notice_of_the_kernel_is_no_output(tmp_path: Path, folder: Path) -> None:
    trace = Trace(SystemPaths(str(tmp_path)), "remoteproc0")
    (folder / "trace0").write_bytes(b"Trace trace0 not available\n")
    assert read(trace) == []
    text = b"Trace of the sensor: not available, going on\n"
    (folder / "trace0").write_bytes(text)
    assert read(trace) == [("trace0", text, False)]


def test_machine_without_debugfs(tmp_path: Path) -> None:
    assert read(Trace(SystemPaths(str(tmp_path)), "remoteproc0")) == []


def test_a_table_of_any_size_costs_little(folder: Path) -> None:
    """It is the firmware's: entries without number, lines without end."""
    (folder / "resource_table").write_bytes(TABLE * 10000)
    assert len(trace_lengths(str(folder / "resource_table"), 16)) == 16
    (folder / "resource_table").write_bytes(b"x" * (1 << 24) + b"\n" + TABLE)
    assert trace_lengths(str(folder / "resource_table"), 16) == []
