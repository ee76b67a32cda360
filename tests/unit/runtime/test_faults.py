"""What ends a container although nobody asked: the core, the kernel, other programs, SIGKILL."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.runtime.command_runner import PATIENCE_SECONDS, Command, eventually
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble


@pytest.fixture
def running(command: Command, core: ProcessorDouble, firmware: Path) -> int:
    """The supervisor's pid of a running container `motor`."""
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    assert core.state == "running"
    return pid


def check_given_back(command: Command, core: ProcessorDouble, double: RemoteprocDouble) -> None:
    assert command.status("motor") == "stopped"
    assert (core.state, core.read("recovery")) == ("offline", "enabled")
    assert double.installed() == double.journals() == []
    command.run("delete", "motor")
    assert double.leftovers() == []


def test_crash(command: Command, core: ProcessorDouble, double: RemoteprocDouble, running: int) -> None:
    core.print(b"last words\n")
    core.crash()
    assert command.exit_code(running) == 70
    assert command.run("logs", "motor").stdout == "last words\n"
    assert command.state("motor")["annotations"]["remoteproc.exit-reason"] == "the core crashed"
    check_given_back(command, core, double)


def test_stopped_by_another(command: Command, core: ProcessorDouble, double: RemoteprocDouble, running: int) -> None:
    core.stop_from_outside()
    assert command.exit_code(running) == 69
    check_given_back(command, core, double)


@pytest.mark.parametrize("state", ["attached", "detached"])
def test_taken_over_by_another(command: Command, core: ProcessorDouble, running: int, state: str) -> None:
    with core.lock:
        core.write("firmware", "theirs.elf")
        core.set_state(state)
    assert command.exit_code(running) == 69
    assert (core.state, core.stops) == (state, 0)


def test_firmware_replaced_by_another(command: Command, core: ProcessorDouble, running: int) -> None:
    core.write("firmware", "theirs.elf")
    assert command.exit_code(running) == 69
    assert (core.state, core.stops) == ("running", 0)


def test_suspended_goes_on(command: Command, core: ProcessorDouble, running: int) -> None:
    core.set_state("suspended")
    core.print(b"asleep\n")
    eventually(lambda: "asleep" in command.run("logs", "motor").stdout)
    assert command.state("motor")["pid"] == running
    assert command.status("motor") == "running"


def test_vanished(command: Command, core: ProcessorDouble, double: RemoteprocDouble, running: int) -> None:
    core.vanish()
    assert command.exit_code(running) == 71
    assert command.status("motor") == "stopped"
    command.run("delete", "motor")
    assert double.leftovers() == []


def test_vanishing(command: Command, core: ProcessorDouble, double: RemoteprocDouble, running: int) -> None:
    """On a busy machine the files stay long after the core was stopped."""
    core.begin_to_vanish()
    assert command.exit_code(running) == 71
    core.vanish()
    command.run("delete", "motor")
    assert double.leftovers() == []


def test_vanished_while_the_supervisor_was_dead(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, running: int
) -> None:
    os.kill(running, signal.SIGKILL)
    assert command.exit_code(running) == 137
    core.vanish()
    (double.root / "motor/record.json").unlink()
    command.run("delete", "--force", "motor")
    assert double.leftovers() == []


def test_supervisor_killed_then_delete(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, running: int
) -> None:
    os.kill(running, signal.SIGKILL)
    assert command.exit_code(running) == 137
    # Without /dev/remoteprocN the kernel does not stop the core: the journal does.
    assert core.state == "running"
    assert command.status("motor") == "stopped"
    command.run("delete", "motor")
    assert (core.state, core.read("recovery")) == ("offline", "enabled")
    assert double.leftovers() == []


def test_supervisor_killed_then_the_next_create(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, running: int
) -> None:
    core.start_from_outside()
    os.kill(running, signal.SIGKILL)
    command.exit_code(running)
    command.create(firmware, "next")
    assert core.state == "offline"
    command.run("start", "next")
    assert core.references == 1
    assert len(double.installed()) == 1
    # What is left of the first one is its folder; deleting it leaves the second one alone.
    command.run("delete", "motor")
    assert command.status("next") == "running"


def test_dead_holder_of_a_core_that_others_took(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, running: int
) -> None:
    os.kill(running, signal.SIGKILL)
    command.exit_code(running)
    core.write("firmware", "theirs.elf")
    command.run("delete", "motor")
    assert (core.state, core.stops) == ("running", 0)
    assert double.leftovers() == []


def test_kernel_recovers(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    pid = command.create(firmware, "motor", annotations={"remoteproc.recovery": "kernel"})
    command.run("start", "motor")
    assert core.read("recovery") == "enabled"
    core.print(b"first life\n")
    eventually(lambda: "first life" in command.run("logs", "motor").stdout)
    core.crash()
    core.print(b"second\n")
    eventually(lambda: "first life\nsecond\n" in command.run("logs", "motor").stdout)
    assert "the trace buffer begins anew" in command.run("logs", "motor").stderr
    assert command.state("motor")["pid"] == pid
    assert len(core.boots) == 2


def test_kernel_does_not_recover(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    pid = command.create(firmware, "motor", annotations={"remoteproc.recovery": "kernel"})
    command.run("start", "motor")
    core.set_state("crashed")
    assert command.status("motor") == "running"
    assert command.exit_code(pid) == 70


def test_core_that_cannot_be_stopped(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, running: int
) -> None:
    """TERM keeps the container and tries again; KILL and delete say why, and the next verb finishes the work."""
    core.refuses_to_stop = True
    command.run("kill", "motor")
    # The double shows the word of each attempt for a moment.
    eventually(lambda: command.status("motor") == "running")
    core.print(b"still here\n")
    eventually(lambda: "still here" in command.run("logs", "motor").stdout)
    said = command.run("logs", "motor").stderr
    assert said.count("does not stop: it is still up") == 1
    for verb in (("kill", "motor", "KILL"), ("kill", "motor"), ("delete", "--force", "motor"), ("delete", "motor")):
        assert "does not stop: it is still up" in command.run(*verb, code=1).stderr
    assert command.exit_code(running) == 137
    # What could not be undone stays journaled, and a new container is refused.
    assert double.journals() == ["remoteproc0.journal"]
    assert "does not stop: it is still up" in command.run("create", firmware, "next", code=1).stderr
    assert double.containers() == ["motor"]
    core.refuses_to_stop = False
    command.run("kill", "motor")
    assert core.state == "offline"
    assert double.installed() == double.journals() == []
    command.run("delete", "motor")
    assert double.leftovers() == []


def test_core_that_relents(command: Command, core: ProcessorDouble, double: RemoteprocDouble, running: int) -> None:
    core.refuses_to_stop = True
    command.run("kill", "motor")
    # The double shows the word of each attempt for a moment.
    eventually(lambda: command.status("motor") == "running")
    core.refuses_to_stop = False
    assert command.exit_code(running) == 0
    check_given_back(command, core, double)


def test_crashed_core_that_cannot_be_stopped(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, running: int
) -> None:
    """The crash is told, never a stop that did not happen."""
    core.refuses_to_stop = True
    core.crash()
    assert command.exit_code(running, 30) == 70
    assert "does not stop" in command.state("motor")["annotations"]["remoteproc.exit-reason"]
    core.refuses_to_stop = False
    command.run("kill", "motor", "KILL")
    check_given_back(command, core, double)


def test_container_folder_removed_under_the_supervisor(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, running: int
) -> None:
    for path in (double.root / "motor").rglob("*"):
        if not path.is_dir():
            path.unlink()
    core.print(b"into nothing\n")
    command.run("delete", "--force", "motor")
    assert command.exit_code(running) == 137
    assert core.state == "offline"
    assert double.leftovers() == []


def test_start_after_the_supervisor_was_killed(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    pid = command.create(firmware, "motor")
    os.kill(pid, signal.SIGKILL)
    command.exit_code(pid)
    assert "is stopped" in command.run("start", "motor", code=1).stderr
    assert core.boots == []
    command.run("delete", "motor")
    assert double.leftovers() == []


def test_start_of_a_supervisor_that_hangs(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    pid = command.create(firmware, "motor", annotations={"remoteproc.start-timeout": "0.3"})
    os.kill(pid, signal.SIGSTOP)
    assert "did not start within 0.3 s and was killed" in command.run("start", "motor", code=1).stderr
    assert command.exit_code(pid, 0) == 137
    assert core.boots == []
    command.run("delete", "motor")
    assert double.leftovers() == []


def holds_a_socket(pid: int) -> bool:
    for path in Path(f"/proc/{pid}/fd").iterdir():
        # Any other may be closed while it is looked at.
        with contextlib.suppress(FileNotFoundError):
            if str(path.readlink()).startswith("socket:"):
                return True
    return False


def test_start_that_waits_in_vain_beside_another(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    """On a busy machine the supervisor may start for the first of many and not answer the others in time."""
    pid = command.create(firmware, "motor", annotations={"remoteproc.start-timeout": "2"})
    os.kill(pid, signal.SIGSTOP)
    late, outcome = command.spawn("start", "motor")
    eventually(lambda: holds_a_socket(late.pid))
    path = double.root / "motor/record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"phase": "started"}))
    assert late.wait(PATIENCE_SECONDS) == 1
    assert "was started meanwhile" in outcome.stderr
    os.kill(pid, signal.SIGCONT)
    command.run("delete", "--force", "motor")
    assert (core.state, double.leftovers()) == ("offline", [])


def test_delete_while_create_is_at_work(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    """A record of a create that has not come to its end: refused, and with --force it is ended."""
    pid = command.create(firmware, "motor")
    path = double.root / "motor/record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"phase": "creating"}))
    assert command.status("motor") == "creating"
    assert "is creating" in command.run("delete", "motor", code=1).stderr
    assert "is creating" in command.run("start", "motor", code=1).stderr
    command.run("delete", "--force", "motor")
    assert command.exit_code(pid, 0) == 137
    assert double.leftovers() == []
    assert core.boots == []


@pytest.fixture
def waiting_create(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """A create that waits for its processor, whose lock the test holds, for two seconds at most."""
    double.claims.mkdir()
    with (double.claims / core.device).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process, _ = command.spawn("create", firmware, "motor")
        eventually((double.root / "motor/record.json").exists)
        yield process


def test_delete_of_a_create_that_waits(
    command: Command, double: RemoteprocDouble, waiting_create: "subprocess.Popen[bytes]"
) -> None:
    state = command.state("motor")
    assert (state["status"], state["pid"]) == ("creating", waiting_create.pid)
    assert "is creating" in command.run("delete", "motor", code=1).stderr
    command.run("delete", "--force", "motor")
    assert waiting_create.wait(10) == -signal.SIGKILL
    assert double.leftovers() == []


def test_interrupted_create(double: RemoteprocDouble, waiting_create: "subprocess.Popen[bytes]") -> None:
    waiting_create.send_signal(signal.SIGINT)
    assert waiting_create.wait(10) == 130
    assert double.leftovers() == []


def test_processor_held_by_a_command_that_says_nothing(
    double: RemoteprocDouble, waiting_create: "subprocess.Popen[bytes]"
) -> None:
    assert waiting_create.wait(10) == 1
    assert double.leftovers() == []
