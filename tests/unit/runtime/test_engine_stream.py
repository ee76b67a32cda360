"""The descriptors an engine gave, with readers that are slow, gone, or never read at all."""

import fcntl
import os
import posix
import pty
import signal
import socket
import subprocess
import threading
import tty
from collections.abc import Iterator
from pathlib import Path
from select import select
from time import monotonic

import pytest

from hybrid_runtime.supervisor.engine_stream import LARGEST_BUFFER, EngineStream
from hybrid_runtime.system.deadline import Deadline
from tests.unit.runtime.bundle_builder import write_bundle
from tests.unit.runtime.command_runner import Command, eventually
from tests.unit.runtime.console_engine import Engine
from tests.unit.runtime.remoteproc_double import ProcessorDouble

READERS = ("pipe", "terminal", "stream", "datagram", "seqpacket")
SOCKETS = {"stream": socket.SOCK_STREAM, "datagram": socket.SOCK_DGRAM, "seqpacket": socket.SOCK_SEQPACKET}
# So long a test may be stuck in a write(2) before its reader lets it go.
STUCK_SECONDS = 5.0

GONE = -1


class Reader:
    """The other end of what an engine gives as standard output."""

    def __init__(self, kind: str) -> None:
        if kind == "pipe":
            self.reading, self.writing = os.pipe()
            fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, 4096)
        elif kind == "terminal":
            self.reading, self.writing = pty.openpty()
            tty.setraw(self.writing)
        else:
            ends = socket.socketpair(socket.AF_UNIX, SOCKETS[kind])
            ends[1].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
            self.reading, self.writing = (end.detach() for end in ends)

    def read_all(self, stream: EngineStream | None = None) -> bytes:
        """Until nothing is left on its way."""
        received = b""
        while True:
            if stream:
                stream.flush()
            if not select([self.reading], [], [], 0)[0]:
                return received
            try:
                piece = os.read(self.reading, 1 << 16)
            except OSError:
                # EIO: a terminal that nobody has open.
                return received
            if not piece:
                return received
            received += piece

    def go(self) -> None:
        """A second close(2) would take what another thread has opened by then."""
        if self.reading != GONE:
            os.close(self.reading)
            self.reading = GONE

    def close(self) -> None:
        self.go()
        os.close(self.writing)


@pytest.fixture
def reader(request: pytest.FixtureRequest) -> Iterator[Reader]:
    reader = Reader(getattr(request, "param", "pipe"))
    yield reader
    reader.close()


@pytest.fixture
def watchdog(reader: Reader) -> Iterator[None]:
    """Reads when the test does not come to its end."""
    ending = threading.Event()

    def rescue() -> None:
        if not ending.wait(STUCK_SECONDS):
            while not ending.wait(0.01):
                reader.read_all()

    thread = threading.Thread(target=rescue)
    thread.start()
    yield
    ending.set()
    thread.join()


@pytest.mark.usefixtures("watchdog")
@pytest.mark.parametrize("reader", READERS, indirect=True)
def test_a_reader_that_does_not_read_never_blocks_and_drops_are_told(reader: Reader) -> None:
    flags = fcntl.fcntl(reader.writing, fcntl.F_GETFL)
    stream = EngineStream(reader.writing)
    line = b"x" * 99 + b"\n"
    started = monotonic()
    for _ in range(2000):
        stream.add(line)
        stream.flush()
    assert monotonic() - started < STUCK_SECONDS
    dropped = stream.dropped_lines
    assert dropped > 1000
    # The kernel moves a terminal's text to its reader's side when it finds the time, and that makes room once more.
    least = LARGEST_BUFFER // 2 if os.isatty(reader.writing) else LARGEST_BUFFER - 100
    assert least < len(stream.buffer) <= LARGEST_BUFFER
    received = reader.read_all(stream)
    stream.add(b"after\n")
    received += reader.read_all(stream)
    lines = received.splitlines(keepends=True)
    assert lines[:-2] == [line] * (2000 - dropped)
    assert lines[-2] == b"hybrid-runtime: %d lines dropped, the reader was too slow\n" % dropped
    assert lines[-1] == b"after\n"
    # The engine's description is as it was.
    assert fcntl.fcntl(reader.writing, fcntl.F_GETFL) == flags


@pytest.mark.parametrize("reader", READERS, indirect=True)
def test_a_reader_that_is_gone(reader: Reader) -> None:
    stream = EngineStream(reader.writing)
    reader.go()
    stream.add(b"line\n")
    stream.flush()
    assert (stream.closed, stream.pending) == (True, False)
    stream.add(b"line\n")
    assert not stream.buffer


@pytest.mark.parametrize("reader", READERS, indirect=True)
def test_a_reader_that_was_gone_before(reader: Reader) -> None:
    reader.go()
    stream = EngineStream(reader.writing)
    stream.add(b"line\n")
    stream.flush()
    assert (stream.closed, stream.pending) == (True, False)


@pytest.mark.parametrize("reader", ["pipe", "datagram", "seqpacket"], indirect=True)
def test_lines_are_cut_by_no_border_of_writes(reader: Reader) -> None:
    stream = EngineStream(reader.writing)
    for number in range(300):
        stream.add(b"%098d\n" % number)
    stream.flush()
    assert os.read(reader.reading, 1 << 16).endswith(b"\n")
    assert reader.read_all(stream).count(b"\n") < 300


def test_where_it_may_not_be_opened_again(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """As another user's pipe, or without /proc: poll(2) tells what a pipe takes."""

    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(posix, "open", refused)
        stream = EngineStream(reader.writing)
    assert stream.descriptor == reader.writing
    line = b"x" * 99 + b"\n"
    for _ in range(2000):
        stream.add(line)
        stream.flush()
    assert stream.dropped_lines > 1000
    assert reader.read_all(stream) == line * (2000 - stream.dropped_lines)
    reader.go()
    stream.add(line)
    stream.flush()
    assert stream.closed


@pytest.mark.parametrize("flags", [os.O_RDONLY, None])
def test_descriptor_that_cannot_be_written(flags: int | None) -> None:
    descriptor = os.open("/dev/null", os.O_RDONLY)
    if flags is None:
        os.close(descriptor)
    stream = EngineStream(descriptor)
    stream.add(b"line\n")
    stream.flush()
    assert stream.closed
    if flags is not None:
        os.close(descriptor)


def test_the_reading_end_of_a_pipe_stays_one(reader: Reader) -> None:
    stream = EngineStream(reader.reading)
    stream.add(b"line\n")
    stream.flush()
    assert stream.closed


def test_a_file_s_place_is_the_engine_s_as_well(tmp_path: Path) -> None:
    """Opened once more it would have a place of its own, and one would write over the other."""
    path = tmp_path / "output"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(descriptor, b"before\n")
    stream = EngineStream(descriptor)
    stream.add(b"ours\n")
    stream.flush()
    os.write(descriptor, b"after\n")
    os.close(descriptor)
    assert path.read_text() == "before\nours\nafter\n"


def test_a_full_disk_may_have_room_again(tmp_path: Path) -> None:
    path = tmp_path / "output"
    descriptor = os.open("/dev/full", os.O_WRONLY)
    stream = EngineStream(descriptor)
    stream.add(b"one\ntwo\n")
    stream.flush()
    assert (stream.closed, stream.pending, stream.dropped_lines) == (False, False, 2)
    room = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(room, descriptor)
    stream.add(b"three\n")
    stream.flush()
    for each in (room, descriptor):
        os.close(each)
    assert path.read_text() == "hybrid-runtime: 2 lines dropped, the reader was too slow\nthree\n"


def test_trickling_reader_does_not_stretch_the_deadline(reader: Reader) -> None:
    stream = EngineStream(reader.writing)
    for _ in range(60):
        stream.add(b"x" * 999 + b"\n")
    ending = threading.Event()

    def trickle() -> None:
        while not ending.wait(0.1):
            os.read(reader.reading, 4096)

    thread = threading.Thread(target=trickle)
    thread.start()
    started = monotonic()
    stream.flush(Deadline(0.35))
    elapsed = monotonic() - started
    ending.set()
    thread.join()
    assert stream.pending
    assert elapsed < 0.8


TEXT = b"".join(b"%0999d\n" % number for number in range(200))


class Given:
    """A running container and what reads its output, or does not."""

    def __init__(self, command: Command, core: ProcessorDouble, reader: Reader) -> None:
        self.command = command
        self.core = core
        self.reader = reader
        self.pid = int(command.record("motor")["pid"])
        command.run("start", "motor")

    def print(self, text: bytes) -> None:
        """More than a trace buffer of the double holds."""
        (self.core.debug / "fresh").write_bytes(text)
        (self.core.debug / "fresh").rename(self.core.debug / "trace0")
        eventually(lambda: self.logged() == text)

    def logged(self) -> bytes:
        return self.command.run("logs", "motor").stdout.encode()


def create(command: Command, *words: str | Path, stdout: int = subprocess.DEVNULL) -> None:
    argv = command.argv("create", *words, "motor")
    subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.DEVNULL, env={}, check=True)


@pytest.fixture
def given(
    *,
    command: Command,
    core: ProcessorDouble,
    firmware: Path,
    tmp_path: Path,
    reader: Reader,
    request: pytest.FixtureRequest,
) -> Iterator[Given]:
    """As engines do it: a terminal over a socket, everything else as standard output."""
    has_terminal = request.node.callspec.params["reader"] == "terminal"
    process = {"cwd": "/", "args": ["/fw.elf"], "terminal": has_terminal}
    annotations = {"remoteproc.logs-size": "1M"}
    bundle = write_bundle(tmp_path / "bundle", firmware, process=process, annotations=annotations)
    if not has_terminal:
        create(command, "-b", bundle, stdout=reader.writing)
        yield Given(command, core, reader)
        return
    engine = Engine(tmp_path / "console")
    create(command, "-b", bundle, "--console-socket", engine.path)
    engine.thread.join()
    own, reader.reading = reader.reading, engine.master
    yield Given(command, core, reader)
    reader.reading = own
    engine.close()


@pytest.mark.parametrize("reader", READERS, indirect=True)
def test_a_crash_is_told_although_nobody_reads(given: Given) -> None:
    given.print(TEXT)
    given.core.crash()
    assert given.command.exit_code(given.pid, 5.0) == 70
    assert given.logged() == TEXT


@pytest.mark.parametrize("reader", READERS, indirect=True)
def test_a_stop_is_answered_although_nobody_reads(given: Given) -> None:
    given.print(TEXT)
    os.kill(given.pid, signal.SIGTERM)
    assert given.command.exit_code(given.pid, 5.0) == 0
    assert given.core.state == "offline"


@pytest.mark.parametrize("reader", READERS, indirect=True)
def test_a_reader_that_comes_back_is_told_what_it_missed(given: Given) -> None:
    if os.isatty(given.reader.reading):
        tty.setraw(given.reader.reading)
    given.print(TEXT)
    received, text = given.reader.read_all(), TEXT
    while not received.endswith(text[-1000:]):
        assert len(text) < 2 * len(TEXT), "it took too long to come back"
        text += b"%0999d\n" % text.count(b"\n")
        given.print(text)
        received += given.reader.read_all()
    lines = received.splitlines(keepends=True)
    told = [line for line in lines if b" lines dropped, the reader was too slow\n" in line]
    printed = [line for line in lines if line in set(text.splitlines(keepends=True))]
    assert told
    assert printed == sorted(set(printed))
    # Nothing is missed that is not told, and nothing told that is not missed.
    assert sum(int(line.split()[1]) for line in told) + len(printed) == text.count(b"\n")


@pytest.mark.parametrize("path", ["/dev/full", "/dev/null"])
def test_a_crash_is_told_whatever_the_output_is(
    command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path, path: str
) -> None:
    with Path(path).open("wb") as output:
        create(command, "-b", write_bundle(tmp_path / "bundle", firmware), stdout=output.fileno())
    pid = int(command.record("motor")["pid"])
    command.run("start", "motor")
    core.print(b"line\n")
    eventually(lambda: command.run("logs", "motor").stdout == "line\n")
    core.crash()
    assert command.exit_code(pid, 5.0) == 70
