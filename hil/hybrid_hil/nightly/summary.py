"""A night at a glance: a table for a terminal, the same as Markdown, and what it all comes to."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from hybrid_hil.image.assembly import BUILDROOT
from hybrid_hil.nightly.job import JOBS
from hybrid_hil.nightly.result import JobOutcome, JobResult

COLOURS = {
    JobOutcome.PASSED: "green",
    JobOutcome.FAILED: "bold red",
    JobOutcome.INTERRUPTED: "bold red",
    JobOutcome.LEFT_OUT: "yellow",
}
HEADINGS = ("part", "outcome", "duration", "passed", "failed", "skipped", "why")
_ON_BUILDROOT = frozenset(job.name for job in JOBS if job.image == BUILDROOT)


def succeeded(results: Sequence[JobResult]) -> bool:
    """Whether something ran, and all that ran passed."""
    ran = [result for result in results if result.ran]
    return bool(ran) and all(result.outcome is JobOutcome.PASSED for result in ran)


def headline(results: Sequence[JobResult]) -> str:
    """One line: the product's own image first, then the night."""
    ran = [result for result in results if result.ran]
    passed = sum(result.outcome is JobOutcome.PASSED for result in ran)
    night = f"{passed} of {len(ran)} parts passed, {len(results) - len(ran)} left out"
    product = [result for result in ran if result.job in _ON_BUILDROOT]
    if not product:
        return f"nothing ran on the image made by Buildroot; {night}"
    red = [result.job for result in product if result.outcome is not JobOutcome.PASSED]
    verdict = f"failed in {', '.join(red)}" if red else f"passed in all of its {len(product)} parts"
    return f"the image made by Buildroot {verdict}; {night}"


def table(results: Sequence[JobResult]) -> Table:
    made = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        counted = heading in ("duration", "passed", "failed", "skipped")
        made.add_column(heading, justify="right" if counted else "left", overflow="fold", no_wrap=heading == "part")
    for result in results:
        job, outcome, *cells = _row(result)
        made.add_row(job, Text(outcome, style=COLOURS[result.outcome]), *(Text(cell) for cell in cells))
    return made


def markdown(results: Sequence[JobResult]) -> str:
    """For a page: the headline, then the table."""
    rows = [HEADINGS, tuple("---" for _ in HEADINGS), *(_row(result) for result in results)]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join((f"**{headline(results)}**", "", *lines, ""))


def _row(result: JobResult) -> tuple[str, ...]:
    minutes, seconds = divmod(round(result.seconds), 60)
    tally = result.tally
    counts = ("", "", "") if tally is None else (str(tally.passed), str(tally.failed), str(tally.skipped))
    return (result.job, result.outcome.value, f"{minutes}:{seconds:02}" if result.ran else "", *counts, result.reason)
