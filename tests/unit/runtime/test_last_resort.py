"""Whatever exception leaves the supervisor's loop: the core is off, nothing is held, and it is said what happened."""

import os
import signal
from pathlib import Path

import pytest

from tests.unit.runtime.altered_launcher import altered, failing
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

CODE = 73
# What the loop calls at each look, and an error that nobody expects of it.
IN_THE_LOOP = [
    ("processor.trace", "Trace.read", "ZeroDivisionError('planted')"),
    ("processor.trace", "Trace.read", "MemoryError('planted')"),
    ("processor.kernel_log", "KernelLog.lines", "RecursionError('planted')"),
    ("supervisor.core_watch", "judge", "AssertionError('planted')"),
    ("supervisor.output", "Output.flush", "ImportError('planted')"),
    ("supervisor.control", "ControlServer.answer", "KeyError('planted')"),
]


def broken_command(command: Command, deployed: Path, defect: str) -> Command:
    launcher = altered(deployed, f"defective-{os.getpid()}", defect)
    return Command(launcher, command.double, command.folder)


def check_told(command: Command, cause: str) -> None:
    annotations = command.state("motor")["annotations"]
    assert annotations["remoteproc.exit-code"] == str(CODE)
    for said in (annotations["remoteproc.exit-reason"], command.run("logs", "motor").stderr):
        assert "this is a defect of hybrid-runtime, please report it" in said
        assert cause in said
        assert f"defective-{os.getpid()}:" in said


@pytest.mark.parametrize(("module", "name", "error"), IN_THE_LOOP)
def test_a_defect_in_the_loop(
    command: Command,
    deployed: Path,
    core: ProcessorDouble,
    double: RemoteprocDouble,
    firmware: Path,
    module: str,
    name: str,
    error: str,
) -> None:
    broken = broken_command(command, deployed, failing(module, name, error))
    pid = broken.create(firmware, "motor")
    # Where the defect comes before the answer, start has none to tell.
    broken.run("start", "motor", code=None)
    assert command.exit_code(pid) == CODE
    assert core.state == "offline"
    assert double.installed() == double.journals() == []
    assert core.read("recovery") == "enabled"
    if name != "Output.flush":
        check_told(command, f"{error.partition('(')[0]}: ")
    command.run("delete", "motor")
    assert double.leftovers() == []


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("supervisor.core_watch", "CoreWatch.read_last_words"),
        ("supervisor.supervisor", "Supervisor._say_last_words"),
        ("supervisor.core_watch", "CoreWatch.read_kernel_log"),
        ("supervisor.core_run", "restore_settings"),
        ("supervisor.core_run", "forget"),
    ],
)
def test_a_defect_on_the_way_out(
    command: Command,
    deployed: Path,
    core: ProcessorDouble,
    double: RemoteprocDouble,
    firmware: Path,
    module: str,
    name: str,
) -> None:
    """A step that fails keeps none of the others from being made."""
    broken = broken_command(command, deployed, failing(module, name))
    pid = broken.create(firmware, "motor")
    broken.run("start", "motor", code=None)
    os.kill(pid, signal.SIGTERM)
    assert command.exit_code(pid) == CODE
    assert core.state == "offline"
    # What it did not come to is undone by the next verb.
    command.run("delete", "motor")
    assert core.read("recovery") == "enabled"
    assert double.leftovers() == []


def test_a_defect_in_the_stop_itself(
    command: Command, deployed: Path, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    """Nothing of a core that still runs is given back. (On a device its guard stops it now.)"""
    broken = broken_command(command, deployed, failing("supervisor.core_run", "stop_if_ours"))
    pid = broken.create(firmware, "motor")
    broken.run("start", "motor")
    os.kill(pid, signal.SIGTERM)
    assert command.exit_code(pid) == CODE
    check_told(command, "ZeroDivisionError: planted")
    assert core.state == "running"
    assert (double.journals(), len(double.installed())) == (["remoteproc0.journal"], 1)
    command.run("kill", "motor")
    assert core.state == "offline"
    command.run("delete", "motor")
    assert double.leftovers() == []
