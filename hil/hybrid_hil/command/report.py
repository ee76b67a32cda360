"""`hil report`: the page of saved results, made again."""

from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from hybrid_hil.console.record import printable
from hybrid_hil.failure import RigError, told
from hybrid_hil.report import summary
from hybrid_hil.report.nights import pasts
from hybrid_hil.report.record import Run, read_run
from hybrid_hil.report.summary import Verdict
from hybrid_hil.terminal import out

COLOURS = {Verdict.PASSED: "green", Verdict.FAILED: "bold red"}
DOUBTFUL = "yellow"


@click.command()
@click.argument("results", metavar="RESULTS.json…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--html", "html", metavar="FILE", type=click.Path(path_type=Path), help="Writes a page about them there.")
def command(results: tuple[Path, ...], html: Path | None) -> int:
    """Show saved results of tests, and write a page about them; several runs become a matrix of run and test.

    Runs are put in order of time. Of tests that failed in one of several runs of the same board, image, layout and QEMU
    it is told since when they are bad, and which are flaky.

    `pytest --hil-report PAGE.html` saves results beside its page. Links to evidence hold as long as it lies where it
    lay, seen from the results.

    \b
    Examples:
      hil test -- --hil-report hil-artifacts/report.html
      hil report hil-artifacts/report.json
      hil report hil-artifacts/report.json --html hil-artifacts/again.html
      hil report night/*/report.json --html night.html
    Exit codes: 0 all passed, 1 something failed, ended early or proved nothing, or results cannot be read.
    """
    read = sorted(((read_run(path), path) for path in results), key=lambda one: one[0].began)
    runs = [run for run, _ in read]
    out.print(table_of(runs))
    for title, tests in failures(runs):
        out.print(printable(title), style="bold", markup=False)
        for test in tests:
            out.print(f"  {printable(test)}", markup=False)
    for past in pasts(runs):
        out.print(printable(f"{past.test}: {past.spoken(summary.labels(runs))}"), markup=False)
    if html is not None:
        _write(read, html)
        out.print(f"page: {html}", markup=False)
    return 0 if summary.worst(map(summary.verdict, runs)) is Verdict.PASSED else 1


def _write(read: list[tuple[Run, Path]], html: Path) -> None:
    from hybrid_hil.report.page import Saved, write_page  # noqa: PLC0415  the table alone is quick

    saved = [Saved(run, path.absolute().parent) for run, path in read]
    try:
        write_page(saved, html.absolute())
    except OSError as error:
        remedy = "name a folder that can be written and has room"
        raise RigError(f"the page `{html}` is not written: {told(error)}", remedy) from error


def table_of(runs: list[Run]) -> Table:
    """One line for each run."""
    table = Table(box=None, pad_edge=False)
    for heading in ("run", "verdict", "tests", "time", "image", "runtime"):
        table.add_column(heading, overflow="fold")
    for label, run in zip(summary.labels(runs), runs, strict=True):
        verdict, facts = summary.verdict(run), run.facts
        texts = (summary.spoken(summary.counts(run.cases)), summary.duration(run.duration_s))
        known = (facts.image_origin or "-", facts.runtime or "-")
        marked = Text(verdict, style=COLOURS.get(verdict, DOUBTFUL))
        table.add_row(Text(printable(label)), marked, *texts, *(Text(printable(text)) for text in known))
    return table


def failures(runs: list[Run]) -> list[tuple[str, list[str]]]:
    """The tests that failed, each run's under its name."""
    named = zip(summary.labels(runs), runs, strict=True)
    found = [(label, [case.test for case in run.cases if case.bad]) for label, run in named]
    return [(f"failed in {label}:", tests) for label, tests in found if tests]
