"""Nights of small jobs, really run."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_hil.__main__ import run
from hybrid_hil.deadline import Deadline
from hybrid_hil.nightly.job import JOBS, Job
from hybrid_hil.nightly.plan import Planned
from hybrid_hil.nightly.result import JobOutcome, JobResult, Tally, keep
from hybrid_hil.nightly.run import NightlyRun, command_line
from hybrid_hil.terminal import QuietReporter

INTERRUPTED = """
import sys
from pathlib import Path
from hybrid_hil.nightly.run import NightlyRun
from hybrid_hil.nightly.job import Job
from hybrid_hil.nightly.plan import Planned
from hybrid_hil.terminal import QuietReporter

test, report = sys.argv[1:]
jobs = [Planned(Job(name, "", 1, (test, "-p", "no:cacheprovider", "-s"))) for name in ("first", "second")]
night = NightlyRun(Path(report), {}, QuietReporter())
for result in night.run(jobs):
    print(result.job, result.outcome, result.reason, sep=": ")
"""


def job(name: str, folder: Path, test: str, qemu: str = "") -> Job:
    file = folder / f"test_{name}.py"
    file.write_text(test)
    return Job(name, "", 1, (str(file), f"--rootdir={folder}", "-p", "no:cacheprovider"), qemu=qemu)


def test_a_night_goes_on_after_a_part_that_fails(tmp_path: Path) -> None:
    jobs = [
        Planned(job("bad", tmp_path, "def test(): assert False\ndef test_good(): pass")),
        Planned(job("unwanted", tmp_path, "def test(): pass"), "no reason"),
        Planned(job("good", tmp_path, "def test(): pass")),
        Planned(job("empty", tmp_path, "import pytest\ndef test(): pytest.skip('nothing here')")),
    ]
    report = tmp_path / "report"
    bad, unwanted, good, empty = NightlyRun(report, {}, QuietReporter()).run(jobs)
    assert (bad.outcome, bad.tally) == (JobOutcome.FAILED, Tally(1, 1, 0))
    assert unwanted == JobResult("unwanted", JobOutcome.LEFT_OUT, "no reason")
    assert (good.outcome, good.tally) == (JobOutcome.PASSED, Tally(1, 0, 0))
    assert (empty.outcome, empty.reason) == (JobOutcome.FAILED, "no test passed")
    assert "assert False" in (report / "bad/output.log").read_text()
    assert (report / "good/junit.xml").is_file()


def test_parts_that_no_longer_fit_are_left_out(tmp_path: Path) -> None:
    jobs = [Planned(job("good", tmp_path, "def test(): pass"))]
    (result,) = NightlyRun(tmp_path / "report", {}, QuietReporter()).run(jobs, bound=0.5)
    assert result.outcome is JobOutcome.LEFT_OUT
    assert "takes about 1 minutes" in result.reason


def test_the_newest_qemu_is_named_to_its_parts_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYBRID_HIL_QEMU", raising=False)
    newest = job("new", tmp_path, "import os\ndef test(): assert os.environ['HYBRID_HIL_QEMU'] == '/q'", qemu="newest")
    hosts = job("old", tmp_path, "import os\ndef test(): assert 'HYBRID_HIL_QEMU' not in os.environ", qemu="host")
    results = NightlyRun(tmp_path / "report", {"newest": Path("/q")}, QuietReporter()).run(
        [Planned(newest), Planned(hosts)]
    )
    assert [result.outcome for result in results] == [JobOutcome.PASSED] * 2


def test_ctrl_c_ends_the_part_and_leaves_out_the_rest(tmp_path: Path) -> None:
    test = tmp_path / "test_sleeps.py"
    test.write_text("import time\ndef test(): print('sleeping', flush=True); time.sleep(60)")
    night = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, test, tmp_path / "report"],
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    log = tmp_path / "report/first/output.log"
    assert any(log.is_file() and "sleeping" in log.read_text() for _ in Deadline(30).ticks(0.1))
    night.send_signal(signal.SIGINT)
    said, _ = night.communicate(timeout=30)
    assert said.splitlines()[-2:] == ["first: interrupted: by Ctrl-C", "second: left out: the night was interrupted"]
    assert "KeyboardInterrupt" in log.read_text()


def test_everything_a_part_leaves_is_in_its_folder() -> None:
    bench = next(job for job in JOBS if job.name == "bench")
    words = command_line(bench, Path("/report/bench"))
    assert "/report/bench/bench.json" in words
    assert "--junit-xml=/report/bench/junit.xml" in words
    assert "--hil-artifacts=/report/bench/artifacts" in words


def test_list_says_what_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["nightly", "--list", "--only", "soak", "--only", "bench", "--skip", "bench", "--bound", "100"]) == 0
    shown = capsys.readouterr().out
    # on a narrow terminal a row goes on in lines that begin with a space
    assert re.findall(r"^\S+", shown, re.MULTILINE) == ["part", "soak", "bench"]
    assert "--skip" in shown


def test_a_part_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["nightly", "--only", "everything"]) == 2
    assert "hil nightly --list" in capsys.readouterr().err


def test_saved_results_are_summed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep(JobResult("soak", JobOutcome.PASSED, "", 60, Tally(3, 0, 0)), tmp_path / "soak")
    assert run(["nightly", "--read", "--report", str(tmp_path), "--only", "soak"]) == 0
    assert "| soak | passed | 1:00 | 3 | 0 | 0 |  |" in (tmp_path / "summary.md").read_text()
    assert run(["nightly", "--read", "--report", str(tmp_path), "--only", "soak", "--only", "bench"]) == 1
    assert "not a good night" in capsys.readouterr().err
