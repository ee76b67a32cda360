"""Firmware that prints as much as it can: memory, processor time, and how soon a stop is answered."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from tests.unit.runtime.command_runner import Command, eventually
from tests.unit.runtime.remoteproc_double import ProcessorDouble

# A supervisor at rest has 9 to 13 MiB, as the interpreter is.
LARGEST_RESIDENT_KIB = 16 * 1024
STOP_SECONDS = 1.0
FLOOD_SECONDS = 3.0
MOST_CPU_SHARE = 0.5
BUFFERS = 600
SIZE = 1 << 20


class Flood:
    """Writes to files that play trace buffers until it is told to end. Each write is another text of the same size."""

    def __init__(self, core: ProcessorDouble, buffers: int, texts: list[bytes]) -> None:
        self.texts = texts
        paths = [core.debug / f"trace{number}" for number in range(buffers)]
        for path in paths:
            path.write_bytes(texts[0])
        self.descriptors = [os.open(path, os.O_WRONLY) for path in paths]
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._write)
        self.thread.start()

    def _write(self) -> None:
        turn = 0
        while not self.ending.wait(0.02):
            turn += 1
            for descriptor in self.descriptors:
                os.pwrite(descriptor, self.texts[turn % len(self.texts)], 0)

    def end(self) -> None:
        self.ending.set()
        self.thread.join()
        for descriptor in self.descriptors:
            os.close(descriptor)


def numbered(size: int, first: int) -> bytes:
    return b"".join(b"line %d\n" % number for number in range(first, first + size // 10))[:size].ljust(size, b".")


def entries(core: ProcessorDouble) -> Flood:
    """600 buffers of 100 kB, of which a resource table of a few kB can tell: all may lie in the same memory."""
    return Flood(core, BUFFERS, [numbered(100_000, first) for first in (100000, 200000, 300000)])


def newlines(core: ProcessorDouble) -> Flood:
    return Flood(core, 1, [b"\n" * SIZE, b"\r\n" * (SIZE // 2)])


def large_ring(core: ProcessorDouble) -> Flood:
    return Flood(core, 1, [numbered(SIZE, first) for first in (100000, 300000, 500000)])


def no_lines(core: ProcessorDouble) -> Flood:
    return Flood(core, 4, [b"x" * (SIZE // 4), b"\xe2" * (SIZE // 4), b"\0" + b"y" * (SIZE // 4 - 1)])


def too_large(core: ProcessorDouble) -> Flood:
    """Sixteen buffers of four MiB."""
    return Flood(core, 16, [numbered(4 * SIZE, first) for first in (100000, 600000)])


FLOODS = [entries, newlines, large_ring, no_lines, too_large]


def resident_kib(pid: int) -> int:
    """The most that the process has ever had: VmHWM of proc_pid_status(5)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def flooded(
    command: Command, core: ProcessorDouble, firmware: Path, kind: Callable[[ProcessorDouble], Flood]
) -> Iterator[int]:
    """The supervisor's pid, after some seconds of it."""
    pid = command.create(firmware, "motor")
    flood = kind(core)
    # The buffers are there before the core runs, but the double shows an empty one at its start.
    show, core._show_trace = core._show_trace, lambda: None  # type: ignore[method-assign]
    try:
        command.run("start", "motor")
        threading.Event().wait(FLOOD_SECONDS)
        yield pid
    finally:
        flood.end()
        core._show_trace = show  # type: ignore[method-assign]


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_costs_a_bounded_amount(
    command: Command, core: ProcessorDouble, firmware: Path, kind: Callable[[ProcessorDouble], Flood]
) -> None:
    with flooded(command, core, firmware, kind) as pid:
        assert resident_kib(pid) <= LARGEST_RESIDENT_KIB
        assert cpu_seconds(pid) <= MOST_CPU_SHARE * FLOOD_SECONDS
        asked = monotonic()
        os.kill(pid, signal.SIGTERM)
        assert command.exit_code(pid) == 0
        assert monotonic() - asked <= STOP_SECONDS
    assert core.state == "offline"
    sizes = [path.stat().st_size for path in (command.double.root / "motor").glob("log*")]
    assert max(sizes) <= 256 * 1024


def test_what_a_flood_loses_is_told(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    with flooded(command, core, firmware, entries):
        eventually(lambda: "bytes of output lost" in command.run("logs", "motor").stderr)
        command.run("kill", "motor")
    log = command.double.root / "motor"
    text = (log / "log.1").read_text() + (log / "log").read_text()
    assert "bytes of output lost: the core prints faster than " in text


def test_the_log_names_what_is_left_out(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    for number in range(1, BUFFERS):
        (core.debug / f"trace{number}").write_bytes(b"line of %d\n" % number)
    command.create(firmware, "motor")
    command.run("start", "motor")
    core.print(b"line of 0\n")
    eventually(lambda: "line of 0\n" in command.run("logs", "motor").stdout)
    outcome = command.run("logs", "motor")
    assert sorted(outcome.stdout.splitlines()) == sorted(f"[trace{number}] line of {number}" for number in range(16))
    assert outcome.stderr.count("trace buffers `trace16` to `trace599` are not followed") == 1


def test_a_crash_in_a_flood_is_told_with_its_last_words(
    command: Command, core: ProcessorDouble, firmware: Path
) -> None:
    with flooded(command, core, firmware, newlines) as pid:
        pass
    core.print(b"last words\n")
    core.crash()
    assert command.exit_code(pid, 2.0) == 70
    assert command.run("logs", "motor").stdout.endswith("last words\n")
