"""How often a processor was started and has crashed, as `processors` tells it."""

import json
import os
from pathlib import Path

import pytest

from hybrid_runtime.container.tally import count, read_tally
from hybrid_runtime.system.system_paths import SystemPaths
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble


def numbers(command: Command) -> tuple[int, int]:
    (entry,) = json.loads(command.run("processors", "--format", "json").stdout)
    return entry["starts"], entry["crashes"]


def live(command: Command, firmware: Path) -> int:
    """The pid of the supervisor."""
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    return pid


def test_lives_and_crashes(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    assert numbers(command) == (0, 0)
    for lives in (1, 2):
        live(command, firmware)
        assert numbers(command) == (lives, 0)
        command.run("delete", "--force", "motor")
    pid = live(command, firmware)
    core.crash()
    assert command.exit_code(pid) == 70
    command.run("delete", "motor")
    assert numbers(command) == (3, 1)


def test_a_crash_that_the_kernel_s_log_does_not_tell(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    pid = live(command, firmware)
    core.set_state("crashed")
    assert command.exit_code(pid) == 70
    assert numbers(command) == (1, 1)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"1\n", b"1 2 3\n", b"-1 2\n", b"1 x\n", b"\xd9\xa1 1\n", b"9" * 4096, b"1 " + b"9" * 20]
)
def test_what_says_nothing(double: RemoteprocDouble, content: bytes) -> None:
    """And is overwritten by what counts."""
    system = SystemPaths(str(double.sysroot))
    path = Path(system.claims) / "remoteproc0"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    found = read_tally(system, "remoteproc0")
    assert (found.starts, found.crashes) == (0, 0)
    with path.open("r+b") as lock:
        count(lock.fileno(), starts=1)
        count(lock.fileno(), starts=1, crashes=3)
    found = read_tally(system, "remoteproc0")
    assert (found.starts, found.crashes) == (2, 3)


def test_what_is_no_file(double: RemoteprocDouble) -> None:
    system = SystemPaths(str(double.sysroot))
    Path(system.claims).mkdir(parents=True)
    os.mkfifo(f"{system.claims}/remoteproc0")
    (Path(system.claims) / "remoteproc1").symlink_to("/etc/passwd")
    for device in ("remoteproc0", "remoteproc1", "remoteproc2"):
        assert read_tally(system, device).starts == 0
