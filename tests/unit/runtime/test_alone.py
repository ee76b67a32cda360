"""Tests that fork have a process without threads."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.unit.runtime.alone import threads

HERE = Path(__file__).parent


@pytest.mark.alone
def test_no_thread_is_beside_one_that_forks() -> None:
    assert threads() == 1
    pid = os.fork()
    if pid == 0:
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_threads_are_counted() -> None:
    before = threads()
    ending = threading.Event()
    thread = threading.Thread(target=ending.wait)
    thread.start()
    assert threads() == before + 1
    ending.set()
    thread.join()


def test_one_that_runs_alone_is_torn_down_before_the_next(tmp_path: Path) -> None:
    """As any other: fixtures of its module are not still there when the next module's are made."""
    before = [
        f"{__file__}::{test.__name__}" for test in (test_threads_are_counted, test_no_thread_is_beside_one_that_forks)
    ]
    after = f"{HERE}/test_identifiers.py::test_allowed"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    words = [
        "-q",
        "-n",
        "1",
        "-c",
        f"{HERE.parents[2]}/pyproject.toml",
        "-p",
        "no:cacheprovider",
        f"--basetemp={tmp_path}/all",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, *before, after],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
