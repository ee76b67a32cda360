"""A plugin of pytest, for the runs that try mutants: writes what became of each test into a file as it comes."""

import json
import os
from pathlib import Path

import pytest

REPORTS_VARIABLE = "HYBRID_MUTANTS_REPORTS"
# Of pytest. What tests start themselves has plugins again.
NO_PLUGINS = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
FOUND = "found"
SHOWN_CHARACTERS = 3000


def _write(**values: object) -> None:
    with Path(os.environ[REPORTS_VARIABLE]).open("a") as reports:
        reports.write(json.dumps(values) + "\n")


def _text(report: pytest.CollectReport | pytest.TestReport) -> str:
    return report.longreprtext[-SHOWN_CHARACTERS:] if report.failed else ""


def pytest_configure() -> None:
    os.environ.pop(NO_PLUGINS, None)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _write(node=report.nodeid, when="collect", outcome=report.outcome, text=_text(report))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Every test that was found, also where none is run."""
    for item in session.items:
        _write(node=item.nodeid, when=FOUND, outcome=FOUND)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    outcome = {"when": report.when, "outcome": report.outcome, "seconds": report.duration}
    _write(node=report.nodeid, text=_text(report), **outcome)
