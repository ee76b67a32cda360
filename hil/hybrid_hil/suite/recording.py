"""Gathers the results of a run in pytest's controlling process, and writes them: JSON, a page, JUnit's properties."""

import os
import platform
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import pytest
from _pytest.junitxml import xml_key

from hybrid_hil.device.rig import Rig
from hybrid_hil.failure import RigError
from hybrid_hil.report.finding import Finding, Level
from hybrid_hil.report.record import Boot, Case, Facts, Observed, Outcome, Run, structured, write_run
from hybrid_hil.suite.losses import Losses
from hybrid_hil.suite.observation import BOOTS, FACTS, OBSERVED, Observer
from hybrid_hil.usage import require_folder

OPTION = "--hil-report"
OBSERVER = "hybrid-hil-observer"
EVIDENCE = "evidence"
BY_HAND = "the board by hand"
DETAIL_CHARACTERS = 50_000
# filled by whoever looks for more than tests can pass or fail
FINDINGS = pytest.StashKey[list[Finding]]()


def add_option(group: pytest.OptionGroup) -> None:
    group.addoption(OPTION, metavar="FILE.html", help="write a page about the run, and its results as JSON beside it")


def register(
    config: pytest.Config, booted: Callable[[], Rig | None], boots: Callable[[], list[Boot]], losses: Losses
) -> None:
    """Sees to what a report or JUnit's properties need, and to nothing when neither is wanted. `losses` is told of what
    cannot be written.

    Raises:
        pytest.UsageError: the page's name does not end with .html, or there can be no such file.
    """
    name = config.getoption(OPTION)
    if name and not name.endswith(".html"):
        raise pytest.UsageError(f"{OPTION} is `{name}`: give a name that ends with .html")
    on_worker = hasattr(config, "workerinput")
    if name and not on_worker:
        try:
            require_folder(Path(name).absolute().parent)
        except RigError as error:
            raise pytest.UsageError(f"{OPTION}: {error.message}") from error
    if name or config.getoption("xmlpath", None):
        config.pluginmanager.register(Observer(booted, boots, tests=bool(name)), OBSERVER)
        if not on_worker:
            page = Path(name).absolute() if name else None
            config.pluginmanager.register(Recorder(config, page, losses), "hybrid-hil-recorder")


def observer_of(config: pytest.Config) -> Observer | None:
    found = config.pluginmanager.get_plugin(OBSERVER)
    return found if isinstance(found, Observer) else None


@dataclass
class _Draft:
    """A test of which some phases have been reported."""

    test: str
    worker: str
    began: float
    outcomes: list[Outcome] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    sections: dict[str, str] = field(default_factory=dict)
    duration_s: float = 0.0
    observed: Observed = field(default_factory=Observed)

    def finished(self, folder: Path) -> Case:
        """The test's record, for results that lie in `folder`."""
        evidence = self.sections.get(EVIDENCE, "")
        return Case(
            test=self.test,
            outcome=min(self.outcomes, key=list(Outcome).index),
            began=self.began,
            duration_s=self.duration_s,
            worker=self.worker,
            detail="\n\n".join(filter(None, self.details))[-DETAIL_CHARACTERS:],
            evidence=os.path.relpath(evidence, folder) if evidence else "",
            by_hand=self.sections.get(BY_HAND, ""),
            observed=self.observed,
        )


class Recorder:
    """Listens to all reports, those of xdist's workers included, and writes at the end."""

    def __init__(self, config: pytest.Config, page: Path | None, losses: Losses) -> None:
        self._config = config
        self._page = page
        self._losses = losses
        self._written: list[str] = []
        self._began = time.time()
        self._load = host_load()
        self._facts = Facts()
        self._boots: list[Boot] = []
        self._drafts: dict[tuple[str, str], _Draft] = {}

    @property
    def _findings(self) -> list[Finding]:
        return self._config.stash.get(FINDINGS, [])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        facts = vars(report).get(FACTS)
        if facts is not None:
            self._facts = structured(facts, Facts)
        worker = vars(report).get("worker_id", "main")
        self._boots += [replace(structured(boot, Boot), worker=worker) for boot in vars(report).get(BOOTS, [])]
        # xdist's own report on a worker that died has no start
        fresh = _Draft(report.nodeid, worker, report.start or time.time())
        draft = self._drafts.setdefault((worker, report.nodeid), fresh)
        draft.outcomes.append(phase_outcome(report.when, report.outcome, xfail=hasattr(report, "wasxfail")))
        draft.details.append(detail(report))
        draft.sections |= dict(report.sections)
        draft.duration_s += report.duration
        observed = vars(report).get(OBSERVED)
        if observed is not None:
            draft.observed = structured(observed, Observed)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be imported has no tests: it is an error of its own."""
        if report.failed:
            draft = _Draft(report.nodeid, "main", time.time(), [Outcome.ERROR], [report.longreprtext])
            self._drafts["main", report.nodeid] = draft

    # before pytest's own plugin writes JUnit's file
    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        facts = replace(
            self._facts,
            host=f"{platform.node()}, {platform.system()} {platform.release()} {platform.machine()}",
            cpus=os.cpu_count() or 0,
            load_before=self._load,
            load_after=host_load(),
        )
        # the key is private, but there is no other way to properties that works with xdist as well
        junit = self._config.stash.get(xml_key, None)
        if junit is not None:
            for name, value in (*junit_properties(facts), *junit_findings(self._findings)):
                junit.add_global_property(name, value)
        if self._page is not None:
            self._write(self._page, facts, int(exitstatus))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._written:
            terminalreporter.section("report")
            for line in self._written:
                terminalreporter.write_line(line)

    def _write(self, page: Path, facts: Facts, exit_code: int) -> None:
        cases = tuple(draft.finished(page.parent) for draft in self._drafts.values())
        run = Run(
            self._began, time.time() - self._began, exit_code, facts, cases, tuple(self._findings), tuple(self._boots)
        )
        results = results_of(page)
        with self._losses.noted(f"the file of results `{results}`", file=results):
            write_run(run, results)
            self._written.append(f"{results}: `hil report` makes the page again")
        command = shlex.join(["hil", "report", str(results), "--html", str(page)])
        again = f"`{command}` makes it" if self._written else ""
        with self._losses.noted(f"the page `{page}`", again, file=page):
            from hybrid_hil.report.page import Saved, write_page  # noqa: PLC0415  only at the end of runs that want it

            write_page([Saved(run, page.parent)], page)
            self._written.insert(0, str(page))


def host_load() -> float:
    """How many processes wanted a CPU over the last minute."""
    return round(os.getloadavg()[0], 2)


def results_of(page: Path) -> Path:
    """Where the results of a page are."""
    return page.with_suffix(".json")


def phase_outcome(when: str, outcome: str, *, xfail: bool) -> Outcome:
    """What one phase of a test makes of it. A worker that dies reports its test as failed in the phase `???`."""
    if outcome == "failed":
        return Outcome.ERROR if when in {"setup", "teardown"} else Outcome.FAILED
    if outcome == "skipped":
        return Outcome.XFAILED if xfail else Outcome.SKIPPED
    return Outcome.XPASSED if xfail and when == "call" else Outcome.PASSED


def detail(report: pytest.TestReport) -> str:
    """Why a phase did not pass, in pytest's words."""
    if hasattr(report, "wasxfail"):
        return str(report.wasxfail).removeprefix("reason: ")
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return "" if report.passed else report.longreprtext


def junit_properties(facts: Facts) -> list[tuple[str, str]]:
    """The facts that are known, as JUnit's properties."""
    found = {name: str(value) for name, value in asdict(facts).items() if value != ""}
    return [(f"hil.{name}", value) for name, value in found.items()]


def junit_findings(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """What was found that needs something done, as JUnit's properties."""
    told = [finding for finding in findings if finding.level is not Level.OK]
    return [
        (f"hil.{finding.level}", "; ".join(filter(None, (finding.title, finding.text, finding.remedy))))
        for finding in told
    ]
