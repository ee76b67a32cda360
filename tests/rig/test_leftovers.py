"""However the rig ends, no QEMU outlives it, and the next run removes what a killed one could not."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from hybrid_hil.board.run_folder import sweep
from tests.night import at_night
from tests.rig.sandbox import Sandbox

UP_S = 90.0
GONE_S = 2.0

WAITER = """
import os, threading
from pathlib import Path

def test_waits_on_its_board(board):
    ready = Path(os.environ["TMPDIR"], "artifacts", "ready")
    ready.with_suffix(".new").write_text(str(os.getpid()))
    ready.with_suffix(".new").rename(ready)
    threading.Event().wait(120)
"""


def waiting_pytest(sandbox: Sandbox, tmp_path: Path, *arguments: str) -> tuple[subprocess.Popen[str], int]:
    """A pytest that has booted its board and waits, with the process id of whoever owns the board."""
    test = tmp_path / "test_waits.py"
    test.write_text(WAITER)
    process = sandbox.pytest(f"--image={sandbox.image.folder}", f"--rootdir={tmp_path}", *arguments, str(test))
    ready = sandbox.folder / "artifacts" / "ready"
    assert sandbox.wait_for(lambda: ready.exists() or process.poll() is not None, UP_S)
    assert process.poll() is None, process.communicate()[0]
    assert len(sandbox.boards()) == 1
    return process, int(ready.read_text())


def test_a_killed_pytest_leaves_no_qemu_and_the_next_run_sweeps(sandbox: Sandbox, tmp_path: Path) -> None:
    process, owner = waiting_pytest(sandbox, tmp_path)
    assert owner == process.pid
    process.kill()
    assert sandbox.wait_for(lambda: not sandbox.boards(), GONE_S)
    process.wait(10)  # its last thread holds the lock
    (folder,) = sandbox.run_folders()
    assert sweep(folder.parent) == [folder]
    assert sandbox.run_folders() == []


def test_a_killed_xdist_worker_leaves_no_qemu(sandbox: Sandbox, tmp_path: Path) -> None:
    process, worker = waiting_pytest(sandbox, tmp_path, "-n1", "--max-worker-restart=0")
    assert worker != process.pid
    os.kill(worker, signal.SIGKILL)
    assert sandbox.wait_for(lambda: not sandbox.boards(), GONE_S)


def test_an_interrupted_pytest_leaves_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    process, _ = waiting_pytest(sandbox, tmp_path)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert sandbox.boards() == []
    assert sandbox.run_folders() == []


MOMENTS = ("boot the board", "firmware `heartbeat`", "$ hybrid-runtime create", "$ hybrid-runtime start", "core says")


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("number", [signal.SIGINT, *at_night(signal.SIGTERM)], ids=["ctrl-c", "term"])
def test_an_interrupted_demo_leaves_nothing(sandbox: Sandbox, moment: str, number: signal.Signals) -> None:
    demo = sandbox.hil("demo", "--image", str(sandbox.image.folder))
    assert demo.stdout is not None
    shown = ""
    for line in demo.stdout:
        shown += line
        if moment in line:
            break
    assert moment in shown, shown
    if moment == MOMENTS[0]:
        assert sandbox.wait_for(lambda: len(sandbox.boards()) == 1, UP_S)
    os.killpg(demo.pid, number)
    rest, _ = demo.communicate(timeout=20)
    assert demo.returncode == 130, shown + rest
    assert "Traceback" not in rest
    assert sandbox.boards() == []
    assert sandbox.run_folders() == []
    assert sandbox.leftovers() == []


def test_a_killed_demo_leaves_no_qemu(sandbox: Sandbox) -> None:
    demo = sandbox.hil("demo", "--image", str(sandbox.image.folder))
    assert sandbox.wait_for(lambda: len(sandbox.boards()) == 1, UP_S)
    demo.kill()
    assert sandbox.wait_for(lambda: not sandbox.boards(), GONE_S)
