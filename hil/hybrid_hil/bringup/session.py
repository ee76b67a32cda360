"""One bring-up: a pytest session over the checks, told to a person as it goes and as tables at its end."""

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hybrid_hil.bringup.board import BoardFacts
from hybrid_hil.bringup.elf import FirmwareFacts
from hybrid_hil.report.finding import Finding, Level
from hybrid_hil.suite.board_session import BOARD_SESSION
from hybrid_hil.suite.losses import LOSSES
from hybrid_hil.suite.recording import FINDINGS
from hybrid_hil.terminal import Reporter


@dataclass(frozen=True)
class BringupRequest:
    """`firmware` is run on `processor`, or the board file's first; `cycles` lives of it are timed."""

    firmware: Path
    facts: FirmwareFacts
    processor: str | None
    cycles: int


@dataclass
class Check:
    """One check and how it went: `passed`, `failed` or `skipped`, with the reason for the latter two."""

    title: str
    outcome: str
    seconds: float
    reason: str = ""


@dataclass
class BringupResult:
    """What came to light; `timings` are seconds of each verb."""

    board: BoardFacts | None = None
    findings: list[Finding] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    timings: dict[str, list[float]] = field(default_factory=dict)

    @property
    def fit(self) -> bool:
        """Whether everything that was looked at holds, and something was."""
        problems = any(finding.level is Level.PROBLEM for finding in self.findings)
        passed = [check for check in self.checks if check.outcome == "passed"]
        failed = [check for check in self.checks if check.outcome == "failed"]
        return bool(passed) and not failed and not problems


REPORT_IT = "it was cleaned up; the consoles and the runtime's log tell more"
BRINGUP = pytest.StashKey["Bringup"]()


class Bringup:
    """The pytest plugin of one bring-up; `missing` are reports that could not be written, a line each."""

    def __init__(self, request: BringupRequest, reporter: Reporter) -> None:
        self.request = request
        self.result = BringupResult()
        self.missing: list[str] = []
        self._reporter = reporter

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """This one speaks instead of pytest's own terminal reporter."""
        config.pluginmanager.unregister(name="terminalreporter")
        config.stash[BRINGUP] = self
        config.stash[FINDINGS] = self.result.findings
        self.missing = config.stash[LOSSES].lines

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """While the board is still there: what care has found after the checks."""
        rig = session.config.stash[BOARD_SESSION].booted()
        for left in (*rig.account.cleaned, *rig.account.renewed) if rig is not None else ():
            self.result.findings.append(Finding(Level.WARNING, "a check left something behind", left, REPORT_IT))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, bool, bool]:
        """A line on the terminal for each check."""
        with self._reporter.step(title_of(item)) as step:
            done = yield
            step.failed = self.result.checks[-1].outcome == "failed"
        return done

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Of the phases of a test the first that ends it counts."""
        title = report.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        if report.when == "setup":
            self.result.checks.append(Check(title, report.outcome, 0.0))
        check = self.result.checks[-1]
        check.seconds += report.duration
        if report.outcome != "passed" and not check.reason:
            check.outcome, check.reason = report.outcome, reason_of(report)


def title_of(item: pytest.Item) -> str:
    return item.name.removeprefix("test_").replace("_", " ")


def reason_of(report: pytest.TestReport) -> str:
    """Why it did not pass, in a few lines."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash is not None else report.longrepr).strip()[-1500:]
