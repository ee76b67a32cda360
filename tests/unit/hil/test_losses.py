"""Reports that cannot be written, and how little they take with them."""

import errno
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybrid_hil.__main__ import run as hil
from hybrid_hil.failure import RigError
from hybrid_hil.report.loss import loss
from hybrid_hil.report.record import read_run, write_run
from tests.unit.hil.full_disk import fill, make_read_only, mounted
from tests.unit.hil.report_samples import case, run
from tests.unit.hil.test_recording import pytest_run

GREEN = "def test_passes(): pass\n"
RED = "def test_passes(): pass\ndef test_fails(): assert 'this' == 'that'\n"
# a conftest that makes one part of the end fail, by what fails in it
PLANTED = {
    "the page": "import hybrid_hil.report.page as m\nm.page = broken\n",
    "the plots": "import hybrid_hil.report.page as m\nm.history = broken\n",
    "the results": "import hybrid_hil.suite.recording as m\nm.write_run = broken\n",
    "junit": "import _pytest.junitxml as m\nm.ET.tostring = broken\n",
    "another plugin": "pytest_sessionfinish = broken\n",
}
BROKEN = "def broken(*arguments, **named): raise KeyError('planted\\nin two lines')\n"
TOLD = {
    "the page": "the page `",
    "the plots": "the page `",
    "the results": "the file of results `",
    "junit": "JUnit's file `",
    "another plugin": "what the plugin `",
}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk") as place:
        yield place


def lost_lines(output: str) -> list[str]:
    """What the terminal says is not written."""
    found = re.search(r"^=+ not written =+\n(.*?)^=", output, re.MULTILINE | re.DOTALL)
    return found[1].splitlines() if found else []


def counted(junit: Path) -> int:
    return len(ET.parse(junit).findall("testsuite/testcase"))


@pytest.mark.parametrize("what", PLANTED)
def test_a_report_that_raises_takes_no_other_with_it(what: str, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(BROKEN + PLANTED[what])
    done = pytest_run(tmp_path, "--hil-report=page.html", "--junitxml=junit.xml", suite=RED)
    assert "assert 'this' == 'that'" in done.stdout, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    (line,) = lost_lines(done.stdout)
    assert done.stderr == ""
    assert line.startswith(TOLD[what])
    assert "KeyError: 'planted\\nin two lines' at conftest.py:1 (a defect: report this line" in line
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    there = {name for name in ("page.html", "page.json", "junit.xml") if (tmp_path / name).exists()}
    gone = {"the page": "page.html", "the plots": "page.html", "the results": "page.json", "junit": "junit.xml"}
    assert there == {"page.html", "page.json", "junit.xml"} - {gone.get(what)}
    assert ("generated xml file" in done.stdout) is (what != "junit")
    if what != "junit":
        assert counted(tmp_path / "junit.xml") == 2
    if what != "the results":
        assert len(read_run(tmp_path / "page.json").cases) == 2
    assert ("`hil report" in line) is (what in {"the page", "the plots"})


def test_a_run_that_was_no_success_keeps_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(BROKEN + PLANTED["the page"])
    done = pytest_run(tmp_path, "--hil-report=page.html", suite="")
    assert len(lost_lines(done.stdout)) == 1
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_run_with_workers_says_each_loss_once(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(BROKEN + PLANTED["the page"])
    done = pytest_run(tmp_path, "-n1", "--hil-report=page.html", "--junitxml=junit.xml", suite=GREEN)
    assert len(lost_lines(done.stdout)) == 1
    assert "1 passed" in done.stdout
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert counted(tmp_path / "junit.xml") == 1


@pytest.mark.parametrize(
    ("spoil", "reason", "remedy"),
    [
        (fill, "No space left on device", "make room there"),
        (make_read_only, "Read-only file system", "name a folder that can be written"),
    ],
    ids=["full", "read-only"],
)
def test_a_disk_that_takes_nothing_costs_its_own_reports_only(
    disk: Path, tmp_path: Path, spoil: Callable[[Path], None], reason: str, remedy: str
) -> None:
    (disk / "page.html").write_text("of yesterday")
    spoil(disk)
    before = sorted(path.name for path in disk.iterdir())
    done = pytest_run(tmp_path, f"--hil-report={disk}/page.html", "--junitxml=junit.xml", suite=RED)
    assert "assert 'this' == 'that'" in done.stdout, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert lost_lines(done.stdout) == [
        f"the file of results `{disk}/page.json` is not written: {reason} ({remedy})",
        f"the page `{disk}/page.html` is not written, and what lies there is older: {reason} ({remedy})",
    ]
    assert counted(tmp_path / "junit.xml") == 2
    assert sorted(path.name for path in disk.iterdir()) == before
    assert (disk / "page.html").read_text() == "of yesterday"


def test_a_junit_file_on_a_full_disk_costs_no_page(disk: Path, tmp_path: Path) -> None:
    fill(disk)
    done = pytest_run(tmp_path, "--hil-report=page.html", f"--junitxml={disk}/junit.xml", suite=GREEN)
    (line,) = lost_lines(done.stdout)
    assert done.stderr == ""
    assert line == f"JUnit's file `{disk}/junit.xml` is not written: No space left on device (make room there)"
    assert "1 passed" in done.stdout
    assert "generated xml file" not in done.stdout
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert len(read_run(tmp_path / "page.json").cases) == 1
    assert "1 passed, none failed" in (tmp_path / "page.html").read_text()
    assert not (disk / "junit.xml").exists()


def test_a_page_made_again_on_a_full_disk_is_an_error_with_a_remedy(
    disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(run((case(0),)), tmp_path / "page.json")
    fill(disk)
    assert hil(["report", str(tmp_path / "page.json"), "--html", str(disk / "page.html")]) == 1
    said = capsys.readouterr()
    assert "1 passed" in said.out
    assert f"the page `{disk}/page.html` is not written: No space left on device" in said.err
    assert "remedy: name a folder that can be written and has room" in said.err
    assert [path.name for path in disk.iterdir()] == ["ballast"]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "it: No space left on device (make room there; then do so)"),
        (OSError(errno.EROFS, "Read-only"), "it: Read-only (name a folder that can be written; then do so)"),
        (OSError(errno.EIO, "Input/output error"), "it: Input/output error (see to that path; then do so)"),
        (RigError("no board", "boot\none"), "it: no board (boot one; then do so)"),
        (KeyError("a\x1b[2J"), "it: KeyError: 'a\\x1b[2J' (a defect: report this line; then do so)"),
    ],
)
def test_a_loss_is_one_line_with_its_remedy(error: Exception, line: str) -> None:
    assert loss("it", error, "do so") == line
