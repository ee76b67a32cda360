"""Runs of small suites without a board: what is recorded of them, and what that costs when nobody wants it."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from hybrid_hil.console.record import Line
from hybrid_hil.report.finding import Finding, Level
from hybrid_hil.report.record import Outcome, Run, read_run
from hybrid_hil.suite.observation import CHARACTERS, LINES, excerpt, verb_of
from hybrid_hil.suite.recording import junit_findings, phase_outcome
from tests.unit.hil.report_samples import CORE

WHOLE_S = 120

SUITE = """
import sys
import pytest

def test_passes(): pass

def test_fails(): assert 1 == 2, "<b>bold</b>"

def test_skips(): pytest.skip("not today")

@pytest.mark.xfail(reason="known")
def test_expected(): assert False

@pytest.mark.xfail(reason="known")
def test_unexpected(): pass

@pytest.fixture
def broken(): raise OSError("broken")

def test_setup(broken): pass

@pytest.fixture
def breaks():
    yield
    raise OSError("late")

def test_teardown(breaks): pass

def test_both(breaks): assert False, "early"

def test_imports_nothing_for_reports():
    assert not {"matplotlib", "jinja2", "cattrs", "hybrid_hil.report.page"} & set(sys.modules)
"""

EXPECTED = {
    "test_passes": Outcome.PASSED,
    "test_fails": Outcome.FAILED,
    "test_skips": Outcome.SKIPPED,
    "test_expected": Outcome.XFAILED,
    "test_unexpected": Outcome.XPASSED,
    "test_setup": Outcome.ERROR,
    "test_teardown": Outcome.ERROR,
    "test_both": Outcome.FAILED,
    "test_imports_nothing_for_reports": Outcome.PASSED,
}


def pytest_run(folder: Path, *arguments: str, suite: str = SUITE) -> subprocess.CompletedProcess[str]:
    """A pytest in a process of its own, without a terminal."""
    (folder / "test_suite.py").write_text(suite)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--rootdir={folder}", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WHOLE_S,
        check=False,
    )


def results(folder: Path, *arguments: str, suite: str = SUITE) -> Run:
    """What is saved of a run with a report."""
    done = pytest_run(folder, "--hil-report=out/page.html", *arguments, suite=suite)
    assert str(folder / "out" / "page.html") in done.stdout, done.stdout + done.stderr
    return read_run(folder / "out" / "page.json")


def outcomes(run: Run) -> dict[str, Outcome]:
    return {case.name: case.outcome for case in run.cases}


def properties(folder: Path) -> dict[str, str]:
    """Those of the suite in JUnit's file."""
    found = ET.parse(folder / "junit.xml").findall("testsuite/properties/property")
    return {each.get("name", ""): each.get("value", "") for each in found}


@pytest.mark.parametrize("arguments", [[], ["-n1"]], ids=["alone", "by a worker"])
def test_every_way_a_test_may_end_is_recorded(tmp_path: Path, arguments: list[str]) -> None:
    run = results(tmp_path, "--junitxml=junit.xml", *arguments)
    assert outcomes(run) == EXPECTED
    assert properties(tmp_path)["hil.cpus"] == str(os.cpu_count())
    assert run.exit_code == 1
    assert run.facts.cpus == os.cpu_count()
    assert run.facts.image_hash == ""
    details = {case.name: case.detail for case in run.cases}
    assert "<b>bold</b>" in details["test_fails"]
    assert details["test_skips"] == "not today"
    assert details["test_expected"] == "known"
    assert "early" in details["test_both"]
    assert "late" in details["test_both"]
    assert {case.worker for case in run.cases} == {"gw0" if arguments else "main"}
    page = (tmp_path / "out" / "page.html").read_text()
    assert "&lt;b&gt;bold&lt;/b&gt;" in page


def test_a_file_that_cannot_be_imported_is_an_error(tmp_path: Path) -> None:
    run = results(tmp_path, suite="import nothing_of_that_name")
    (case,) = run.cases
    assert (case.test, case.outcome) == ("test_suite.py", Outcome.ERROR)
    assert "nothing_of_that_name" in case.detail
    assert run.exit_code == 2


def test_a_worker_that_dies_fails_its_test(tmp_path: Path) -> None:
    run = results(tmp_path, "-n1", suite="import os\ndef test_dies(): os._exit(7)\n")
    assert outcomes(run) == {"test_dies": Outcome.FAILED}
    assert run.cases[0].began >= run.began


def test_an_empty_run_has_a_report(tmp_path: Path) -> None:
    run = results(tmp_path, "-k", "nothing_of_that_name")
    assert run.cases == ()
    assert run.exit_code == 5


def test_junit_knows_the_host_without_a_page(tmp_path: Path) -> None:
    pytest_run(tmp_path, "--junitxml=junit.xml")
    found = properties(tmp_path)
    assert found["hil.cpus"] == str(os.cpu_count())
    assert float(found["hil.load_before"]) >= 0
    assert "hil.image_hash" not in found
    assert [path.name for path in tmp_path.iterdir() if path.suffix in {".html", ".json"}] == []


def test_without_a_report_nothing_is_written(tmp_path: Path) -> None:
    done = pytest_run(tmp_path)
    assert "hil report" not in done.stdout
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {"test_suite.py"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--hil-report=page.json"], "--hil-report is `page.json`: give a name that ends with .html"),
        (["--hil-shell"], "--hil-shell needs a terminal"),
        (["--hil-shell", "-n2"], "--hil-shell has one terminal for one board: run without -n"),
    ],
)
def test_nonsense_is_wrong_usage(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = pytest_run(tmp_path, *arguments)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: {message}" in done.stderr


@pytest.mark.parametrize(
    ("when", "outcome", "xfail", "expected"),
    [
        ("call", "passed", False, Outcome.PASSED),
        ("call", "passed", True, Outcome.XPASSED),
        ("call", "skipped", True, Outcome.XFAILED),
        ("setup", "skipped", False, Outcome.SKIPPED),
        ("setup", "failed", False, Outcome.ERROR),
        ("teardown", "failed", False, Outcome.ERROR),
        ("???", "failed", False, Outcome.FAILED),
    ],
)
def test_a_phase_makes_an_outcome(when: str, outcome: str, xfail: bool, expected: Outcome) -> None:
    assert phase_outcome(when, outcome, xfail=xfail) is expected


def test_an_excerpt_is_bounded_in_both_directions() -> None:
    lines = [Line(f"{number} " + "x" * 2000, 50.0 + number, 0.0) for number in range(LINES + 5)]
    found = excerpt(lines, 40.0)
    assert len(found.lines) == LINES
    assert found.omitted == 5
    assert found.lines[0].at_s == 15.0
    assert found.lines[0].text.startswith("5 x")
    assert max(len(line.text) for line in found.lines) == CHARACTERS
    assert excerpt([], 0.0).lines == ()


@pytest.mark.parametrize(
    ("arguments", "verb"),
    [(["create", "--annotation", f"remoteproc.name={CORE}"], "create"), (["--version"], None), ([], None)],
)
def test_a_verb_comes_first(arguments: list[str], verb: str | None) -> None:
    assert verb_of(arguments) == verb


def test_findings_are_properties_unless_all_is_well() -> None:
    found = [Finding(Level.OK, "fine"), Finding(Level.PROBLEM, "no output", "", "add a trace")]
    assert junit_findings(found) == [("hil.problem", "no output; add a trace")]
