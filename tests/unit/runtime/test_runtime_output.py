"""Lines out of bytes, and their way to readers that are slow or gone."""

import fcntl
import os
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from select import select
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_runtime.container.log import ContainerLog, LogReader, parse_line
from hybrid_runtime.deadline import Deadline
from hybrid_runtime.supervisor.output import LONGEST_LINE, EngineStream, LineSplitter, Output


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


def drain(stream: EngineStream, reading: int) -> bytes:
    """What arrives at the other end until nothing is left on its way."""
    received = b""
    stream.flush()
    while stream.pending or select([reading], [], [], 0)[0]:
        received += os.read(reading, 65536)
        stream.flush()
    return received


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe of one page: full after 4096 bytes."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    yield reading, writing
    for descriptor in (reading, writing):
        try:
            os.close(descriptor)
        except OSError:
            continue


def test_slow_reader_never_blocks_and_drops_are_told(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    stream = EngineStream(writing)
    line = b"x" * 99 + b"\n"
    for _ in range(2000):
        stream.add(line)
        stream.flush()
    assert stream.dropped_lines > 1000
    assert len(stream.buffer) <= 64 * 1024
    dropped = stream.dropped_lines
    received = drain(stream, reading)
    stream.add(b"after\n")
    received += drain(stream, reading)
    lines = received.splitlines(keepends=True)
    assert lines[:-2] == [line] * (2000 - dropped)
    assert f"{dropped} lines dropped" in lines[-2].decode()
    assert lines[-1] == b"after\n"
    # The flags of the descriptor are shared with the engine.
    assert not fcntl.fcntl(writing, fcntl.F_GETFL) & os.O_NONBLOCK


def test_reader_that_is_gone(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    stream = EngineStream(writing)
    os.close(reading)
    stream.add(b"line\n")
    stream.flush()
    assert (stream.closed, stream.pending) == (True, False)
    stream.add(b"line\n")
    assert not stream.buffer


@pytest.mark.parametrize("flags", [os.O_RDONLY, None])
def test_descriptor_that_cannot_be_written(flags: int | None) -> None:
    descriptor = os.open("/dev/null", os.O_RDONLY)
    stream = EngineStream(descriptor)
    if flags is None:
        os.close(descriptor)
    stream.add(b"line\n")
    stream.flush()
    assert stream.closed
    if flags is not None:
        os.close(descriptor)


def test_trickling_reader_does_not_stretch_the_deadline(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    stream = EngineStream(writing)
    for _ in range(60):
        stream.add(b"x" * 999 + b"\n")
    ending = threading.Event()

    def trickle() -> None:
        while not ending.wait(0.1):
            os.read(reading, 4096)

    reader = threading.Thread(target=trickle)
    reader.start()
    started = monotonic()
    stream.flush(Deadline(0.35))
    elapsed = monotonic() - started
    ending.set()
    reader.join()
    assert stream.pending
    assert elapsed < 0.8


@pytest.fixture
def output(tmp_path: Path, pipe: tuple[int, int]) -> Output:
    """Both streams into one pipe with room for all."""
    fcntl.fcntl(pipe[1], fcntl.F_SETPIPE_SZ, 65536)
    output = Output(ContainerLog(str(tmp_path / "log")))
    output.streams = {"stdout": EngineStream(pipe[1]), "stderr": EngineStream(pipe[1])}
    return output


def test_both_streams_and_the_log(output: Output, pipe: tuple[int, int], tmp_path: Path) -> None:
    output.firmware(b"one\ntw")
    output.supervisor("note")
    output.firmware(b"o\nlast")
    output.flush()
    output.finish(Deadline(1))
    assert os.read(pipe[0], 4096) == b"one\ntwo\nnote\nlast\n"
    lines = [parse_line(line) for line in LogReader(str(tmp_path / "log")).new_lines()]
    assert [(line.stream, line.text) for line in lines if line] == [
        ("stdout", "one"),
        ("stderr", "note"),
        ("stdout", "two"),
        ("stdout", "last"),
    ]


def test_last_drops_and_losses_are_told(output: Output, pipe: tuple[int, int]) -> None:
    output.firmware(b"line\n")
    output.streams["stdout"].dropped_lines = 3
    output.log.lost_lines = 2
    output.finish(Deadline(1))
    received = os.read(pipe[0], 65536)
    assert received.startswith(b"line\n")
    assert b"3 last lines dropped" in received
    assert b"2 lines could not be written to the log" in received
