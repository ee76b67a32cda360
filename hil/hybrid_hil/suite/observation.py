"""What a board says and does during each test, watched in the process that runs it."""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass, field

import pytest

from hybrid_hil.board.qemu import QemuBoard
from hybrid_hil.console.record import Line
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.deployment import COMMAND
from hybrid_hil.device.rig import Rig
from hybrid_hil.failure import RigError
from hybrid_hil.report.cores import CLOCK_MARK, clock_difference, core_events, kernel_lines
from hybrid_hil.report.record import Boot, CoreEvent, Excerpt, Facts, Observed, Said, VerbCall
from hybrid_hil.shell import Completed, Shell

OBSERVED = "hil_observed"
FACTS = "hil_facts"
BOOTS = "hil_boots"
LINES = 200
CHARACTERS = 500
CALLS = 2000
ANSWER_S = 5.0


@dataclass
class _Beginning:
    """Where a test began, on the host's clock and on both consoles, and what it has called since."""

    monotonic: float
    marks: tuple[int, int]
    calls: list[VerbCall] = field(default_factory=list)


class KernelLog:
    """What the kernel of a board says of its cores: each line is fetched once."""

    def __init__(self) -> None:
        self._life = (0, 0)
        self._seen = 0.0
        self._ahead = 0.0
        self._names: dict[str, str] = {}

    def events(self, rig: Rig, began: float) -> list[CoreEvent]:
        """The events since `began` on the host's monotonic clock, by one command.

        Raises:
            RigError: the board does not answer.
        """
        board = rig.board
        # a board that was restored has its clock back at where it was kept
        life = (board.boots, board.restores)
        fresh = life != self._life
        if fresh:
            self._seen, self._names = 0.0, {}
        asked = time.monotonic()
        done = board.shell.run(_question(self._seen, compare=fresh), deadline=Deadline(ANSWER_S))
        uptime, _, log = done.stdout.partition("\n")
        if fresh:
            self._life, self._ahead = life, clock_difference(log)
        lines = kernel_lines(log)
        self._seen = max([self._seen, *(line.stamp for line in lines)])
        # the log's clock when the test began; it was read on the way, and is as exact as that is short
        kernel_began = float(uptime) + self._ahead - (asked + done.duration_s / 2 - began)
        return core_events(lines, kernel_began, self._names)


class Observer:
    """Adds to each test's last report what its board did, and what board that is.

    With `tests` unset only the latter: JUnit's properties need no more.
    """

    def __init__(self, booted: Callable[[], Rig | None], boots: Callable[[], list[Boot]], *, tests: bool) -> None:
        self._booted = booted
        self._boots = boots
        self._boots_told = 0
        self._tests = tests
        self._log = KernelLog()
        self._beginning = _Beginning(time.monotonic(), (0, 0))
        self._observed: Observed | None = None
        self._facts: Facts | None = None

    def heard(self, arguments: Sequence[str], completed: Completed) -> None:
        """Takes note of a command of the runtime that has ended."""
        verb = verb_of(arguments)
        if verb is not None and len(self._beginning.calls) < CALLS:
            at = time.monotonic() - self._beginning.monotonic - completed.duration_s
            self._beginning.calls.append(VerbCall(verb, max(0.0, at), completed.duration_s, completed.exit_status))

    def pytest_runtest_logstart(self) -> None:
        """Before anything that may skip the test."""
        rig = self._booted()
        marks = (0, 0) if rig is None else (rig.board.console.mark(), rig.board.core_console.mark())
        self._beginning = _Beginning(time.monotonic(), marks)
        self._observed = None

    # Before the board's session cleans: that wraps this hook.
    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        self._observe(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.when == "teardown":
            # a fixture that failed in its teardown has kept the hook above from being called
            self._observe(item)
            # what a report has as attributes goes with it from an xdist worker to the controller
            if self._observed is not None:
                vars(report)[OBSERVED] = asdict(self._observed)
            if self._facts is not None:
                vars(report)[FACTS] = asdict(self._facts)
            fresh = self._boots()[self._boots_told :]
            self._boots_told += len(fresh)
            vars(report)[BOOTS] = [asdict(boot) for boot in fresh]
        return report

    def _observe(self, item: pytest.Item) -> None:
        rig = self._booted()
        if rig is None or self._observed is not None or "board" not in getattr(item, "fixturenames", ()):
            return
        if self._facts is None:
            self._facts = facts_of(rig)
        if self._tests:
            self._observed = self._look(rig)

    def _look(self, rig: Rig) -> Observed:
        beginning = self._beginning
        events: list[CoreEvent] = []
        unread = ""
        try:
            events = self._log.events(rig, beginning.monotonic)
        except RigError as error:
            unread = error.message
        console, core_console = (
            excerpt(line.lines(mark), beginning.monotonic)
            for line, mark in zip((rig.board.console, rig.board.core_console), beginning.marks, strict=True)
        )
        return Observed(console, core_console, tuple(events), tuple(beginning.calls), unread)


def excerpt(lines: Sequence[Line], began: float) -> Excerpt:
    """The last lines of a console, stamped from `began` on the host's monotonic clock; a line of which the beginning
    was there before has 0."""
    kept = [Said(round(max(0.0, line.monotonic - began), 4), line.text[:CHARACTERS]) for line in lines[-LINES:]]
    return Excerpt(tuple(kept), max(0, len(lines) - LINES))


def verb_of(arguments: Sequence[str]) -> str | None:
    """The verb that is called; None for a call that begins with options, of which there are too many to tell."""
    return arguments[0] if arguments and arguments[0].isalpha() else None


def facts_of(rig: Rig) -> Facts:
    """What is on the board, and what the board is where that is known."""
    kernel, runtime = _said_by(rig.board.shell)
    board = rig.board
    if not isinstance(board, QemuBoard):
        return Facts(board=board.name, kernel=kernel, runtime=runtime)
    manifest = board.image.manifest
    return Facts(
        board="emulated",
        image_hash=str(manifest.get("hash", "")),
        image_origin=str(manifest.get("origin", "")),
        kernel=kernel,
        layout=board.layout.name,
        qemu=board.qemu_version,
        runtime=runtime,
    )


def _said_by(shell: Shell) -> tuple[str, str]:
    """The board's kernel and runtime in their own words; empty when it does not answer."""
    try:
        said = shell.run(f"uname -r; {COMMAND} --version", check=False, deadline=Deadline(ANSWER_S)).stdout
    except RigError:
        return "", ""
    kernel, *runtime = said.splitlines() or [""]
    return kernel, ", ".join(runtime).removeprefix("hybrid-runtime version ")


def _question(since: float, *, compare: bool) -> str:
    """Shell text that prints the seconds since boot, then the lines about cores that are later than `since`; the first
    time it has the log tell its own clock."""
    mark = f'echo "{CLOCK_MARK}$up" >/dev/kmsg; ' if compare else ""
    wanted = f"/ remoteproc[0-9]+: |{CLOCK_MARK}/"
    later = f"awk -v since={since:.6f} '{wanted} {{ t = substr($0, 2); if (t + 0 > since) print }}'"
    return f"read -r up rest </proc/uptime; {mark}echo $up; dmesg | {later}"
