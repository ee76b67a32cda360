"""The text that looks at a board, run by this machine's shell on a double of a board's files."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hybrid_hil.device.change import Change, changes, complaints
from hybrid_hil.device.look import question

FIB_TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     +-- 10.0.2.0/24 2 0 2
        +-- 10.0.2.0/28 2 0 2
           |-- 10.0.2.0
              /24 link UNICAST
           |-- 10.0.2.15
              /32 host LOCAL
        |-- 10.0.2.255
           /32 link BROADCAST
"""
DMESG = """[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd080]
[    0.000000][    T0] Linux version 6.12.0 WARNING: not at the beginning
[    1.500000] remoteproc remoteproc0: 10000.r5f is available
"""
FILES = {
    "sys/class/remoteproc/remoteproc0/name": "10000.r5f\n",
    "sys/class/remoteproc/remoteproc0/state": "offline\n",
    "sys/class/remoteproc/remoteproc0/recovery": "enabled\n",
    "sys/class/remoteproc/remoteproc0/coredump": "disabled\n",
    "sys/module/firmware_class/parameters/path": "\n",
    "sys/kernel/warn_count": "0\n",
    "sys/kernel/oops_count": "0\n",
    "proc/sys/kernel/tainted": "0\n",
    "proc/sys/kernel/printk": "1\t4\t1\t7\n",
    "proc/self/mounts": "/dev/root / ext4 rw,relatime 0 0\nproc /proc proc rw,nosuid 0 0\n",
    "proc/net/fib_trie": FIB_TRIE,
    "proc/net/if_inet6": "fe800000000000005054000012345678 02 40 20 80     eth0\n",
    "sys/class/net/lo/flags": "0x9\n",
    "sys/class/net/lo/mtu": "65536\n",
    "sys/fs/cgroup/cgroup.procs": "1\n",
    "proc/1/comm": "init\n",
    "proc/1/exe": "",
    "proc/2/comm": "kthreadd\n",
    "dmesg": DMESG,
}
EMPTY = ("run/hybrid-runtime", "run/hybrid-runtime-claims", "lib/firmware")
USUAL = """processor 10000.r5f offline recovery=enabled coredump=disabled device=remoteproc0
firmware path
tainted 0
printk 1 4 1 7
warnings 0
oopses 0
mounted / ext4 rw
mounted /proc proc rw
link lo flags=0x9 mtu=65536
address 10.0.2.15
process init 1
""".replace("path\n", "path \n")


@pytest.fixture
def board(tmp_path: Path) -> Path:
    for folder in EMPTY:
        (tmp_path / folder).mkdir(parents=True)
    for name, text in FILES.items():
        put(tmp_path, name, text)
    program = tmp_path / "bin/dmesg"
    put(tmp_path, "bin/dmesg", f"#!/bin/sh\ncat {tmp_path}/dmesg\n")
    program.chmod(0o755)
    return tmp_path


def put(board: Path, name: str, text: str) -> None:
    (board / name).parent.mkdir(parents=True, exist_ok=True)
    (board / name).write_text(text)


def seen(board: Path) -> str:
    environment = {**os.environ, "PATH": f"{board}/bin:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", question(str(board))], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout


def test_what_is_always_there(board: Path) -> None:
    assert seen(board) == USUAL


def test_settings_of_a_real_kernel_are_read_whole(board: Path) -> None:
    """A file gives its rest to the next read, a setting of the kernel does not: this machine's own."""
    for name in ("tainted", "printk"):
        (board / "proc/sys/kernel" / name).unlink()
        (board / "proc/sys/kernel" / name).symlink_to(f"/proc/sys/kernel/{name}")
        words = Path("/proc/sys/kernel", name).read_text().split()
        assert f"{name} {' '.join(words)}\n" in seen(board)


def added(name: str, text: str = "") -> Callable[[Path], None]:
    return lambda board: put(board, name, text)


def longer(name: str, line: str) -> Callable[[Path], None]:
    return lambda board: put(board, name, f"{FILES[name]}{line}\n")


def process(pid: int, name: str, words: str = "") -> Callable[[Path], None]:
    def make(board: Path) -> None:
        put(board, f"proc/{pid}/comm", f"{name}\n")
        put(board, f"proc/{pid}/exe", "")
        put(board, f"proc/{pid}/cmdline", words)

    return make


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (added("run/hybrid-runtime/motor/record.json"), "container motor"),
        (added("run/hybrid-runtime-claims/remoteproc0.journal", "x"), "claim remoteproc0.journal"),
        (added("run/hybrid-runtime-claims/remoteproc0.journal"), "claim remoteproc0.journal"),
        (added("run/hybrid-runtime-claims/remoteproc0.journal.damaged", "x"), "claim remoteproc0.journal.damaged"),
        (added("lib/firmware/left.elf"), "firmware left.elf"),
        (added("sys/module/firmware_class/parameters/path", "/elsewhere\n"), "firmware path /elsewhere"),
        (added("proc/sys/kernel/tainted", "512\n"), "tainted 512"),
        (added("sys/kernel/warn_count", "1\n"), "warnings 1"),
        (added("sys/kernel/oops_count", "1\n"), "oopses 1"),
        (added("proc/sys/kernel/printk", "7\t4\t1\t7\n"), "printk 7 4 1 7"),
        (added("sys/fs/cgroup/left/cgroup.procs"), "cgroup left"),
        (added("sys/fs/cgroup/left/in/it/deeply/cgroup.procs"), "cgroup left/in/it/deeply"),
        (longer("proc/self/mounts", "tmpfs /mnt tmpfs rw,relatime 0 0"), "mounted /mnt tmpfs rw"),
        (longer("proc/self/mounts", "proc /proc proc rw,nosuid 0 0"), "mounted /proc proc rw"),
        (added("sys/class/net/veth0/flags", "0x1003\n"), "link veth0 flags=0x1003 mtu="),
        (longer("proc/net/fib_trie", " |-- 10.9.9.9\n   /32 host LOCAL"), "address 10.9.9.9"),
        (longer("proc/net/if_inet6", "fd000001 02 40 00 80 eth0"), "address fd000001"),
        (process(77, "sleep"), "process sleep 77"),
        (process(77, "a (b) c"), "process a (b) c 77"),
        (process(77, "python3.11", "python3\0-c\0pass"), "process python3.11 77"),
    ],
)
def test_what_is_new_is_one_line(board: Path, change: Callable[[Path], None], found: str) -> None:
    before = seen(board)
    change(board)
    fresh = [one.text for one in changes(before, seen(board)) if not one.gone]
    if found.startswith(("cgroup left/", "firmware path", "link")):
        assert found in "\n".join(fresh)
    else:
        assert fresh == [found]


@pytest.mark.parametrize(
    "line",
    [
        "[    2.5] WARNING: CPU: 0 PID: 1 at x.c:1 f+0x1/0x2",
        "[    2.5][   T9] BUG: sleeping function called from invalid context",
        "BUG: no stamp",
        "[ 2.5] kernel BUG at mm/x.c:1!",
        "[ 2.5] Internal error: Oops: 0000000096000004 [#1] SMP",
        "[ 2.5] Unable to handle kernel NULL pointer dereference",
        "[ 2.5] INFO: task sh:1 blocked for more than 120 seconds.",
        "[ 2.5] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!",
        "[ 2.5] UBSAN: array-index-out-of-bounds in x.c:1",
    ],
)
def test_a_defect_in_the_kernel_s_log_is_a_complaint(board: Path, line: str) -> None:
    before = seen(board)
    longer("dmesg", line)(board)
    assert complaints(changes(before, seen(board))) == [Change(f"kernel {line}")]


def kernel_thread(board: Path) -> None:
    put(board, "proc/99/comm", "kworker/0:1\n")


def dangling(board: Path) -> None:
    """As the dead have it: nothing is behind it any more."""
    put(board, "proc/99/comm", "python3\n")
    (board / "proc/99/exe").symlink_to("/nowhere")


BY_ITSELF: dict[str, Callable[[Path], None]] = {
    "thread": kernel_thread,
    "dead": dangling,
    "ssh": process(99, "dropbear"),
    "ssh session": process(99, "sshd-session"),
    "systemd": process(99, "systemd-udevd"),
    "lease": process(99, "python3.11", "python3\0-c\0lock = open('/run/hybrid-hil.lock')"),
    "slice": added("sys/fs/cgroup/user.slice/session-1.scope/cgroup.procs"),
    "tracefs": longer("proc/self/mounts", "tracefs /sys/kernel/debug/tracing tracefs rw 0 0"),
    "router's address": longer("proc/net/if_inet6", "fec00000 02 40 40 00 eth0"),
    "crash of a core": longer("dmesg", "[ 2.5] remoteproc remoteproc0: crash detected in 10000.r5f"),
    "free claim": added("run/hybrid-runtime-claims/remoteproc0", "3 1\n"),
}


@pytest.mark.parametrize("change", BY_ITSELF.values(), ids=BY_ITSELF.keys())
def test_what_comes_and_goes_by_itself_is_nothing(board: Path, change: Callable[[Path], None]) -> None:
    before = seen(board)
    change(board)
    assert changes(before, seen(board)) == []


def test_the_shell_that_looks_and_what_it_came_through_are_nothing(board: Path) -> None:
    """Through sudo, say, and from init. Only the shell knows its own number, so it makes these files itself."""
    ancestry = (
        f"cd {board}/proc; for p in $$ 4321; do mkdir $p; echo sudo >$p/comm; : >$p/exe; done\n"
        'echo "$$ (sh) S 4321 1" >$$/stat; echo "4321 (su do) S 1 1" >4321/stat; cd /\n'
    )
    environment = {**os.environ, "PATH": f"{board}/bin:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", ancestry + question(str(board))], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == USUAL.replace("process init 1\n", "")
