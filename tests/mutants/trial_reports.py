"""A plugin of pytest, for the runs that try mutants: writes what became of each test into a file as it comes."""

import json
import os
from pathlib import Path

import pytest

REPORTS_VARIABLE = "HYBRID_MUTANTS_REPORTS"
# Of pytest. What tests start themselves has plugins again.
NO_PLUGINS = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
FOUND = "found"


def _write(node: str, when: str, outcome: str, seconds: float) -> None:
    line = json.dumps({"node": node, "when": when, "outcome": outcome, "seconds": seconds})
    with Path(os.environ[REPORTS_VARIABLE]).open("a") as reports:
        reports.write(line + "\n")


def pytest_configure() -> None:
    os.environ.pop(NO_PLUGINS, None)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _write(report.nodeid, "collect", report.outcome, 0.0)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Every test that was found, also where none is run."""
    for item in session.items:
        _write(item.nodeid, FOUND, FOUND, 0.0)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _write(report.nodeid, report.when, report.outcome, report.duration)
