"""Options of the measurements, and their table: printed at the end whatever the verdict, and kept as JSON."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.bench.measured import Note, Row, table

ROWS = pytest.StashKey[list[Row]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rounds", type=int, default=100, help="how often each verb's processor time is taken")
    parser.addoption("--crashes", type=int, default=40, help="how many crashes are timed, each way")
    parser.addoption("--starts", type=int, default=1000, help="how many starts are counted")
    parser.addoption("--engine-rounds", type=int, default=20, help="how often each engine runs and stops a container")
    parser.addoption("--boots", type=int, default=7, help="how often a board is booted and restored")
    parser.addoption("--idle-seconds", type=float, default=30.0, help="how long a quiet supervisor is watched")
    parser.addoption("--bench-json", default="hil-artifacts/bench.json", metavar="FILE", help="where the numbers go")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = []


@pytest.fixture(scope="session")
def note(pytestconfig: pytest.Config) -> Note:
    """Puts a row into the table and gives it back."""

    def add(row: Row) -> Row:
        pytestconfig.stash[ROWS].append(row)
        return row

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = config.stash[ROWS]
    if not rows:
        return
    terminalreporter.section("budgets")
    for line in table(rows):
        terminalreporter.write_line(line)
    path = Path(config.getoption("--bench-json"))
    path.parent.mkdir(parents=True, exist_ok=True)
    values = [asdict(row) | {"holds": row.holds} for row in rows]
    path.write_text(json.dumps({"load": os.getloadavg(), "rows": values}, indent=2) + "\n")
    terminalreporter.write_line(f"load {os.getloadavg()[0]:.1f}; also in {path}")
