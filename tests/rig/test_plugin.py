"""The pytest plugin, seen from outside: runs of small suites of their own."""

import re
from pathlib import Path

import pytest

from tests.rig.sandbox import Sandbox

WHOLE_S = 240.0

DEAD = """
def test_first(board):
    pass

def test_second(shell):
    pass

def test_third(runtime, core_console):
    pass

def test_without_a_board():
    pass
"""

DIRTY = """
import pytest

def test_leaves_a_core_running(shell, firmware):
    path = firmware("hello").path_on_board
    shell.run(f"cp {path} /lib/firmware/left.elf && echo left.elf >/sys/class/remoteproc/remoteproc0/firmware")
    shell.run("echo start >/sys/class/remoteproc/remoteproc0/state")

def test_finds_it_stopped(shell, board):
    assert shell.run("cat /sys/class/remoteproc/remoteproc0/state").stdout == "offline\\n"
    assert shell.run("ls /lib/firmware").stdout == ""
    assert board.boots == 1

def test_breaks_what_cannot_be_cleaned(shell):
    shell.run("echo -n /elsewhere >/sys/module/firmware_class/parameters/path")

def test_finds_a_fresh_board_with_the_runtime(board, runtime):
    assert board.boots == 2
    assert len(runtime.processors()) == 2

def test_fails(board):
    board.core_console.mark()
    board.shell.run("echo on the console >/dev/console")
    assert False, "on purpose"

@pytest.mark.processors(3)
def test_needs_more_than_there_is(board):
    assert False
"""

COMPLAINING = """
import pytest

WARNING = "echo 'WARNING: CPU: 0 PID: 1 at a/test.c:1 on purpose' >/dev/kmsg"

def test_of_which_the_kernel_complains(board):
    board.shell.run(WARNING)

def test_finds_a_board_whose_kernel_is_well(board):
    assert "WARNING" not in board.shell.run("dmesg").stdout
    assert board.boots + board.restores == 2

def test_taints(board):
    board.shell.run("echo 512 >/proc/sys/kernel/tainted")

@pytest.mark.kernel_warning("a/test.c:1")
def test_that_expects_it(board):
    board.shell.run(WARNING)

@pytest.mark.kernel_warning("b/test.c:1")
def test_that_expects_another(board):
    board.shell.run(WARNING)

@pytest.mark.leaves("process sleep")
def test_leaves_a_daemon(board):
    board.shell.run("sleep 1000 </dev/null >/dev/null 2>&1 &")

def test_finds_it(board):
    board.shell.run("pidof sleep")
"""

TWO_WORKERS = """
import os, time
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(2))
def test_both_boards_at_once(board, runtime, number):
    Path(os.environ["TMPDIR"], "artifacts", f"{board.name}.here").touch()
    end = time.monotonic() + 100
    while len(list(Path(os.environ["TMPDIR"], "artifacts").glob("*.here"))) < 2:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert runtime.run("--version").exit_status == 0
"""


def outcome(sandbox: Sandbox, tmp_path: Path, suite: str, *arguments: str) -> str:
    """What a run of `suite` prints."""
    test = tmp_path / "test_suite.py"
    test.write_text(suite)
    process = sandbox.pytest(f"--image={sandbox.image.folder}", f"--rootdir={tmp_path}", "-rA", *arguments, str(test))
    output, _ = process.communicate(timeout=WHOLE_S)
    assert sandbox.boards() == []
    assert sandbox.run_folders() == []
    return output


def test_a_board_that_does_not_boot_fails_one_test_and_skips_the_rest(sandbox: Sandbox, tmp_path: Path) -> None:
    output = outcome(sandbox, tmp_path, DEAD, "--monitor=/nowhere.elf")
    assert "1 passed, 2 skipped, 1 error" in output
    assert re.search(r"^ERROR \S*test_suite\.py::test_first", output, re.MULTILINE), output
    cause = r"SKIPPED \[2\] .*no board: boot failed in stage `firmware`: QEMU ended with 1: .*nowhere\.elf"
    assert re.search(cause, output, re.DOTALL), output


def test_a_dirty_board_is_cleaned_or_renewed_and_accounted_for(sandbox: Sandbox, tmp_path: Path) -> None:
    output = outcome(sandbox, tmp_path, DIRTY, "--snapshots=off")
    assert "1 failed, 4 passed, 1 skipped" in output
    assert re.search(r"main: 2 boots, .*; cleaned 1 times, renewed 1 times", output), output
    assert re.search(r"cleaned after .*test_leaves_a_core_running: .*firmware left\.elf", output)
    assert re.search(r"renewed after .*test_breaks_what_cannot_be_cleaned: firmware path /elsewhere", output)
    assert "needs 3 processors, the board has 2" in output
    evidence = sandbox.folder / "artifacts" / "test_suite.py_test_fails"
    assert "on purpose" in (evidence / "failure.txt").read_text()
    assert re.search(r"by hand: (/\S+/)?qemu-system-aarch64 -M", (evidence / "failure.txt").read_text())
    assert "on the console" in (evidence / "console.txt").read_text()
    assert "Booting Linux" in (evidence / "dmesg.txt").read_text()
    assert str(evidence) in output


def test_what_the_kernel_complains_of_fails_the_test_unless_it_expects_that(sandbox: Sandbox, tmp_path: Path) -> None:
    output = outcome(sandbox, tmp_path, COMPLAINING)
    failed = re.findall(r"^ERROR \S*test_suite\.py::(\w+)", output, re.MULTILINE)
    assert failed == ["test_of_which_the_kernel_complains", "test_taints", "test_that_expects_another"], output
    assert "7 passed, 3 errors" in output
    assert re.search(r"the board's kernel complained during this test: `kernel \[.*WARNING: .* on purpose`", output)
    assert "the board's kernel complained during this test: `tainted 512`" in output
    assert "renewed 4 times" in output
    evidence = sandbox.folder / "artifacts" / "test_suite.py_test_of_which_the_kernel_complains_kernel"
    assert f"evidence: {evidence}" in output
    assert "a/test.c:1 on purpose" in (evidence / "dmesg.txt").read_text()


def test_two_workers_have_a_board_each(sandbox: Sandbox, tmp_path: Path) -> None:
    output = outcome(sandbox, tmp_path, TWO_WORKERS, "-n2", "--snapshots=off")
    assert "2 passed" in output
    for worker in ("gw0", "gw1"):
        assert f"{worker}: 1 boots" in output
        log = sandbox.folder / "artifacts" / worker / "console.log"
        assert "Booting Linux" in log.read_text()


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("--layout=three-cores", "three-cores"),
        ("--image=/nowhere", "`/nowhere` is not an image"),
        ("--qemu=/nowhere", "no program `/nowhere` to run boards in"),
    ],
)
def test_nonsense_is_refused(sandbox: Sandbox, tmp_path: Path, word: str, complaint: str) -> None:
    test = tmp_path / "test_suite.py"
    test.write_text(DEAD)
    process = sandbox.pytest(f"--rootdir={tmp_path}", word, str(test))
    output, _ = process.communicate(timeout=WHOLE_S)
    assert process.returncode != 0
    assert complaint in output
