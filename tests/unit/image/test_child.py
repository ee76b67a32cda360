"""Programs of a build: their output is kept, their failures told, and none outlives its parent."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError
from hybrid_hil.image import lifeline
from hybrid_hil.image.child import BuildRunner

# A shell and its child, both of which would run for minutes; it names both.
FAMILY = "sleep 300 & echo $$ $!; wait"


@pytest.fixture
def runner(tmp_path: Path) -> BuildRunner:
    return BuildRunner(tmp_path / "logs" / "kernel.log")


def is_dead(pid: int) -> bool:
    """Gone, or a zombie that its parent has not reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def all_die(pids: list[int]) -> bool:
    return any(all(is_dead(pid) for pid in pids) for _ in Deadline(10).ticks(0.02))


def test_output_goes_to_the_log_and_the_watcher(runner: BuildRunner) -> None:
    seen: list[str] = []
    runner.run(["sh", "-c", "echo one; echo two >&2"], watch=seen.append)
    assert seen == ["one\n", "two\n"]
    assert runner.log.read_text().splitlines()[1:] == ["one", "two"]


def test_failure_shows_the_last_lines_and_the_log(runner: BuildRunner) -> None:
    with pytest.raises(RigError) as raised:
        runner.run(["sh", "-c", "seq 100; exit 3"])
    assert "`sh` ended with exit status 3" in raised.value.message
    assert raised.value.message.splitlines()[-1].strip() == "100"
    assert len(raised.value.message.splitlines()) < 20
    assert str(runner.log) in raised.value.remedy


def test_failure_shows_a_reason_that_others_have_printed_over(runner: BuildRunner) -> None:
    reason = "drivers/x.c:3: error: no such thing"
    with pytest.raises(RigError) as raised:
        runner.run(["sh", "-c", f"echo '{reason}'; seq 100; exit 2"])
    assert raised.value.message.splitlines()[1].strip() == reason
    assert raised.value.message.count(reason) == 1
    assert raised.value.message.splitlines()[-1].strip() == "100"


def test_a_reason_at_the_end_is_shown_once(runner: BuildRunner) -> None:
    with pytest.raises(RigError) as raised:
        runner.run(["sh", "-c", "echo 'make: *** [x] Error 2'; exit 2"])
    assert raised.value.message.count("***") == 1


def test_death_by_signal_is_told_as_such(runner: BuildRunner) -> None:
    with pytest.raises(RigError, match="killed by signal 9"):
        runner.run(["sh", "-c", "kill -9 $$"])


def test_missing_program_is_told_with_its_package(runner: BuildRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(RigError) as raised:
        runner.run(["mmdebstrap"])
    assert "install the package `mmdebstrap`" in raised.value.remedy


def test_input_is_empty(runner: BuildRunner) -> None:
    seen: list[str] = []
    runner.run(["sh", "-c", "read line || echo end"], watch=seen.append)
    assert seen == ["end\n"]


def test_interrupt_kills_the_whole_family(runner: BuildRunner) -> None:
    pids: list[int] = []

    def interrupt(line: str) -> None:
        pids.extend(map(int, line.split()))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.run(["sh", "-c", FAMILY], watch=interrupt)
    assert len(pids) == 2
    assert all_die(pids)


def test_what_a_program_left_running_is_killed(runner: BuildRunner) -> None:
    pids: list[int] = []
    script = "sleep 300 > /dev/null 2>&1 & echo $!"
    runner.run(["sh", "-c", script], watch=lambda line: pids.append(int(line)))
    assert len(pids) == 1
    assert all_die(pids)


def test_family_dies_with_a_parent_that_was_killed() -> None:
    parent = (
        "import subprocess, sys; "
        "subprocess.Popen([sys.executable, *sys.argv[1:]], stdin=subprocess.PIPE, process_group=0).wait()"
    )
    command = [sys.executable, "-c", parent, "-IS", lifeline.__file__, "sh", "-c", FAMILY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], 10)
        assert readable
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 2
        os.kill(process.pid, signal.SIGKILL)
        assert all_die(pids)
