"""Tests in a process of their own, without threads: a fork beside others may begin with a lock that nobody lets go of
(fork(2)), and Python 3.12 and later say so."""

import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

# An error there, whichever Python it is that warns.
FORKS_ALONE = ("-W", "error:This process:DeprecationWarning")


class Report(NamedTuple):
    """What became of one test: `skipped` or `failed` say why, both empty when it passed."""

    skipped: str
    failed: str


def threads() -> int:
    """How many this process has."""
    return len(list(Path("/proc/self/task").iterdir()))


def run_alone(item: pytest.Item) -> None:
    """Passes, skips or fails as `item` did in a process of its own."""
    reports, shown = _reports(item.config.rootpath, item.path)
    report = reports.get(item.name, Report("", shown))
    if report.skipped:
        pytest.skip(report.skipped)
    if report.failed:
        pytest.fail(report.failed, pytrace=False)


@cache
def _reports(root: Path, file: Path) -> tuple[dict[str, Report], str]:
    """Those of all tests of `file` that are to run alone, and what the process printed: one for all of them."""
    with tempfile.TemporaryDirectory() as folder:
        junit = Path(folder, "junit.xml")
        options = [f"--rootdir={root}", f"--basetemp={folder}/tests", f"--junit-xml={junit}", "-m", "alone"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *FORKS_ALONE, "-p", "no:xdist", *options, str(file)],
            cwd=root,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        cases = list(ElementTree.parse(junit).iter("testcase")) if junit.exists() else []
    return {str(case.get("name")): _report(case) for case in cases}, done.stdout


def _report(case: ElementTree.Element) -> Report:
    skipped = case.find("skipped")
    failures = [*case.findall("failure"), *case.findall("error")]
    texts = [text for failure in failures for text in (failure.get("message"), failure.text) if text]
    return Report(skipped.get("message", "") if skipped is not None else "", "\n".join(texts))
