"""A container's terminal: handed to the engine, written to, typed into, hung up."""

import fcntl
import os
import signal
import struct
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.runtime.bundle_builder import write_bundle
from tests.unit.runtime.command_runner import Command, eventually
from tests.unit.runtime.console_engine import Engine
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

PROCESS = {"cwd": "/", "args": ["/fw.elf"], "terminal": True, "consoleSize": {"height": 33, "width": 77}}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    # Longer than a socket address may be.
    folder = tmp_path / ("long-" * 20)
    folder.mkdir()
    engine = Engine(folder / "console")
    yield engine
    engine.close()


@pytest.fixture
def pid(command: Command, core: ProcessorDouble, engine: Engine, firmware: Path, tmp_path: Path) -> int:
    """Of a running container with a terminal."""
    bundle = write_bundle(tmp_path / "bundle", firmware, process=PROCESS)
    command.run("create", "-b", bundle, "--console-socket", engine.path, "motor")
    command.run("start", "motor")
    engine.read_until(b"started")
    assert core.state == "running"
    pid: int = command.record("motor")["pid"]
    return pid


def test_what_the_firmware_prints_comes_out_of_it(core: ProcessorDouble, engine: Engine, pid: int) -> None:
    core.print(b"core0 hello\n")
    assert b"core0 hello\r\n" in engine.read_until(b"hello")
    assert engine.name.startswith(b"/dev/pts/")
    size = fcntl.ioctl(engine.master, termios.TIOCGWINSZ, bytes(8))
    assert struct.unpack("HHHH", size)[:2] == (33, 77)
    # Field 7 of proc_pid_stat(5): the controlling terminal.
    assert Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[4] != "0"


@pytest.mark.parametrize("key", [b"\x03", b"\x1c"])
def test_ctrl_c_is_an_orderly_stop(
    command: Command, core: ProcessorDouble, engine: Engine, pid: int, key: bytes
) -> None:
    os.write(engine.master, key)
    assert command.exit_code(pid) == 0
    assert core.state == "offline"


def test_ctrl_z_means_nothing(command: Command, core: ProcessorDouble, engine: Engine, pid: int) -> None:
    os.write(engine.master, b"\x1a")
    core.print(b"still here\n")
    engine.read_until(b"still here")
    assert command.status("motor") == "running"
    assert pid > 0


def test_its_hang_up_does_not_stop_the_core(command: Command, core: ProcessorDouble, engine: Engine, pid: int) -> None:
    engine.hang_up()
    core.print(b"into the log\n")
    eventually(lambda: "into the log" in command.run("logs", "motor").stdout)
    assert command.status("motor") == "running"
    command.run("kill", "motor")
    assert command.exit_code(pid) == 0


def test_a_hup_from_an_engine_does(command: Command, core: ProcessorDouble, pid: int) -> None:
    os.kill(pid, signal.SIGHUP)
    assert command.exit_code(pid) == 0
    assert core.state == "offline"


@pytest.mark.parametrize(
    ("terminal", "options", "message"),
    [
        (True, [], "there is no --console-socket"),
        (False, ["--console-socket", "/tmp/x"], "process.terminal is false"),
        (True, ["--console-socket", "/nowhere/at/all"], "cannot send the terminal"),
        (True, ["--console-socket", "/dev/null"], "cannot send the terminal"),
    ],
)
def test_refused(
    *,
    command: Command,
    core: ProcessorDouble,
    double: RemoteprocDouble,
    firmware: Path,
    tmp_path: Path,
    terminal: bool,
    options: list[str],
    message: str,
) -> None:
    bundle = write_bundle(tmp_path / "bundle", firmware, process={**PROCESS, "terminal": terminal})
    assert message in command.run("create", "-b", bundle, *options, "motor", code=1).stderr
    assert double.leftovers() == []
    assert core.state == "offline"
