"""What a test leaves on a real board is found and removed, or the board is renewed. About 30 s."""

from collections.abc import Sequence
from contextlib import suppress

import pytest

from hybrid_hil.board import Board
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.change import Change
from hybrid_hil.device.rig import Rig
from hybrid_hil.shell import Shell, ShellError
from hybrid_hil.suite.board_session import BOARD_SESSION

SLEEP = "sleep 1000 </dev/null >/dev/null 2>&1 &"
GROUP = "/sys/fs/cgroup/left"
INNER = f"{GROUP}/inner"
PRINTK = "/proc/sys/kernel/printk"
CLAIMS = "/run/hybrid-runtime-claims"
JOURNAL = f"{CLAIMS}/remoteproc0.journal"
WARNING = "WARNING: CPU: 0 PID: 1 at a/test.c:1 on purpose"
RECONNECT_S = 20.0


@pytest.fixture
def rig(board: Board, pytestconfig: pytest.Config) -> Rig:  # noqa: ARG001  boots first
    return pytestconfig.stash[BOARD_SESSION].rig()


# Init takes the dead away a moment later.
CLEANED = {
    "process": (SLEEP, "process sleep ", "while pidof sleep; do usleep 10000; done"),
    "python": ("python3 -c 'import time; time.sleep(1000)' </dev/null >/dev/null 2>&1 &", "process python3", "true"),
    "program": (
        "cp $(readlink -f $(command -v python3)) '/tmp/a b'; "
        "'/tmp/a b' -IS -c 'import time; time.sleep(1000)' </dev/null >/dev/null 2>&1 & "
        "until grep -qs '^a b' /proc/$!/comm; do :; done; rm '/tmp/a b'",
        "process a b ",
        "while grep -qs '^a b' /proc/[0-9]*/comm; do usleep 10000; done",
    ),
    "container": ("mkdir -p /run/hybrid-runtime/left", "container left", "[ ! -e /run/hybrid-runtime/left ]"),
    "claim": (f"mkdir -p {CLAIMS}; echo x >{JOURNAL}", "claim remoteproc0.journal", f"[ ! -e {JOURNAL} ]"),
    "firmware": ("echo x >/lib/firmware/left.elf", "firmware left.elf", "[ ! -e /lib/firmware/left.elf ]"),
    "core": ("echo enabled >/sys/class/remoteproc/remoteproc0/recovery", "recovery=enabled", "true"),
    "group": (f"mkdir -p {INNER}; {SLEEP} echo $! >{INNER}/cgroup.procs", "cgroup left", f"[ ! -e {GROUP} ]"),
    "mount": ("mount -t tmpfs none /mnt; mkdir /mnt/in; mount -t tmpfs none /mnt/in", "mounted /mnt tmpfs rw", "true"),
    "console level": (f"echo 4 >{PRINTK}", "printk 4 ", f"read -r n m <{PRINTK}; [ $n = 1 ]"),
}  # fmt: skip
RENEWED = {
    "address": ("ip addr add 10.9.9.9/24 dev lo", "address 10.9.9.9"),
    "link of another name": ("ip link set lo down; ip link set lo name left", "link left "),
    "link that is down": ("ip link set lo down", "link lo flags=0x8 "),
    "mount that is gone": ("umount /dev/shm", "no longer: mounted /dev/shm tmpfs rw"),
    "mount that is read-only": ("mount -o remount,ro /dev/shm", "mounted /dev/shm tmpfs ro"),
    "search path": ("echo -n /elsewhere >/sys/module/firmware_class/parameters/path", "firmware path /elsewhere"),
}
COMPLAINED = {
    "taint": ("echo 512 >/proc/sys/kernel/tainted", "tainted 512"),
    "line": (f"echo '{WARNING}' >/dev/kmsg", WARNING),
    "panic": ("echo c >/proc/sysrq-trigger", "kernel Kernel panic - not syncing: sysrq triggered crash"),
}


def left(rig: Rig, script: str) -> list[str]:
    rig.board.shell.run(script)
    return [str(change) for change in rig.look_after("this")]


@pytest.mark.parametrize(("script", "told", "undone"), CLEANED.values(), ids=CLEANED.keys())
def test_what_can_be_removed_is_removed(rig: Rig, shell: Shell, script: str, told: str, undone: str) -> None:
    remove(rig, shell, script, told, undone)


@pytest.mark.engine("containerd")
def test_a_link_is_removed(rig: Rig, shell: Shell) -> None:
    """Only the kernel of images with engines can make one."""
    script = "ip link add left type veth peer name right"
    remove(rig, shell, script, "link left ", "[ ! -e /sys/class/net/right ]")


def remove(rig: Rig, shell: Shell, script: str, told: str, undone: str) -> None:
    restored, cleaned = rig.board.restores + rig.board.boots, len(rig.account.cleaned)
    found = left(rig, script)
    assert any(told in text for text in found), found
    assert (len(rig.account.cleaned), rig.board.restores + rig.board.boots) == (cleaned + 1, restored)
    assert rig.look_after("next") == []
    shell.run(undone)


@pytest.mark.parametrize(("script", "told"), RENEWED.values(), ids=RENEWED.keys())
def test_what_cannot_renews_the_board(rig: Rig, script: str, told: str) -> None:
    renewed, ups = len(rig.account.renewed), rig.board.restores + rig.board.boots
    found = left(rig, script)
    assert any(told in text for text in found), found
    assert (len(rig.account.renewed), rig.board.restores + rig.board.boots) == (renewed + 1, ups + 1)
    assert rig.look_after("next") == []


@pytest.mark.parametrize(("script", "told"), COMPLAINED.values(), ids=COMPLAINED.keys())
def test_what_the_kernel_complains_of_is_told_and_renews_the_board(rig: Rig, script: str, told: str) -> None:
    heard: list[str] = []

    def hear(found: Sequence[Change]) -> None:
        heard.extend(str(change) for change in found)

    renewed = len(rig.account.renewed)
    with suppress(ShellError):  # a panic answers nobody
        rig.board.shell.run(script)
    rig.look_after("this", told=hear)
    assert any(told in text for text in heard), heard
    assert len(rig.account.renewed) == renewed + 1
    assert rig.look_after("next", told=hear) == []


def test_a_quiet_board_is_quiet_for_long(rig: Rig, shell: Shell) -> None:
    """What comes and goes by itself is none of a test's: threads of the kernel, connections, what a command started."""
    for number in range(10):
        shell.run("ls -lR /sys/kernel/debug/remoteproc /proc/self >/dev/null 2>&1; sync; dmesg | tail -1; ip addr")
        if number % 3 == 0:
            shell.reconnect(Deadline(RECONNECT_S))
        assert rig.look_after("this") == []
