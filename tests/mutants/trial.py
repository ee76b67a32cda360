"""A run of some tests in a copy of the checkout, and what came of it."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.checkout_copy import environment_in
from tests.mutants.trial_reports import NO_PLUGINS, REPORTS_VARIABLE

HERE = Path(__file__).resolve().parent
# Of linux/prctl.h.
PR_SET_CHILD_SUBREAPER = 36
# Boards are put away meanwhile.
ENDING_S = 30.0
SHOWN_CHARACTERS = 3000


class Ending(StrEnum):
    """How a run ended. Only `TEST` speaks for the tests by itself."""

    PASSED = "passed"
    TEST = "test"
    FIXTURE = "fixture"
    COLLECTION = "collection"
    HANG = "hang"
    BROKEN = "broken"


@dataclass(frozen=True)
class Report:
    """What pytest said of one test at one moment, or of the collection of one file: `when` is then `collect`. `text`
    says why it failed."""

    node: str
    when: str
    outcome: str
    seconds: float = 0.0
    text: str = ""


@dataclass(frozen=True)
class Trial:
    """A run that has ended; `code` is None when it was cut. `shown` is the end of what it printed."""

    code: int | None
    reports: tuple[Report, ...]
    shown: str

    @property
    def ending(self) -> Ending:
        """By its reports: with -x pytest's exit code is the same for a test that failed and a file that has none."""
        if self.code is None:
            return Ending.HANG
        failed = {report.when for report in self.reports if report.outcome == "failed"}
        if "call" in failed:
            return Ending.TEST
        if failed & {"setup", "teardown"}:
            return Ending.FIXTURE
        if "collect" in failed:
            return Ending.COLLECTION
        return Ending.PASSED if self.code == 0 else Ending.BROKEN


def run_tests(
    copy: Path, folder: Path, words: Sequence[str], seconds: float, *, plugins: bool = False, cache: Path | None = None
) -> Trial:
    """pytest with `words`, in `copy`. Its files go into `folder`. It is cut after `seconds`.

    `plugins`: those that are installed are loaded, which takes seconds. `cache` is of images, instead of the user's.
    """
    reports, log = folder / "reports.jsonl", folder / "output.log"
    reports.unlink(missing_ok=True)
    places = {REPORTS_VARIABLE: str(reports), "TMPDIR": str(_made(folder / "tmp"))}
    if cache is not None:
        places["XDG_CACHE_HOME"] = str(cache)
    if not plugins:
        places[NO_PLUGINS] = "1"
    options = ["-q", "-p", "no:cacheprovider", "-p", "trial_reports", f"--basetemp={folder / 't'}"]
    options += [f"--rootdir={copy}", "-c", str(copy / "pyproject.toml")]
    _adopt_orphans()
    others = set(_children())
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "INT", sys.executable, "-m", "pytest", *options, *words],
            cwd=copy,
            env={**environment_in(copy, HERE), **places},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        try:
            code = _wait(process, seconds)
        finally:
            _end(process)
            _end_orphans(others)
    return Trial(code, tuple(_read(reports)), log.read_text(errors="replace")[-SHOWN_CHARACTERS:])


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _wait(process: "subprocess.Popen[bytes]", seconds: float) -> int | None:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ctrl-C first, so that it puts away what it has started."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGINT)
    if _wait(process, ENDING_S) is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _adopt_orphans() -> None:
    """What a run leaves becomes a child of this process."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _end_orphans(others: set[int]) -> None:
    """Supervisors that a mutant kept from ending. One that is killed may leave children in turn."""
    end = time.monotonic() + ENDING_S
    while (orphans := set(_children()) - others) and time.monotonic() < end:
        for pid in orphans:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _children() -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == os.getpid():
            yield int(folder.name)


def _read(reports: Path) -> Iterator[Report]:
    """Of a run that was cut the last line may be half a one."""
    if reports.is_file():
        for line in reports.read_text().splitlines():
            try:
                yield Report(**json.loads(line))
            except json.JSONDecodeError:
                return
