"""How a job ended: told from pytest's exit code and its JUnit XML, and kept as a file beside them."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from xml.etree import ElementTree

from hybrid_hil.failure import RigError

FILE = "result.json"
# What a job is called in a saved result.
PART = "part"


class JobOutcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class Tally:
    """How many tests; `failed` are also those whose setup or teardown did."""

    passed: int
    failed: int
    skipped: int


@dataclass(frozen=True)
class JobResult:
    """A job's end; `reason` says why it is not `passed`."""

    job: str
    outcome: JobOutcome
    reason: str = ""
    seconds: float = 0.0
    tally: Tally | None = None

    @property
    def ran(self) -> bool:
        return self.outcome is not JobOutcome.LEFT_OUT


def judged(job: str, exit_code: int, tally: Tally | None, seconds: float) -> JobResult:
    """Passing takes tests that passed: a run that skipped everything has shown nothing."""
    if exit_code != 0:
        reason = f"pytest ended with {exit_code}"
    elif tally is None:
        reason = "pytest left no JUnit XML"
    elif tally.passed == 0:
        reason = "no test passed"
    else:
        return JobResult(job, JobOutcome.PASSED, seconds=seconds, tally=tally)
    return JobResult(job, JobOutcome.FAILED, reason, seconds, tally)


def read_tally(junit: Path) -> Tally | None:
    """The sums over all suites in the file; None when a run died before it was written, or while it was."""
    try:
        suites = list(ElementTree.parse(junit).getroot().iter("testsuite"))
    except (FileNotFoundError, ElementTree.ParseError):
        return None
    tests, failures, errors, skipped = (
        sum(int(suite.get(name, "0")) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    return Tally(max(0, tests - failed - skipped), failed, skipped)


def keep(result: JobResult, folder: Path) -> None:
    """Writes it into the job's own folder."""
    folder.mkdir(parents=True, exist_ok=True)
    saved = asdict(result)
    saved = {PART: saved.pop("job"), **saved}
    (folder / FILE).write_text(json.dumps(saved, indent=2) + "\n")


def kept(job: str, report: Path) -> JobResult:
    """The result of `job` among those saved below `report`; one that is not there is a failure.

    Raises:
        RigError: it cannot be read.
    """
    path = report / job / FILE
    if not path.is_file():
        return JobResult(job, JobOutcome.FAILED, f"no result in `{report}`")
    try:
        saved = json.loads(path.read_bytes())
        tally = saved.pop("tally")
        outcome = JobOutcome(saved.pop("outcome"))
        return JobResult(saved.pop(PART), **saved, outcome=outcome, tally=Tally(**tally) if tally else None)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RigError(f"`{path}` is no result of a night: {error}", "run that part again") from error
