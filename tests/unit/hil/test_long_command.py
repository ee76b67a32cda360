"""Long commands and those beside them."""

import os
import sys
from contextlib import suppress
from pathlib import Path

from hybrid_hil.host.long_command import long_command_beside, run_long_command
from hybrid_hil.terminal import QuietReporter

PATIENT = """
import signal, sys, time
def leave(*_):
    print("interrupted", flush=True)
    sys.exit(7)
signal.signal(signal.SIGINT, leave)
print("ready", flush=True)
time.sleep(60)
"""


def test_what_it_prints_is_kept(tmp_path: Path) -> None:
    with QuietReporter().step("job") as step:
        code = run_long_command(["/bin/sh", "-c", "echo one; echo two >&2; exit 3"], step, log=tmp_path / "log")
    assert code == 3
    assert (tmp_path / "log").read_text() == "one\ntwo\n"


def test_one_beside_ends_by_itself(tmp_path: Path) -> None:
    with long_command_beside(["/bin/sh", "-c", "echo done"], tmp_path / "log") as process:
        assert process.wait() == 0
    assert (tmp_path / "log").read_text() == "done\n"


class Trouble(Exception):
    """Of what runs in the foreground."""


def test_one_beside_ends_with_what_it_is_beside(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with suppress(Trouble), long_command_beside([sys.executable, "-c", PATIENT], log) as process:
        while log.read_text() != "ready\n":
            assert process.poll() is None
        raise Trouble
    assert process.returncode == 7
    assert log.read_text() == "ready\ninterrupted\n"


def test_one_beside_that_has_ended_is_not_interrupted(tmp_path: Path) -> None:
    with suppress(Trouble), long_command_beside(["true"], tmp_path / "log") as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        raise Trouble
    assert process.returncode == 0
