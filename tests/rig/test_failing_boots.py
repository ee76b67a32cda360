"""Boards that do not come up: the error names the stage and the cause, and comes at once."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_hil.board.qemu import QemuBoard, QemuOptions
from hybrid_hil.board.stages import StageError
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError
from hybrid_hil.image import Image
from hybrid_hil.shell import ShellError

BOOT_S = 60.0


def failure(image: Image, options: QemuOptions, deadline: Deadline | None = None) -> StageError:
    """How a board that cannot boot fails; it must be off and gone afterwards."""
    with QemuBoard(image, options) as board:
        with pytest.raises(StageError) as caught:
            board.power_on(deadline or Deadline(BOOT_S))
        assert board.qemu_pid == 0
        assert "by hand: qemu-system-aarch64 -M xlnx-versal-virt" in str(caught.value)
    return caught.value


@pytest.fixture
def board(image: Image) -> Iterator[QemuBoard]:
    """A board of this test's own, off."""
    with QemuBoard(image) as fresh:
        yield fresh


def test_no_root_file_system_is_the_kernel_s_failure(image: Image) -> None:
    begun = time.monotonic()
    error = failure(image, QemuOptions(kernel_arguments=("root=/dev/nowhere", "rootwait=0")))
    assert error.stage == "kernel"
    assert "Kernel panic - not syncing: VFS: Unable to mount root fs" in error.cause
    assert "last lines of `console`" in str(error)
    assert time.monotonic() - begun < 15


def test_an_init_that_ends_is_init_s_failure(image: Image) -> None:
    error = failure(image, QemuOptions(kernel_arguments=("init=/bin/true",)))
    assert error.stage == "init"
    assert "Attempted to kill init!" in error.cause


def test_an_init_that_is_missing_is_init_s_failure(image: Image) -> None:
    error = failure(image, QemuOptions(kernel_arguments=("init=/bin/nowhere",)))
    assert error.stage == "init"
    assert "/bin/nowhere" in error.cause


def test_a_monitor_that_never_returns_is_the_firmware_s_failure(image: Image) -> None:
    monitor = image.platform / "monitor-never-returns.elf"
    error = failure(image, QemuOptions(monitor=monitor), Deadline(3))
    assert error.stage == "firmware"
    assert "did not show `(?:Booting Linux on physical CPU)" in error.cause
    assert "`console` said nothing" in str(error)


def test_a_guest_without_an_ssh_server_is_ssh_s_failure(image: Image) -> None:
    error = failure(image, QemuOptions(guest_port=2222), Deadline(10))
    assert error.stage == "ssh"
    assert "no SSH on port" in error.cause


def test_a_qemu_that_cannot_start_says_why(image: Image, tmp_path: Path) -> None:
    error = failure(image, QemuOptions(monitor=tmp_path / "nowhere.elf"))
    assert error.stage == "firmware"
    assert "QEMU ended with 1: " in error.cause
    assert "nowhere.elf" in error.cause


@pytest.mark.parametrize("stage", ["firmware", "kernel", "ssh"])
def test_a_qemu_that_dies_while_booting_is_noticed_at_once(board: QemuBoard, stage: str) -> None:
    died = []
    begun: list[str] = []

    def strike(current: str) -> None:
        begun.append(current)
        if current == stage:
            died.append(time.monotonic())
            os.kill(board.qemu_pid, signal.SIGKILL)

    board.on_stage = strike
    with pytest.raises(StageError) as caught:
        board.power_on(Deadline(BOOT_S))
    # What it had said by then still counts: on a busy host that may be the end of the stage.
    assert caught.value.stage == begun[-1]
    assert begun.index(stage) >= len(begun) - 2
    assert caught.value.cause == "QEMU was killed by signal 9"
    assert time.monotonic() - died[0] < 2


def test_a_board_that_dies_under_a_command_ends_the_wait(board: QemuBoard) -> None:
    board.power_on(Deadline(BOOT_S))
    threading.Timer(0.5, os.kill, [board.qemu_pid, signal.SIGKILL]).start()
    begun = time.monotonic()
    with pytest.raises(ShellError, match="QEMU was killed by signal 9"):
        board.shell.run(["sleep", "60"], deadline=Deadline(60))
    assert time.monotonic() - begun < 3
    with pytest.raises(RigError, match="QEMU was killed by signal 9"):
        board.shell.run(["true"])


def test_a_panic_under_a_command_ends_the_wait(board: QemuBoard) -> None:
    board.power_on(Deadline(BOOT_S))
    begun = time.monotonic()
    with pytest.raises(ShellError, match="Kernel panic - not syncing: sysrq triggered crash"):
        board.shell.run("echo c >/proc/sysrq-trigger; sleep 60", deadline=Deadline(60))
    assert time.monotonic() - begun < 5


def test_a_dead_board_comes_back_with_the_power(board: QemuBoard) -> None:
    board.power_on(Deadline(BOOT_S))
    board.shell.run("echo here >/root/was")
    os.kill(board.qemu_pid, signal.SIGKILL)
    board.power_cycle(Deadline(BOOT_S))
    assert board.shell.run("cat /root/was", check=False).exit_status != 0
    assert board.boots == 2


def test_a_command_that_takes_too_long_is_cut_off(board: QemuBoard) -> None:
    board.power_on(Deadline(BOOT_S))
    with pytest.raises(ShellError, match="`sleep 60` did not end in"):
        board.shell.run(["sleep", "60"], deadline=Deadline(0.5))
    assert board.shell.run(["echo", "a b"]).stdout == "a b\n"


def test_a_stranger_s_host_key_is_refused(board: QemuBoard) -> None:
    board.power_on(Deadline(BOOT_S))
    kind, key = board.address.host_key.split()[:2]
    swapped = key[:-8] + ("AAAA" if key[-8:-4] != "AAAA" else "BBBB") + key[-4:]
    with pytest.raises(ShellError, match="not the board of"):
        board.shell.connect(replace(board.address, host_key=f"{kind} {swapped}"), Deadline(10))
