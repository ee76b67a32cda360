"""What is recorded of single tests, on a disk that takes no more of it: the run goes on."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from hybrid_hil.board.snapshot import Snapshot, SnapshotCache
from hybrid_hil.console.record import Record
from hybrid_hil.device.evidence import QUESTIONS, Evidence, collect
from hybrid_hil.shell import Completed
from tests.unit.hil.full_disk import fill, make_read_only, mounted
from tests.unit.hil.test_recording import pytest_run

# A board that says a line when it is asked to, and fills the disk of its own log; the rig's care is left out.
DOUBLE = """
from types import SimpleNamespace
from hybrid_hil.console import Console
from hybrid_hil.device.rig import Rig
from hybrid_hil.shell import Completed
from hybrid_hil.suite.board_session import BoardSession
from hybrid_hil.board_health import BoardHealth

def make(keeper):
    logs = keeper._artifacts / keeper._assignment.worker
    said = [Console(name, BoardHealth(), log=logs / f"{name}.log") for name in ("console", "core")]
    board = SimpleNamespace(console=said[0], core_console=said[1], by_hand="qemu", boots=1, restores=0, provision=None)
    board.shell = SimpleNamespace(run=lambda text, **_: Completed(text, 0, "1.0", "", 0.0))
    board.close = lambda: [console.close() for console in said]
    board.name = "double"
    return Rig(board)

BoardSession._make = make
Rig.look_after = lambda rig, test: []
"""
SUITE = """
from tests.unit.hil.full_disk import fill
from pathlib import Path

def test_says(board, pytestconfig):
    fill(Path(pytestconfig.getoption("--hil-artifacts")))
    for number in range(200):
        board.console._record.append(b"x" * 100 + b"\\n")
    assert len(board.console.lines(0)) == 200

def test_fails(board): assert "this" == "that"

def test_goes_on(board): assert len(board.console.lines(0)) == 200
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk") as place:
        yield place


def silent_board() -> SimpleNamespace:
    """A double of a board that has said nothing and answers each question with nothing."""
    console = SimpleNamespace(lines=lambda _: [])
    shell = SimpleNamespace(run=lambda text, **_: Completed(text, 0, "", "", 0.0))
    return SimpleNamespace(console=console, core_console=console, shell=shell)


def kept(folder: Path, report: str) -> Evidence:
    return collect(silent_board(), folder, report, 0, 0)


def test_a_console_is_recorded_though_its_log_s_disk_is_full(disk: Path) -> None:
    record = Record(disk / "logs" / "console.log")
    record.append(b"before\n")
    fill(disk)
    lines = [f"line {number} " + "x" * 100 for number in range(200)]
    for line in lines:
        record.append(line.encode() + b"\n")
    record.append(b"unfinished")
    assert [line.text for line in record.lines()] == ["before", *lines, "unfinished"]
    assert record.lost == "No space left on device"
    record.close()
    assert (disk / "logs" / "console.log").read_text().splitlines()[0].endswith("before")


def test_a_console_whose_log_cannot_be_made_is_recorded(disk: Path) -> None:
    make_read_only(disk)
    record = Record(disk / "logs" / "console.log")
    record.append(b"said\n")
    record.close()
    assert [line.text for line in record.lines()] == ["said"]
    assert record.lost == "Read-only file system"


def test_evidence_is_whole_where_there_is_room(tmp_path: Path) -> None:
    """Whatever characters a failure has."""
    found = kept(tmp_path / "kept", "half a character: \ud800")
    assert found == Evidence(tmp_path / "kept")
    assert (found.folder / "failure.txt").read_text() == "half a character: \\ud800"
    assert {path.name for path in found.folder.iterdir()} == {
        "failure.txt",
        "console.txt",
        "core-console.txt",
        *QUESTIONS,
    }


def test_evidence_without_room_is_a_line_and_no_error(disk: Path) -> None:
    fill(disk)
    found = kept(disk / "kept", "it failed")
    assert found.lost == f"the evidence in `{disk}/kept` is not whole: No space left on device (make room there)"


def test_a_restore_whose_time_cannot_be_noted_is_one_all_the_same(disk: Path) -> None:
    fill(disk)
    SnapshotCache().note(Snapshot(disk, 9.0, ()), 2.0)
    assert not (disk / "times").exists() or (disk / "times").read_text() == ""


@pytest.mark.parametrize("arguments", [[], ["-n1"]], ids=["alone", "by a worker"])
def test_a_run_goes_on_when_its_artifacts_disk_is_full(disk: Path, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "conftest.py").write_text(DOUBLE)
    done = pytest_run(
        tmp_path,
        f"--hil-artifacts={disk}",
        "--hil-report=page.html",
        "--junitxml=junit.xml",
        f"-opythonpath={Path(__file__).parents[3]}",
        *arguments,
        suite=SUITE,
    )
    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    assert "assert 'this' == 'that'" in done.stdout
    evidence = (
        f"  the evidence in `{disk}/test_suite.py_test_fails` is not whole: No space left on device (make room there)"
    )
    assert evidence in done.stdout
    worker = "gw0" if arguments else "main"
    log = f"the log of the console ends early: No space left on device (make room for `{disk}/{worker}/console.log`)"
    assert done.stdout.count(log) == 1
    assert "the log of the core " not in done.stdout
    assert (tmp_path / "page.html").exists()
    assert (tmp_path / "junit.xml").exists()
