"""Lines out of bytes, and their way to readers that are slow or gone."""

import os
import posix
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_runtime.container.log import ContainerLog, LogReader, parse_line
from hybrid_runtime.supervisor.engine_stream import EngineStream
from hybrid_runtime.supervisor.firmware_text import LINE_COST, LONGEST_LINE, FirmwareText, LineSplitter, cost
from hybrid_runtime.supervisor.output import LARGEST_COST, LARGEST_WAITING_COST, Output
from hybrid_runtime.system.deadline import Deadline

TOO_FAST = "the core prints faster than 64 KiB or 1024 lines in 50 ms"


def split(pieces: list[bytes]) -> list[tuple[str, bool]]:
    splitter = LineSplitter()
    found = [line for piece in pieces for line in splitter.feed(piece)]
    return found + splitter.finish()


def joined(lines: list[tuple[str, bool]]) -> str:
    return "".join(text + ("\n" if complete else "") for text, complete in lines)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    borders = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(borders)]


@given(st.text(alphabet="ab é\n", max_size=200), st.lists(st.integers(0, 300), max_size=8))
def test_text_comes_through_however_it_is_cut(text: str, places: list[int]) -> None:
    lines = split(cut(text.encode(), places))
    assert [line for line, _ in lines] == text.removesuffix("\n").split("\n") * bool(text)
    assert all(complete for _, complete in lines)


@given(st.integers(0, 3 * LONGEST_LINE), st.sampled_from(["x", "é", "€", "😀"]), st.booleans())
def test_overlong_lines_come_in_pieces(length: int, character: str, in_one_go: bool) -> None:
    text = character * length + "\nnext\n"
    data = text.encode()
    lines = split([data] if in_one_go else cut(data, list(range(0, len(data), 1000))))
    assert joined(lines) == text
    assert all(len(line.encode()) <= LONGEST_LINE for line, _ in lines)
    assert lines[-1] == ("next", True)


@given(st.lists(st.binary(max_size=50), max_size=10))
def test_any_bytes_are_lines(pieces: list[bytes]) -> None:
    for text, _ in split(pieces):
        assert "\n" not in text
        assert "\0" not in text
        text.encode()


def test_carriage_returns_and_nuls() -> None:
    assert split([b"one\r\ntwo\0\n"]) == [("one", True), ("two\ufffd", True)]


@given(
    st.lists(st.text(alphabet="ab\n", max_size=400).map(str.encode), max_size=8),
    st.integers(1, 700),
    st.integers(1, 300),
)
def test_what_waits_is_bounded_and_the_newest(pieces: list[bytes], most: int, share: int) -> None:
    text = FirmwareText()
    sent, lost = b"", 0
    for piece in pieces:
        sent += piece
        lost += text.add(piece, most)
        assert cost(text.waiting) <= most + LINE_COST
        assert len(text.waiting) <= most
        assert sent.endswith(text.waiting)
    assert lost + len(text.waiting) == len(sent)
    kept, taken = bytes(text.waiting), b""
    while text.waiting:
        part = text.take(share)
        assert len(part) > 0
        assert cost(part) <= share + LINE_COST
        taken += part
    assert taken == kept


def test_lines_are_lost_whole() -> None:
    text = FirmwareText()
    lines = b"".join(b"line %d\n" % number for number in range(1000))
    assert text.add(lines, 8000) == len(lines) - len(text.waiting)
    assert text.waiting.startswith(b"line ")
    assert text.waiting.endswith(b"line 999\n")
    assert 7900 < cost(text.waiting) <= 8000
    # A single line has no part that could be left out whole.
    text = FirmwareText()
    assert text.add(b"x" * 9000, 8000) == 1000


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


@pytest.fixture
def output(tmp_path: Path, pipe: tuple[int, int]) -> Output:
    """Both streams into one pipe."""
    output = Output(ContainerLog(str(tmp_path / "log")))
    output.streams = {"stdout": EngineStream(pipe[1]), "stderr": EngineStream(pipe[1])}
    return output


def logged(folder: Path) -> list[tuple[str, str]]:
    """Stream and text of each line, of which pieces are put together as readers of the log do it."""
    found: list[tuple[str, str]] = []
    begun: dict[str, str] = {}
    for line in map(parse_line, LogReader(str(folder / "log")).new_lines()):
        assert line is not None
        begun[line.stream] = begun.get(line.stream, "") + line.text
        if line.complete:
            found.append((line.stream, begun.pop(line.stream)))
    assert not begun
    return found


def test_both_streams_and_the_log(output: Output, pipe: tuple[int, int], tmp_path: Path) -> None:
    output.firmware(b"one\ntw", "trace0")
    output.supervisor("note")
    output.firmware(b"o\nlast", "trace0")
    output.flush()
    output.finish(Deadline(1))
    assert os.read(pipe[0], 4096) == b"one\ntwo\nnote\nlast\n"
    assert logged(tmp_path) == [("stdout", "one"), ("stderr", "note"), ("stdout", "two"), ("stdout", "last")]


def test_last_drops_and_losses_are_told(output: Output, pipe: tuple[int, int], tmp_path: Path) -> None:
    output.firmware((b"x" * 999 + b"\n") * 400, "trace0")
    output.flush()
    output.log.lost_lines = 2
    output.finish(Deadline(0.1))
    told = [text for stream, text in logged(tmp_path) if stream == "stderr"]
    received = os.read(pipe[0], 1 << 20)
    dropped = 400 - received.count(b"x\n")
    lost = int(told[0].split()[1]) // 1000
    assert told == [
        f"hybrid-runtime: {1000 * lost} bytes of output lost: {TOO_FAST}",
        f"hybrid-runtime: {dropped - lost} last lines dropped, the reader was too slow",
        "hybrid-runtime: 2 lines could not be written to the log",
    ]


def test_lines_of_several_sources_do_not_mix(output: Output, pipe: tuple[int, int], tmp_path: Path) -> None:
    """Half a line waits for its own rest; of an overlong one, which cannot wait, the part that is out is ended."""
    for text in (b"A: temperature is ", b"42 degrees\n"):
        output.firmware(text, "trace0", "[trace0] ")
        output.firmware(text.replace(b"A", b"B"), "trace1", "[trace1] ")
        output.flush()
    output.firmware(b"x" * 5000, "trace0", "[trace0] ")
    output.flush()
    output.firmware(b"short\n", "trace1", "[trace1] ")
    output.flush()
    output.firmware(b"x" * 5000 + b"\n", "trace0", "[trace0] ")
    output.finish(Deadline(1))
    texts = [
        "[trace0] A: temperature is 42 degrees",
        "[trace1] B: temperature is 42 degrees",
        "[trace0] " + "x" * LONGEST_LINE,
        "[trace1] short",
        "[trace0] " + "x" * (10000 - LONGEST_LINE),
    ]
    assert logged(tmp_path) == [("stdout", text) for text in texts]
    assert os.read(pipe[0], 65536).decode().splitlines() == texts


@pytest.mark.parametrize("length", [3, LONGEST_LINE, LONGEST_LINE + 1])
def test_a_line_of_another_life_is_no_continuation(output: Output, tmp_path: Path, length: int) -> None:
    output.firmware(b"x" * length, "trace0")
    output.flush()
    output.end_lines()
    output.firmware(b"next life\n", "trace0")
    output.finish(Deadline(1))
    assert logged(tmp_path) == [("stdout", "x" * length), ("stdout", "next life")]


def test_a_look_writes_its_lines_at_once(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[int] = []
    write = os.write

    def counted(descriptor: int, data: bytes) -> int:
        if descriptor == output.log.descriptor:
            writes.append(len(data))
        return write(descriptor, data)

    monkeypatch.setattr(posix, "write", counted)
    for name in ("trace0", "trace1"):
        output.firmware(b"line\n" * 400, name)
    output.flush()
    output.flush()
    assert len(writes) == 1


class Clock:
    """What the output takes for the time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("hybrid_runtime.supervisor.output.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def bounded(tmp_path: Path, clock: Clock) -> Iterator[Output]:
    """An output on a clock, with a log that takes everything, and nobody who reads the streams."""
    null = os.open("/dev/null", os.O_WRONLY)
    output = Output(ContainerLog(str(tmp_path / "log"), 1 << 30))
    assert clock.now <= output.period_end
    output.streams = {"stdout": EngineStream(null), "stderr": EngineStream(null)}
    yield output
    os.close(null)


@pytest.mark.parametrize("line", [b"\n", b"line\n", b"x" * 999 + b"\n"])
def test_a_burst_comes_out_over_some_periods(bounded: Output, clock: Clock, tmp_path: Path, line: bytes) -> None:
    count = LARGEST_WAITING_COST // (len(line) + LINE_COST)
    bounded.firmware(line * count, "trace0")
    for period in range(1, 6):
        for _ in range(3):
            bounded.flush()
        clock.now += 0.05
        out = (tmp_path / "log").read_bytes().count(b"\n")
        assert out <= period * (LARGEST_COST // (len(line) + LINE_COST) + 1)
    assert logged(tmp_path) == [("stdout", line.decode().rstrip("\n"))] * count


def test_a_flood_is_cut_and_told(bounded: Output, clock: Clock, tmp_path: Path) -> None:
    """Twenty periods, each with more than all that may wait: the newest comes out, and every byte is accounted for."""
    sent, number = 0, 0
    for _ in range(200):
        lines = b"".join(b"%07d\n" % (number + each) for each in range(20000))
        number += 20000
        sent += len(lines)
        bounded.firmware(lines, "trace0")
        assert len(bounded.sources["trace0"].waiting) <= LARGEST_WAITING_COST
        bounded.flush()
        clock.now += 0.05
    bounded.finish(Deadline(1))
    lines_out = logged(tmp_path)
    numbers = [int(text) for stream, text in lines_out if stream == "stdout"]
    told = [int(text.split()[1]) for stream, text in lines_out if stream == "stderr"]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == number - 1
    assert sum(told) + 8 * len(numbers) == sent
    # Ten seconds: at once, after five, and what was left at the end.
    assert 2 <= len(told) <= 4
    assert lines_out[0][1].endswith(f" bytes of output lost: {TOO_FAST}")


def test_a_flood_leaves_others_their_share(bounded: Output, clock: Clock, tmp_path: Path) -> None:
    for look in range(10):
        bounded.firmware(b"flood\n" * 50000, "trace0")
        bounded.firmware(b"quiet %d\n" % look, "rpmsg-tty@0x400")
        bounded.flush()
        clock.now += 0.05
        assert ("stdout", f"quiet {look}") in logged(tmp_path)


def test_sources_that_are_gone_are_forgotten(bounded: Output, tmp_path: Path) -> None:
    """A core that is restarted again and again may announce its channels under other addresses each time."""
    bounded.firmware(b"half a ", "trace0")
    for address in range(100):
        bounded.firmware(b"line\n", f"log@{address:#x}")
        bounded.flush()
    assert len(bounded.sources) == 2
    bounded.firmware(b"line\n", "trace0")
    bounded.flush()
    assert logged(tmp_path) == [("stdout", "line")] * 100 + [("stdout", "half a line")]
