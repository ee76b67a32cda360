"""`hil boot --wait-gdb`: nothing runs before a debugger goes on, and what is printed is what works."""

import re
import shlex
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from hybrid_hil.command.debugger import GDB
from tests.rig.sandbox import Sandbox

ATTACH_S = 60
# longer than the firmware needs to say its first line
HALTED_S = 2.0


def until(boot: subprocess.Popen[str], text: str) -> str:
    """What the command has printed up to a line with `text`."""
    assert boot.stdout is not None
    shown = ""
    for line in boot.stdout:
        shown += line
        if text in line:
            return shown
    raise AssertionError(shown)


def halted(sandbox: Sandbox) -> tuple[subprocess.Popen[str], str]:
    """A `hil boot` that waits for gdb, and the instructions it gave."""
    boot = sandbox.hil("boot", "--wait-gdb", "--bare", "--image", str(sandbox.image.folder))
    return boot, until(boot, f"{GDB} is a package")


def test_a_debugger_of_few_words_lets_the_board_go_on(sandbox: Sandbox) -> None:
    boot, shown = halted(sandbox)
    found = re.search(r"target extended-remote (\S+/gdb\.sock)", shown)
    assert found is not None, shown
    time.sleep(HALTED_S)
    (folder,) = sandbox.run_folders()
    assert (folder / "console.log").read_bytes() == b""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(ATTACH_S)
        line.connect(found[1])
        # gdb's remote protocol: `c` continues, the number is the sum of the packet's bytes
        line.sendall(b"$c#63")
        assert line.recv(1) == b"+"
        shown = until(boot, "is up after")
    assert "hybrid-board: ssh" in shown


def test_the_printed_command_shows_both_clusters(sandbox: Sandbox) -> None:
    if shutil.which(GDB) is None:
        pytest.skip(f"{GDB} is not installed: its commands are not tried")
    boot, shown = halted(sandbox)
    found = re.search(r"with the R5 cores: +(.*)", shown)
    assert found is not None, shown
    more = ["-nx", "-batch", "-ex", "info threads", "-ex", "detach inferiors 1 2"]
    gdb = subprocess.run(
        [*shlex.split(found[1]), *more], check=True, capture_output=True, text=True, timeout=ATTACH_S, cwd=Path("/")
    )
    for core in ("apu-cpu[0]", "apu-cpu[1]", "rpu-cpu[0]", "rpu-cpu[1]"):
        assert core in gdb.stdout, gdb.stdout + gdb.stderr
    until(boot, "is up after")
