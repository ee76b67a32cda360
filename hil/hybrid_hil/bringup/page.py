"""A bring-up on the terminal."""

import statistics

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hybrid_hil.bringup.board import BoardFacts
from hybrid_hil.bringup.session import BringupResult
from hybrid_hil.report.finding import Level

COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "bold red"}
OUTCOMES = {"passed": "green", "skipped": "yellow", "failed": "bold red"}


def show(result: BringupResult, console: Console) -> None:
    """Board, findings that need something done, checks and timings."""
    if result.board is not None:
        console.print(_board(result.board))
    findings = [finding for finding in result.findings if finding.remedy or finding.level is not Level.OK]
    if findings:
        table = _table("finding", "what", "remedy")
        for finding in findings:
            said = f"{finding.title}: {finding.text}" if finding.text else finding.title
            table.add_row(Text(finding.level, style=COLOURS[finding.level]), Text(said), Text(finding.remedy))
        console.print(table)
    table = _table("check", "what", "took", "why not")
    for check in result.checks:
        outcome = Text(check.outcome, style=OUTCOMES[check.outcome])
        table.add_row(outcome, Text(check.title), f"{check.seconds:.1f} s", Text(check.reason))
    console.print(table)
    if result.timings:
        console.print(_timings(result.timings))


def _board(board: BoardFacts) -> Table:
    table = _table("processor", "device", "driver", "state", "recovery", "core dumps", "/dev")
    table.title = f"{board.model or 'a board'}, Linux {board.kernel}, Python {board.python}"
    table.caption = f"engines: {', '.join(board.engines) or 'none'}"
    for one in board.processors:
        there = "yes" if one.character_device else "no"
        row = (one.name, one.device, one.driver, one.state, one.recovery, one.coredump, there)
        table.add_row(*map(Text, row))
    return table


def _timings(timings: dict[str, list[float]]) -> Table:
    table = _table("verb", "times", "median", "slowest")
    table.caption = "over SSH, its round trip included"
    for verb, samples in timings.items():
        table.add_row(verb, str(len(samples)), f"{statistics.median(samples):.2f} s", f"{max(samples):.2f} s")
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, title_justify="left", caption_justify="left")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
