"""Boards that do not come up: the error names the stage and the cause, and comes at once. About 3 minutes."""

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_hil.board.options import QemuOptions
from hybrid_hil.board.qemu import QemuBoard
from hybrid_hil.board.stages import StageError
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError
from hybrid_hil.image import Image
from hybrid_hil.shell import ShellError

BOOT_S = 60.0
# On a host as busy as may be: what it would otherwise wait for takes thirty seconds at least.
AT_ONCE_S = 10.0
# How long a stage is waited for that never ends.
HANG_S = 2.0
# Until a server of Python's listens.
SERVED_S = 5.0


class StageDeadline(Deadline):
    """A boot's, which has `seconds` left when that stage begins, however long those before it have taken."""

    def __init__(self, stage: str, seconds: float) -> None:
        super().__init__(BOOT_S)
        self._stage = stage
        self._left = Deadline(seconds).seconds

    def begin(self, stage: str) -> None:
        if stage == self._stage:
            self._end = self._clock() + self._left


def failure(image: Image, options: QemuOptions, deadline: Deadline | None = None) -> StageError:
    """How a board that cannot boot fails; it must be off and gone afterwards."""
    with QemuBoard(image, options) as board:
        if isinstance(deadline, StageDeadline):
            board.on_stage = deadline.begin
        with pytest.raises(StageError) as caught:
            board.power_on(deadline or Deadline(BOOT_S))
        assert board.qemu_pid == 0
        assert re.search(r"by hand: (/\S+/)?qemu-system-aarch64 -M xlnx-versal-virt", str(caught.value))
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
    used = re.search(r"QEMU has had (\d+\.\d) s of processor time, the host's load is \d", str(error))
    assert used is not None
    assert float(used[1]) > 0


def test_a_guest_without_an_ssh_server_is_ssh_s_failure(image: Image) -> None:
    error = failure(image, QemuOptions(guest_port=2222), StageDeadline("ssh", HANG_S))
    assert error.stage == "ssh"
    assert "no SSH on port" in error.cause


def test_a_qemu_that_cannot_start_says_why(image: Image, tmp_path: Path) -> None:
    error = failure(image, QemuOptions(monitor=tmp_path / "nowhere.elf"))
    assert error.stage == "firmware"
    assert "QEMU ended with 1: " in error.cause
    assert "nowhere.elf" in error.cause


def in_place_of_init(script: str) -> tuple[str, ...]:
    """Kernel arguments that make a script PID 1; what follows `--` are its own."""
    assert '"' not in script
    return ("init=/bin/sh", "--", "-c", f'"{script}"')


# What hangs, by the stage in which it is found.
HANGS = {
    "kernel": ("root=/dev/nowhere", "rootwait"),
    "init": in_place_of_init("sleep 1000"),
    "network": in_place_of_init("echo hybrid-board: init; sleep 1000"),
    "ssh": in_place_of_init("echo hybrid-board: init; echo hybrid-board: network here; sleep 1000"),
}


@pytest.mark.parametrize("stage", HANGS)
def test_a_hang_is_the_failure_of_its_stage(image: Image, stage: str) -> None:
    error = failure(image, QemuOptions(kernel_arguments=HANGS[stage]), StageDeadline(stage, HANG_S))
    assert error.stage == stage
    assert ("no SSH on port" if stage == "ssh" else "did not show") in error.cause
    assert "last lines of `console`" in str(error)


def test_a_network_without_an_address_fails_at_once(image: Image) -> None:
    error = failure(image, QemuOptions(kernel_arguments=("ip=off",)))
    assert error.stage in ("init", "network")
    assert error.cause == "hybrid-board: no network"


@pytest.mark.parametrize("stage", ["kernel", "init"])
def test_a_board_that_reboots_by_itself_fails_at_its_first_reboot(image: Image, stage: str) -> None:
    """It would go on for ever: nobody waits for a second one."""
    again = {
        "kernel": ("root=/dev/nowhere", "rootwait=0", "panic=-1"),
        "init": in_place_of_init("reboot -f"),
    }[stage]
    begun = time.monotonic()
    error = failure(image, QemuOptions(kernel_arguments=again))
    assert error.stage == stage
    assert error.cause.startswith("Kernel panic - not syncing: VFS" if stage == "kernel" else "QEMU ended with 0")
    assert time.monotonic() - begun < Deadline(BOOT_S).seconds / 2


# What listens on the guest's port does with each connection.
STRANGE_SERVERS = {
    "garbage": "c.sendall(os.urandom(3000))",
    "no banner": "c",
    "hangs up": "c.close()",
}


@pytest.mark.parametrize("kind", STRANGE_SERVERS)
def test_an_ssh_server_that_is_none_is_ssh_s_failure(image: Image, kind: str) -> None:
    serve = f"[{STRANGE_SERVERS[kind]} for c in iter(lambda: s.accept()[0], 0)]"
    server = f"python3 -c 'import os, socket; s = socket.create_server((str(), 22)); {serve}'"
    script = f"echo hybrid-board: init; echo hybrid-board: network here; exec {server}"
    error = failure(image, QemuOptions(kernel_arguments=in_place_of_init(script)), StageDeadline("ssh", SERVED_S))
    assert error.stage == "ssh"
    assert "no SSH on port" in error.cause
    # It was reached: nobody at all would have refused the connection.
    assert "banner" in error.cause


def test_an_ssh_server_that_comes_late_is_waited_for(image: Image) -> None:
    """The board has said long before that it is about to come."""
    late = in_place_of_init("echo hybrid-board: init; echo hybrid-board: network here; sleep 4; exec /sbin/init")
    with QemuBoard(image, QemuOptions(kernel_arguments=late)) as board:
        board.power_on(Deadline(BOOT_S))
        assert float(board.shell.run("cat /proc/uptime").stdout.split()[0]) > 4


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
    assert time.monotonic() - died[0] < AT_ONCE_S


def test_a_board_that_dies_under_a_command_ends_the_wait(board: QemuBoard) -> None:
    board.power_on(Deadline(BOOT_S))
    threading.Timer(0.5, os.kill, [board.qemu_pid, signal.SIGKILL]).start()
    begun = time.monotonic()
    with pytest.raises(ShellError, match="QEMU was killed by signal 9"):
        board.shell.run(["sleep", "60"], deadline=Deadline(60))
    assert time.monotonic() - begun < AT_ONCE_S
    with pytest.raises(RigError, match="QEMU was killed by signal 9"):
        board.shell.run(["true"])


def test_a_panic_under_a_command_ends_the_wait(board: QemuBoard) -> None:
    board.power_on(Deadline(BOOT_S))
    begun = time.monotonic()
    with pytest.raises(ShellError, match="Kernel panic - not syncing: sysrq triggered crash"):
        board.shell.run("echo c >/proc/sysrq-trigger; sleep 60", deadline=Deadline(60))
    assert time.monotonic() - begun < AT_ONCE_S


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
