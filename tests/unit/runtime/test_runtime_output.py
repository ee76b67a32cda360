"""Lines out of bytes, and their way to readers that are slow or gone."""

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_runtime.container.log import ContainerLog, LogReader, parse_line
from hybrid_runtime.deadline import Deadline
from hybrid_runtime.supervisor.engine_stream import EngineStream
from hybrid_runtime.supervisor.output import LONGEST_LINE, LineSplitter, Output


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
    output.firmware((b"x" * 999 + b"\n") * 200)
    output.log.lost_lines = 2
    output.finish(Deadline(0.1))
    received = os.read(pipe[0], 1 << 20)
    dropped = 200 - received.count(b"x\n")
    assert b"%d last lines dropped" % dropped in received + output.streams["stderr"].buffer
    assert b"2 lines could not be written to the log" in received + output.streams["stderr"].buffer
