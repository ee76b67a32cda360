"""Which console lines mean the end."""

import pytest

from hybrid_hil.console.alarm import alarm


@pytest.mark.parametrize(
    "line",
    [
        "[    1.234567] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
        "[    1.234567][   T1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000000",
        "Kernel panic - not syncing: without time stamps",
        "half a word of a program[   12.000001] Internal error: Oops: 0000000096000004 [#1] SMP",
        "[    2.000000] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000",
        "[    2.000000] kernel BUG at mm/slub.c:448!",
        "can't run '/etc/init.d/rcS': No such file or directory",
        "hybrid-board: no network",
        "hybrid-board: no ssh",
    ],
)
def test_the_end(line: str) -> None:
    assert alarm(line) is not None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "~ # echo Kernel panic - not syncing",
        "hybrid-board:~# grep 'Internal error: Oops' /var/log/messages",
        "hybrid-board: network 10.0.2.15",
        "hybrid-board: ssh",
        "[    0.000000] Kernel command line: panic=0",
        "[    3.000000] remoteproc remoteproc0: crash detected in 10000.r5f: type watchdog",
        "echo hybrid-board: no network",
    ],
)
def test_not_the_end(line: str) -> None:
    assert alarm(line) is None


def test_the_cause_is_the_kernel_s_own_word() -> None:
    line = "[    1.234567] Kernel panic - not syncing: No working init found.  "
    assert alarm(line) == "Kernel panic - not syncing: No working init found."
