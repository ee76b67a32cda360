"""The container's log: columns, rotation, and reading on over it."""

import os
import posix
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_runtime.container.log import ContainerLog, LogReader, parse_line, rotated
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import RemoteprocDouble


def texts(lines: list[str]) -> list[str]:
    return [line.text for line in map(parse_line, lines) if line]


def test_columns(tmp_path: Path) -> None:
    log = ContainerLog(str(tmp_path / "log"))
    log.append("stdout", "whole line")
    log.append("stderr", "", complete=False)
    log.close()
    first, second = (tmp_path / "log").read_text().splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z stdout F whole line", first)
    assert second.split(" ")[1:] == ["stderr", "P", ""]
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("line", ["", "x", "a b c d", "time stdout X text", "time stdout"])
def test_lines_in_no_columns(line: str) -> None:
    assert parse_line(line) is None


@given(st.text(alphabet=st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=50))
def test_any_text_comes_back(text: str) -> None:
    line = parse_line(f"2026-11-22T00:00:00.000000000Z stdout F {text}")
    assert line is not None
    assert (line.text, line.complete, line.stream) == (text, True, "stdout")


def test_rotation_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = ContainerLog(str(path), 1000)
    for number in range(100):
        log.append("stdout", f"line {number:03}")
    log.close()
    assert path.stat().st_size <= 1000
    kept = texts(LogReader(str(path)).earlier_lines()) + texts(LogReader(str(path)).new_lines())
    assert kept[-1] == "line 099"
    assert kept == [f"line {number:03}" for number in range(100 - len(kept), 100)]
    assert len(kept) > 20
    assert sorted(each.name for each in tmp_path.iterdir()) == ["log", "log.1"]


def test_line_longer_than_the_file(tmp_path: Path) -> None:
    log = ContainerLog(str(tmp_path / "log"), 100)
    for _ in range(3):
        log.append("stdout", "x" * 200)
    log.close()
    assert (log.lost_lines, texts(LogReader(str(tmp_path / "log")).new_lines())) == (0, ["x" * 200])


@given(st.lists(st.sampled_from(["write", "read"]), max_size=60))
def test_follower_misses_nothing(acts: list[str]) -> None:
    """At most one rotation between two reads, which a rotated file is kept for."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        log = ContainerLog(f"{folder}/log", 400)
        reader = LogReader(f"{folder}/log")
        seen: list[str] = []
        written = unread = 0
        for act in acts:
            if act == "write" and unread < 4:
                log.append("stdout", f"line {written}")
                written += 1
                unread += 1
            else:
                seen += texts(reader.new_lines())
                unread = 0
        seen += texts(reader.new_lines())
        log.close()
        assert seen == [f"line {number}" for number in range(written)]


def test_write_between_the_last_read_and_the_rotation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "log")
    log = ContainerLog(path, 300)
    log.append("stdout", "one")
    reader = LogReader(path)
    assert texts(reader.new_lines()) == ["one"]
    read_to_end = LogReader._read_to_end

    def read_and_be_overtaken(self: LogReader) -> bytes:
        data = read_to_end(self)
        monkeypatch.setattr(LogReader, "_read_to_end", read_to_end)
        log.append("stdout", "two")
        log.append("stdout", "x" * 250)
        return data

    monkeypatch.setattr(LogReader, "_read_to_end", read_and_be_overtaken)
    assert texts(reader.new_lines()) == ["two", "x" * 250]


def test_half_a_line_waits(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"t stdout F one\nt stdout F tw")
    reader = LogReader(str(path))
    assert texts(reader.new_lines()) == ["one"]
    with path.open("ab") as file:
        file.write(b"o\n")
    assert texts(reader.new_lines()) == ["two"]


def test_reader_before_the_writer(tmp_path: Path) -> None:
    reader = LogReader(str(tmp_path / "log"))
    assert reader.earlier_lines() == reader.new_lines() == []


def test_control_characters_are_no_line_ends(tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    text = "a\x0bb\x0cc\x1cd\x85e\u2028f\rg"
    log = ContainerLog(path)
    log.append("stdout", text)
    log.close()
    assert texts(LogReader(path).new_lines()) == [text]
    os.rename(path, rotated(path))  # noqa: PTH104
    assert texts(LogReader(path).earlier_lines()) == [text]


def test_lines_that_cannot_be_written_are_counted(tmp_path: Path) -> None:
    log = ContainerLog(str(tmp_path / "absent/log"))
    log.append("stdout", "lost")
    log.append("stdout", "lost too")
    assert log.lost_lines == 2
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "victim")
    log = ContainerLog(str(link))
    log.append("stdout", "not through a link")
    assert log.lost_lines == 1
    assert not (tmp_path / "victim").exists()


def test_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "log")
    log = ContainerLog(path)
    log.append("stdout", "one")
    write = os.write
    monkeypatch.setattr(posix, "write", lambda descriptor, data: write(descriptor, data[:7]))
    log.append("stdout", "two")
    monkeypatch.undo()
    log.append("stdout", "three")
    log.close()
    assert log.lost_lines == 1
    lines = LogReader(path).new_lines()
    assert texts(lines) == ["one", "three"]
    # Half a line would be the beginning of the next one's time.
    assert len({len(line.partition(" ")[0]) for line in lines}) == 1


def test_logs_of_a_rotated_container(command: Command, double: RemoteprocDouble) -> None:
    double.add("core0")
    command.run("create", "--annotation", "remoteproc.format=raw", "/bin/true", "motor")
    folder = double.root / "motor"
    (folder / "log.1").write_text("t stdout F old\x0c page\nt stderr F said\n")
    (folder / "log").write_text("t stdout P half \nt stdout F line\nnonsense\nt stdout F new\n")
    outcome = command.run("logs", "motor")
    assert outcome.stdout == "old\x0c page\nhalf line\nnew\n"
    assert outcome.stderr == "said\n"
    assert command.run("logs", "-n", "1", "-t", "motor").stdout == "t new\n"
    assert command.run("logs", "-n0", "motor").stdout == ""
    assert command.run("logs", "-n", "all", "motor").stdout == outcome.stdout
