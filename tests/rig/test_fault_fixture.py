"""Every fault really strikes, and is gone with its block: one that does nothing would prove anything. About 10 s."""

import pytest

from hybrid_hil.device.faults import Faults
from hybrid_hil.shell import Shell, ShellError

GREEDY = "python3 -c 'bytearray(16 << 20)'"


@pytest.mark.parametrize("path", ["/", "/run"])
def test_a_full_file_system(shell: Shell, faults: Faults, path: str) -> None:
    write = f"dd if=/dev/zero of={path.rstrip('/')}/probe bs=4096 count=1"
    with faults.fill(path):
        refused = shell.run(write, check=False)
        assert "No space left on device" in refused.stderr
    shell.run(f"{write}; rm {path.rstrip('/')}/probe")


RECOVERY = "/sys/class/remoteproc/remoteproc0/recovery"


@pytest.mark.parametrize(
    ("path", "probe"), [("/", "/probe"), ("/run", "/run/probe"), ("/sys", RECOVERY), (RECOVERY, RECOVERY)]
)
def test_a_read_only_file_system(shell: Shell, faults: Faults, path: str, probe: str) -> None:
    before = shell.run(f"cat /proc/mounts {RECOVERY}").stdout
    write = f"echo {before.split()[-1]} >{probe}"
    with faults.read_only(path):
        assert "Read-only file system" in shell.run(write, check=False).stderr
        # What is mounted below stays in sight.
        shell.run("ls /sys/kernel/debug/remoteproc/remoteproc0 /sys/fs/cgroup/cgroup.procs")
    shell.run(write)
    if probe != RECOVERY:
        shell.run(["rm", probe])
    assert shell.run(f"cat /proc/mounts {RECOVERY}").stdout == before


@pytest.mark.parametrize("seconds", [86400, -86400])
def test_a_clock_that_jumps(shell: Shell, faults: Faults, seconds: int) -> None:
    def ahead() -> int:
        wall, since_boot = shell.run("date +%s; cut -d. -f1 /proc/uptime").stdout.split()
        return int(wall) - int(since_boot)

    before = ahead()
    with faults.jump_clock(seconds):
        assert abs(ahead() - before - seconds) <= 2
    assert abs(ahead() - before) <= 4


def test_a_connection_that_breaks(shell: Shell, faults: Faults) -> None:
    with faults.lose_ssh(), pytest.raises(ShellError, match="not connected"):
        shell.run("true")
    shell.run("true")


def test_little_memory(shell: Shell, faults: Faults) -> None:
    with faults.little_memory(4096) as prefix:
        assert shell.run(f"{prefix} true").exit_status == 0
        assert shell.run(f"{prefix} {GREEDY}", check=False).exit_status == 137
    shell.run(GREEDY)


def test_no_memory(shell: Shell, faults: Faults) -> None:
    """It strikes the one process, at the next thing it asks of the kernel."""
    loop = "sh -c 'while :; do read -r s </proc/uptime; usleep 50000; done' </dev/null >/dev/null 2>&1 & echo $!"
    pid = int(shell.run(loop).stdout)
    with faults.exhaust_memory(pid):
        shell.run(f"n=0; while [ -e /proc/{pid}/exe ]; do n=$((n + 1)); [ $n -lt 100 ] || exit 3; usleep 50000; done")
    assert shell.run("ls /sys/fs/cgroup").stdout.find("hil-fault") == -1


def test_a_killed_process(shell: Shell, faults: Faults) -> None:
    pid = int(shell.run("sleep 1000 </dev/null >/dev/null 2>&1 & echo $!").stdout)
    faults.kill(pid)
    shell.run(f"n=0; while [ -e /proc/{pid}/exe ]; do n=$((n + 1)); [ $n -lt 100 ] || exit 3; usleep 20000; done")
