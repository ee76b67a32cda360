"""Keeps the board of one pytest process: booted when a test first needs it, looked after, and accounted for."""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hybrid_hil.board import Consoles
from hybrid_hil.device.change import Change, unexpected
from hybrid_hil.device.deployment import KEPT_NOTE
from hybrid_hil.device.faults import HarmfulError
from hybrid_hil.device.rig import Account, Rig
from hybrid_hil.failure import RigError
from hybrid_hil.report.record import Boot
from hybrid_hil.suite import recording
from hybrid_hil.suite.assignment import Assignment

MOST_LOST = 4


class BoardSession:
    """A plugin of pytest's for one process; with pytest-xdist each worker has its own."""

    def __init__(self, config: pytest.Config, assignment: Assignment) -> None:
        self._config = config
        self._assignment = assignment
        self._rig: Rig | None = None
        self._failure: str | None = None
        self._marks = (0, 0)
        self._accounts: dict[str, Account] = {}
        self._boots: list[Boot] = []
        self._artifacts = Path(config.getoption("--hil-artifacts")).absolute()

    def booted(self) -> Rig | None:
        """The board, if a test has needed it."""
        return self._rig

    def boots(self) -> list[Boot]:
        """Those of the board so far, also when it did not come up."""
        return self._boots

    def rig(self) -> Rig:
        """The board, booted.

        A board that does not boot fails the test that needed it first; the next are skipped with the cause.
        """
        if self._rig is not None:
            return self._rig
        try:
            rig = self._make()
        except RigError as error:
            self._failure = error.message
            pytest.fail(str(error), pytrace=False)
        self._rig = rig
        self._mark()
        return rig

    def _make(self) -> Rig:
        rig = Rig(self._assignment.board(self._artifacts / self._assignment.worker))
        rig.own_firmware = self._assignment.own_firmware()
        self._boots = rig.boots
        try:
            rig.boot()
        except BaseException:
            rig.board.close()
            raise
        return rig

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if not _needs_board(item):
            return
        if self._failure is not None:
            pytest.skip(f"no board: {self._failure}")
        try:
            lacking = self._assignment.lacks(item, self.rig)
        except RigError as error:
            self._failure = error.message
            pytest.fail(str(error), pytrace=False)
        if lacking:
            pytest.skip(f"needs {lacking}")
        self._mark()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        try:
            return (yield)
        except HarmfulError as error:
            pytest.skip(f"{error.message}; {error.remedy}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.failed and call.when != "teardown" and self._rig is not None and _needs_board(item):
            kept = self._keep_evidence(self._rig, item.nodeid, report.longreprtext)
            report.sections.append((recording.EVIDENCE, str(kept)))
            report.sections.append((recording.BY_HAND, self._rig.board.by_hand))
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """After the fixtures of the test, also when one of them fails."""
        try:
            return (yield)
        finally:
            if self._rig is not None and _needs_board(item):
                self._look_after(self._rig, item)

    def _look_after(self, rig: Rig, item: pytest.Item) -> None:
        """What the kernel complains of fails the test, unless that has said that it expects it."""
        failures: list[str] = []

        def told(found: Sequence[Change]) -> None:
            if said := unexpected(found, expected_warnings(item)):
                failures.append(warned(said))
                kept = self._keep_evidence(rig, f"{item.nodeid} kernel", failures[0])
                failures.append(f"evidence: {kept}")

        try:
            rig.look_after(item.nodeid, leaves(item), told)
        except RigError as error:
            self._failure = f"it did not come back after {item.nodeid}: {error.message}"
            failures.append(str(error))
        if failures:
            pytest.fail("\n".join(failures), pytrace=False)

    def pytest_sessionfinish(self) -> None:
        if self._rig is None:
            return
        rig, self._rig = self._rig, None
        try:
            rig.board.close()
        finally:
            rig.account.lost += lost_logs(rig.board)
            self._accounts[self._assignment.worker] = rig.account
            output: dict[str, Any] | None = getattr(self._config, "workeroutput", None)
            if output is not None:
                output["hil"] = vars(rig.account)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        account = getattr(node, "workeroutput", {}).get("hil")
        if account is not None:
            worker = getattr(node, "workerinput", {}).get("workerid", "worker")
            self._accounts[worker] = Account(**account)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._accounts:
            return
        terminalreporter.section("boards")
        for worker, account in sorted(self._accounts.items()):
            terminalreporter.write_line(summary(worker, account))
            if account.kept:
                terminalreporter.write_line(f"  {KEPT_NOTE}")
            for kind, tests in (
                ("cleaned after", account.cleaned),
                ("renewed after", account.renewed),
                ("booted and not restored:", account.stale),
            ):
                for test in tests:
                    terminalreporter.write_line(f"  {kind} {test}")
            for line in shortened(account.lost):
                terminalreporter.write_line(f"  {line}", yellow=True)

    def _keep_evidence(self, rig: Rig, name: str, text: str) -> Path:
        """Of the test that runs. Returns its folder; the account has what could not be kept."""
        evidence = rig.keep_evidence(name, self._artifacts, text, self._marks)
        if evidence.lost:
            rig.account.lost.append(evidence.lost)
        return evidence.folder

    def _mark(self) -> None:
        if self._rig is not None:
            self._marks = (self._rig.board.console.mark(), self._rig.board.core_console.mark())


BOARD_SESSION = pytest.StashKey[BoardSession]()


def summary(worker: str, account: Account) -> str:
    """One line about one worker's board."""
    boots = counted(account.boots, "boots", account.boot_s)
    restores = f", {counted(account.restores, 'restores', account.restore_s)}" if account.restores else ""
    cared = f"cleaned {len(account.cleaned)} times, renewed {len(account.renewed)} times"
    return f"{worker}: {boots}{restores}; {cared}"


def lost_logs(board: Consoles) -> list[str]:
    """The consoles whose logs on disk are not whole, a line each."""
    return [
        f"the log of the {console.name} ends early: {console.lost} (make room for `{console.log}`)"
        for console in (board.console, board.core_console)
        if console.lost
    ]


def shortened(lines: list[str]) -> list[str]:
    """The first lines, and how many more there are: a disk that is full is so for every test."""
    rest = len(lines) - MOST_LOST
    return [*lines[:MOST_LOST], f"and {rest} more of this kind"] if rest > 0 else lines


def counted(count: int, what: str, seconds: float) -> str:
    """How many, and how long each took."""
    return f"{count} {what}, {seconds / count:.1f} s each" if count else f"no {what}"


def leaves(item: pytest.Item) -> list[str]:
    """How what a test may leave on its board begins, by its markers."""
    return [words for marker in item.iter_markers("leaves") for words in marker.args]


def expected_warnings(item: pytest.Item) -> list[str] | None:
    """Parts of the lines that a test expects of the kernel, by its markers: none for any line, None without a
    marker."""
    markers = list(item.iter_markers("kernel_warning"))
    return [text for marker in markers for text in marker.args] if markers else None


def warned(said: Sequence[Change]) -> str:
    """The complaints of the kernel as a test's failure."""
    texts = "; ".join(f"`{change}`" for change in said)
    return f"the board's kernel complained during this test: {texts} (mark it kernel_warning if it expects that)"


def _needs_board(item: pytest.Item) -> bool:
    return "board" in getattr(item, "fixturenames", ())
