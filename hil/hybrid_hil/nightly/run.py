"""A night under way: one job after the other, whatever becomes of each."""

import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from hybrid_hil.host.emulator import QEMU_VARIABLE
from hybrid_hil.host.long_command import run_long_command
from hybrid_hil.nightly.job import FOLDER, Job
from hybrid_hil.nightly.plan import Planned, no_room
from hybrid_hil.nightly.result import JobOutcome, JobResult, judged, keep, read_tally
from hybrid_hil.terminal import Reporter

JUNIT = "junit.xml"
LOG = "output.log"
PAGE = "report.html"
ARTIFACTS = "artifacts"


class NightlyRun:
    """Runs jobs into folders below `report`. `launchers` are those of the QEMUs that are not the host's, by release."""

    def __init__(self, report: Path, launchers: Mapping[str, Path], reporter: Reporter) -> None:
        self._report = report.absolute()
        self._launchers = launchers
        self._reporter = reporter
        self.interrupted = False

    def run(self, planned: Sequence[Planned], bound: float | None = None) -> list[JobResult]:
        """One result for each of `planned`. An interrupt ends the job that runs, and those after it are left out."""
        begun = time.monotonic()
        results = []
        for one in planned:
            reason = one.reason or self._against_beginning(one.job, (time.monotonic() - begun) / 60, bound)
            result = JobResult(one.job.name, JobOutcome.LEFT_OUT, reason) if reason else self._run(one.job)
            keep(result, self._report / one.job.name)
            results.append(result)
        return results

    def _against_beginning(self, job: Job, minutes: float, bound: float | None) -> str:
        return "the night was interrupted" if self.interrupted else no_room(job, minutes, bound)

    def _run(self, job: Job) -> JobResult:
        folder = self._report / job.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        launcher = self._launchers.get(job.qemu)
        environment = {QEMU_VARIABLE: str(launcher)} if launcher else {}
        begun = time.monotonic()
        try:
            with self._reporter.step(job.name) as step:
                exit_code = run_long_command(command_line(job, folder), step, log=folder / LOG, environment=environment)
                seconds = time.monotonic() - begun
                result = judged(job.name, exit_code, read_tally(folder / JUNIT), seconds)
                step.failed = result.outcome is not JobOutcome.PASSED
        except KeyboardInterrupt:
            self.interrupted = True
            seconds = time.monotonic() - begun
            return JobResult(job.name, JobOutcome.INTERRUPTED, "by Ctrl-C", seconds, read_tally(folder / JUNIT))
        return result


def command_line(job: Job, folder: Path) -> list[str]:
    """pytest for `job`, everything it leaves in `folder`."""
    arguments = [argument.replace(FOLDER, str(folder)) for argument in job.arguments]
    results = [f"--junit-xml={folder / JUNIT}", f"--hil-report={folder / PAGE}"]
    return [sys.executable, "-m", "pytest", *arguments, "-v", *results, f"--hil-artifacts={folder / ARTIFACTS}"]
