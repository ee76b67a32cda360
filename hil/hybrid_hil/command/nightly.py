"""`hil nightly`: every longer run there is."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from hybrid_hil.failure import RigError
from hybrid_hil.image.debian.emulator import SUITES, kept_emulator
from hybrid_hil.image.store import Store
from hybrid_hil.nightly.job import JOBS
from hybrid_hil.nightly.plan import Filter, Planned, foreseen, plan
from hybrid_hil.nightly.requirements import missing_ingredients
from hybrid_hil.nightly.result import FILE, JobResult, kept
from hybrid_hil.nightly.run import NightlyRun
from hybrid_hil.nightly.summary import headline, markdown, succeeded, table
from hybrid_hil.report.record import read_run
from hybrid_hil.terminal import TerminalReporter, out
from hybrid_hil.usage import WRONG_USAGE, require_folder

SUMMARY = "summary.md"
PAGE = "night.html"
RESULTS = "report.json"
DEFAULT_REPORT = "hil-artifacts/nightly"
INTERRUPTED = 130

Patterns = tuple[str, ...]


@click.command()
@click.option("--list", "listed", is_flag=True, help="Shows the parts and what would be left out, and runs nothing.")
@click.option("--only", multiple=True, metavar="PART", help="Runs these alone; shell patterns, as often as wanted.")
@click.option("--skip", multiple=True, metavar="PART", help="Leaves these out; shell patterns, as often as wanted.")
@click.option("--bound", type=click.FloatRange(min=0), metavar="MINUTES", help="Begins no part that no longer fits.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    default=DEFAULT_REPORT,
    show_default=True,
    help="Where each part's JUnit XML, page, log and artifacts go, and a page of them all.",
)
@click.option("--read", is_flag=True, help="Runs nothing, and sums up what is in --report.")
def command(listed: bool, only: Patterns, skip: Patterns, bound: float | None, report: Path, read: bool) -> None:
    """Run every longer test with what is at hand, part by part, and say what was left out and why.

    Parts are the suite on each image, layout and QEMU; the life of each driver on each kernel; faults at every system
    call; thousands of lives; what the runtime costs; container engines. One that fails does not keep the next from
    running, Ctrl-C does. In `tox run -e nightly -- ARGUMENTS` nothing is missing that PyPI has; `hil qemu` and `hil
    image build --from buildroot` see to the rest.

    \b
    Examples:
      hil nightly --list
      hil nightly --only 'debian-*' --skip '*-newest'
      hil nightly --bound 90
      hil nightly --report results --read
    Exit codes: 0 something ran and all of it passed, 1 not so, 2 wrong usage, 130 interrupted.
    """
    job_filter = Filter(only, skip, bound)
    if listed and read:
        raise RigError("--list and --read exclude each other", "give one of them", exit_code=WRONG_USAGE)
    if read:
        if not any(report.glob(f"*/{FILE}")):
            raise RigError(f"no results in `{report}`", "name the folder that a night's --report named")
        _conclude([kept(one.job.name, report) for one in plan(JOBS, job_filter, {}) if not one.reason], report)
        return
    store = Store()
    missing = missing_ingredients(store)
    planned = plan(JOBS, job_filter, missing)
    if listed:
        out.print(_listing(foreseen(planned, bound)))
        return
    require_folder(report)
    present = (release for release in SUITES if release not in missing)
    launchers = {release: launcher for release in present if (launcher := kept_emulator(store, release))}
    night = NightlyRun(report, launchers, TerminalReporter(out))
    results = night.run(planned, bound)
    if night.interrupted:
        _show(results, report)
        sys.exit(INTERRUPTED)
    _conclude(results, report)


def _conclude(results: Sequence[JobResult], report: Path) -> None:
    _show(results, report)
    if not succeeded(results):
        remedy = f"each part's output and artifacts are in `{report}`; again: hil nightly --only PART"
        raise RigError(f"not a good night: {headline(results)}", remedy)


def _show(results: Sequence[JobResult], report: Path) -> None:
    out.print()
    out.print(table(results))
    out.print(headline(results), markup=False)
    (report / SUMMARY).write_text(markdown(results))
    _write_page(report)


def _write_page(report: Path) -> None:
    """All jobs that have results on one page, as a matrix of job and test."""
    from hybrid_hil.report.page import Saved, write_page  # noqa: PLC0415  heavy, and only wanted at the end

    saved = [Saved(read_run(path), path.absolute().parent) for path in sorted(report.glob(f"*/{RESULTS}"))]
    if saved:
        write_page(saved, (report / PAGE).absolute())
        out.print(f"page: {report / PAGE}", markup=False)


def _listing(planned: Sequence[Planned]) -> Table:
    shown = Table(box=None, pad_edge=False)
    for heading in ("part", "minutes", "does", "left out because"):
        justify: JustifyMethod = "right" if heading == "minutes" else "left"
        shown.add_column(heading, justify=justify, overflow="fold", no_wrap=heading == "part")
    for one in planned:
        cells = (one.job.name, str(one.job.minutes), one.job.title, one.reason)
        shown.add_row(*(Text(cell) for cell in cells))
    return shown
