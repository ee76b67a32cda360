"""Single decisions of the supervisor, in this process, with the kernel's log played by the test."""

import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest

from hybrid_runtime.container.claim import Journal, take_claim
from hybrid_runtime.container.log import LogReader, parse_line
from hybrid_runtime.container.record import Record, load_record
from hybrid_runtime.supervisor.control import listen
from hybrid_runtime.supervisor.engine_stream import EngineStream
from hybrid_runtime.supervisor.stop_signals import StopSignals
from hybrid_runtime.supervisor.supervisor import Supervisor
from hybrid_runtime.supervisor.verdict import CRASHED, STOPPED, STOPPED_BY_ANOTHER, ExitReason
from hybrid_runtime.system.system_paths import SystemPaths
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

PREFIX = "remoteproc remoteproc0: "


class Watched:
    """A supervisor of a running core with recovery by the kernel, whose kernel log is a list."""

    def __init__(self, double: RemoteprocDouble, core: ProcessorDouble) -> None:
        system = SystemPaths(str(double.sysroot))
        self.folder = double.root / "motor"
        self.folder.mkdir(parents=True)
        (double.firmware_folder / "fw").write_bytes(b"firmware")
        core.write("firmware", "fw")
        core.start_from_outside()
        record = Record("motor", "", "")
        record.phase = "started"
        record.firmware_name = "fw"
        record.annotations = {"remoteproc.recovery": "kernel"}
        claim = take_claim(system, core.device)
        assert claim is not None
        self.claim = claim
        self.signals, self.signal_writer = os.pipe()
        listener = listen(str(self.folder))
        stop_signals = cast(StopSignals, SimpleNamespace(descriptor=self.signals, ask_for_stop=lambda: True))
        self.supervisor = Supervisor(claim, Journal(), record, str(self.folder), listener, stop_signals)
        null = os.open("/dev/null", os.O_WRONLY)
        self.supervisor.output.streams = {"stdout": EngineStream(null), "stderr": EngineStream(null)}
        self.kernel_lines: list[str] = []
        self.null = null

    def take_kernel_lines(self) -> list[str]:
        lines, self.kernel_lines = self.kernel_lines, []
        return lines

    def printed(self) -> list[str]:
        lines = map(parse_line, LogReader(str(self.folder / "log")).new_lines())
        return [line.text for line in lines if line and line.stream == "stdout"]

    def said(self) -> list[str]:
        lines = map(parse_line, LogReader(str(self.folder / "log")).new_lines())
        return [line.text for line in lines if line and line.stream == "stderr"]

    def close(self) -> None:
        self.supervisor.control.listener.close()
        self.claim.close()
        for descriptor in (self.signals, self.signal_writer, self.null):
            os.close(descriptor)


@pytest.fixture
def watched(double: RemoteprocDouble, core: ProcessorDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    watched = Watched(double, core)
    monkeypatch.setattr(watched.supervisor.core.kernel_log, "lines", watched.take_kernel_lines)
    yield watched
    watched.close()


def test_recovery_repeats_nothing_and_misses_nothing(watched: Watched, core: ProcessorDouble) -> None:
    core.print(b"first life, which is longer\n")
    assert watched.supervisor._look() is None
    watched.kernel_lines = [f"{PREFIX}crash detected in core0: type watchdog"]
    core.set_state("crashed")
    assert watched.supervisor._look() is None
    assert watched.supervisor._look() is None
    core.set_state("running")
    core.crash()
    core.print(b"first life, again, and as long as any\n")
    watched.kernel_lines = [f"{PREFIX}handling crash #1 in core0", f"{PREFIX}remote processor core0 is now up"]
    assert watched.supervisor._look() is None
    assert watched.printed() == ["first life, which is longer", "first life, again, and as long as any"]
    record = load_record(str(watched.folder), "motor")
    assert (record.crashes, record.crash_type) == (1, "watchdog")


def test_a_crash_before_the_start_is_noted_counts(watched: Watched) -> None:
    """Of what the kernel logs at a start, that alone is news."""
    watched.kernel_lines = [
        f"{PREFIX}powering up core0",
        f"{PREFIX}crash detected in core0: type watchdog",
        f"{PREFIX}remote processor core0 is now up",
    ]
    watched.supervisor._note_started()
    record = load_record(str(watched.folder), "motor")
    assert (record.crashes, record.crash_type) == (1, "watchdog")
    told = [line for line in watched.said() if line.startswith("kernel: ")]
    assert told == [f"kernel: {PREFIX}crash detected in core0: type watchdog"]


def test_a_state_that_has_no_name_ends_nothing(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a later kernel. It is told once."""
    remoteproc = watched.supervisor.core.remoteproc
    monkeypatch.setattr(remoteproc, "read", lambda attribute: {"state": "resuming", "firmware": "fw"}[attribute])
    assert watched.supervisor._look() is None
    assert watched.supervisor._look() is None
    assert [line for line in watched.said() if "`resuming`" in line] == [
        "hybrid-runtime: the kernel says that the core is `resuming`, which means nothing to this version"
    ]


def test_crash_survived_long_ago_is_no_reason(
    watched: Watched, core: ProcessorDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.kernel_lines = [f"{PREFIX}crash detected in core0: type watchdog"]
    assert watched.supervisor._look() is None
    core.stop_from_outside()
    assert watched.supervisor._look() is None
    monkeypatch.setattr("hybrid_runtime.supervisor.verdict.RECOVERY_SECONDS", -1.0)
    assert watched.supervisor._look() is STOPPED_BY_ANOTHER
    watched.kernel_lines = [f"{PREFIX}crash detected in core0: type watchdog"]
    assert watched.supervisor._look() is CRASHED


def test_foreign_kernel_lines_cost_no_look(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor = watched.supervisor
    looks: list[int] = []
    monkeypatch.setattr(supervisor, "_look", lambda: looks.append(1))
    monkeypatch.setattr(supervisor, "_wait", lambda: [77])
    monkeypatch.setattr(supervisor.core.kernel_log, "descriptor", 77)
    supervisor.next_look += 1000
    assert supervisor._turn() is None
    assert looks == []
    watched.kernel_lines = [f"{PREFIX}crash detected in core0: type watchdog"]
    supervisor._turn()
    assert looks == [1]


def test_lines_of_several_buffers_are_told_apart(watched: Watched, core: ProcessorDouble) -> None:
    """Half lines wait for their own rest; a buffer that begins anew does not go on with the line it had begun."""
    buffers = {name: core.debug / name for name in ("trace10", "trace2", "trace0")}
    for texts in ({"trace0": b"A: temperature is ", "trace2": b"B: motor ", "trace10": b"C\n"},
                  {"trace0": b"A: temperature is 42 degrees\n", "trace2": b"B: motor at 7\nB: half", "trace10": b"C\n"},
                  {"trace0": b"A: temperature is 42 degrees\n", "trace2": b"again\n", "trace10": b"C\n"}):  # fmt: skip
        for name, text in texts.items():
            buffers[name].write_bytes(text)
        assert watched.supervisor._look() is None
    assert watched.printed() == [
        "[trace10] C",
        "[trace0] A: temperature is 42 degrees",
        "[trace2] B: motor at 7",
        "[trace2] B: half",
        "[trace2] again",
    ]
    assert watched.said() == ["hybrid-runtime: the trace buffer `trace2` begins anew"]


def test_a_stop_is_answered_between_two_buffers(watched: Watched, core: ProcessorDouble) -> None:
    for name in ("trace0", "trace1", "trace2"):
        (core.debug / name).write_bytes(name.encode() + b"\n")
    os.write(watched.signal_writer, b"\x0f")
    assert watched.supervisor._look() is None
    assert watched.printed() == ["[trace0] trace0"]
    watched.supervisor.watch.read_last_words()
    watched.supervisor.output.flush()
    assert watched.printed() == [f"[trace{number}] trace{number}" for number in range(3)]


def test_a_stop_asked_for_twice_cuts_no_last_words(watched: Watched, core: ProcessorDouble) -> None:
    for name in ("trace0", "trace1", "trace2"):
        (core.debug / name).write_bytes(name.encode() + b"\n")
    watched.supervisor.is_to_stop = True
    os.write(watched.signal_writer, b"\x0f")
    assert watched.supervisor._look() is STOPPED
    assert watched.printed() == [f"[trace{number}] trace{number}" for number in range(3)]


def test_last_words_between_the_last_look_and_the_crash(
    watched: Watched, core: ProcessorDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash() -> ExitReason:
        core.print(b"last words\n")
        core.set_state("crashed")
        return CRASHED

    monkeypatch.setattr(watched.supervisor.watch, "judge", crash)
    assert watched.supervisor.run() == CRASHED.code
    assert watched.printed() == ["last words"]
    assert core.state == "offline"
