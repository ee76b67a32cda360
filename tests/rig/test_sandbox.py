"""A sandbox leaves nothing, also when the very thing it is for has gone wrong. No board."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.image import Image
from tests.rig.sandbox import Sandbox

GONE_S = 10.0


@pytest.fixture
def outlived(tmp_path: Path) -> tuple[Sandbox, subprocess.Popen[bytes]]:
    """A sandbox with a board, as its command line is all one knows it by, whose run has been killed already."""
    sandbox = Sandbox(tmp_path, Image(tmp_path, {}))
    run = sandbox.start("this", "--help")
    run.wait(GONE_S)
    sleep = shutil.which("sleep")
    assert sleep is not None
    double = tmp_path / "qemu-system-double"
    double.symlink_to(sleep)
    return sandbox, subprocess.Popen([double, "1000"], start_new_session=True)


def test_a_board_that_outlived_its_run_ends_with_the_sandbox(
    outlived: tuple[Sandbox, subprocess.Popen[bytes]],
) -> None:
    sandbox, board = outlived
    try:
        assert any(sandbox.boards() == [board.pid] for _ in Deadline(GONE_S).ticks(0.05))
        sandbox.close()
        assert board.wait(GONE_S) == -signal.SIGKILL
    finally:
        board.kill()
        board.wait()


def test_a_run_that_still_runs_ends_too(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path, Image(tmp_path, {}))
    run = sandbox.start("http.server", "--bind", "127.0.0.1", "0")
    assert run.poll() is None
    sandbox.close()
    assert run.returncode == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.killpg(run.pid, 0)
