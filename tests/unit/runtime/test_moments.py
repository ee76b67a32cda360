"""What a verb finds that comes at one exact moment of another process, which stands still there or is gone."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.invariants import broken_after_delete
from tests.unit.runtime.altered_launcher import altered
from tests.unit.runtime.command_runner import PATIENCE_SECONDS, Command, Outcome, eventually
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble


def planted(command: Command, name: str, lines: str) -> Command:
    """The command with `lines` in each of its processes."""
    return Command(altered(command.launcher, name, lines), command.double, command.folder)


def stands_still(pid: int) -> bool:
    """By SIGSTOP: proc_pid_stat(5)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def stop(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: stands_still(pid))


NOTES_PID_FILE = """
from hybrid_runtime.system.path import exists
from hybrid_runtime.supervisor.spawn import Spawn
waiting = Spawn.wait_until_ready
def wait_until_ready(self):
    waiting(self)
    with open(self.pid_file + ".seen", "w") as target:
        target.write("there" if exists(self.pid_file) else "absent")
Spawn.wait_until_ready = wait_until_ready
"""


def test_the_pid_file_is_written_when_the_supervisor_is_ready(
    command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path
) -> None:
    """An engine acts on it as soon as it is there."""
    path = tmp_path / "pid"
    pid = planted(command, "notes-pid-file", NOTES_PID_FILE).create(firmware, "motor", "--pid-file", str(path))
    assert (tmp_path / "pid.seen").read_text() == "absent"
    assert path.read_text() == str(pid)
    assert core.boots == []


# The supervisor waits in the middle of its end for somebody who waits for it.
ENDS_WHEN_WAITED_FOR = """
import os, signal
from hybrid_runtime.system.process_identity import ProcessHandle
from hybrid_runtime.supervisor.core_run import CoreRun
giving_back, waiting = CoreRun.give_back, ProcessHandle.wait_until_gone
def give_back(self):
    os.kill(os.getpid(), signal.SIGSTOP)
    giving_back(self)
def wait_until_gone(self, deadline):
    self.send(signal.SIGCONT)
    return waiting(self, deadline)
CoreRun.give_back, ProcessHandle.wait_until_gone = give_back, wait_until_gone
"""


def ending(command: Command, firmware: Path) -> tuple[Command, int]:
    """A container that stands still in the middle of its end until this command waits for it, and its pid."""
    slow = planted(command, "ends-when-waited-for", ENDS_WHEN_WAITED_FOR)
    pid = slow.create(firmware, "motor")
    slow.run("start", "motor")
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: stands_still(pid))
    return slow, pid


def test_delete_waits_for_a_supervisor_that_is_ending(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    """It comes to its own end: killed in the middle of it, it would tell the engine of a violent death."""
    slow, pid = ending(command, firmware)
    assert (command.status("motor"), core.state) == ("stopped", "offline")
    slow.run("delete", "motor")
    assert command.exit_code(pid, 0) == 0
    assert double.leftovers() == []


@pytest.mark.parametrize("verb", ["state motor", "list --format json"])
def test_a_core_that_has_stopped_is_told_of_with_its_exit_code(
    command: Command, core: ProcessorDouble, firmware: Path, verb: str
) -> None:
    """Also between the stop of the core and the supervisor's own end."""
    slow, pid = ending(command, firmware)
    assert core.state == "offline"
    told = json.loads(slow.run(*verb.split()).stdout)
    state = told[0] if isinstance(told, list) else told
    assert (state["status"], state["annotations"].get("remoteproc.exit-code")) == ("stopped", "0")
    assert command.exit_code(pid) == 0


def dies_around_the_look(*, seen: bool) -> str:
    """Lines: the supervisor is killed before `kill` has looked for it, or once it has been `seen`."""
    return f"""
import os, signal, time
from hybrid_runtime.container.container import Container
opening = Container.open_supervisor
def open_supervisor(self):
    process = opening(self) if {seen} else None
    os.kill(self.record.pid, signal.SIGKILL)
    while os.path.exists("/proc/%d" % self.record.pid):
        time.sleep(0.001)
    return process or opening(self)
Container.open_supervisor = open_supervisor
"""


@pytest.mark.parametrize("seen", [False, True], ids=["before", "after"])
def test_kill_of_what_has_gone_since_the_look_at_its_state(
    command: Command, core: ProcessorDouble, firmware: Path, seen: bool
) -> None:
    """Nobody was stopped by this verb, and it does not say so."""
    pid = command.create(firmware, "motor")
    late = planted(command, f"dies-around-the-look-{seen}", dies_around_the_look(seen=seen))
    process, outcome = late.spawn("kill", "motor")
    assert command.exit_code(pid) == 128 + signal.SIGKILL
    assert process.wait(PATIENCE_SECONDS) == 1
    assert outcome.stderr == "hybrid-runtime: container not running\n"
    assert core.boots == []


def test_a_start_is_recorded_before_it_is_answered(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    """A core that goes off unnoticed makes nobody believe that it was never started."""
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    stop(pid)
    core.stop_from_outside()
    assert command.status("motor") == "stopped"
    assert "is stopped" in command.run("start", "motor", code=1).stderr
    os.kill(pid, signal.SIGCONT)
    assert command.exit_code(pid) == 69
    assert len(core.boots) == 1


# Before it waits for the first time after the start. Stopped from outside it may be in the middle of a look, or in a
# poll whose time is over when it goes on: then an ordinary tick comes before the stop.
STANDS_STILL_AFTER_THE_START = """
import os, signal
from hybrid_runtime.supervisor.supervisor import Supervisor
waiting = Supervisor._wait
def wait(self):
    if self.record.phase == "started":
        Supervisor._wait = waiting
        os.kill(os.getpid(), signal.SIGSTOP)
    return waiting(self)
Supervisor._wait = wait
"""


def test_the_last_words_before_a_stop(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    """Printed after the last tick: the look that comes with the stop is the only one that can find them."""
    still = planted(command, "stands-still-after-the-start", STANDS_STILL_AFTER_THE_START)
    pid = still.create(firmware, "motor")
    command.run("start", "motor")
    eventually(lambda: stands_still(pid))
    core.print(b"last words\n")
    os.kill(pid, signal.SIGTERM)
    os.kill(pid, signal.SIGCONT)
    assert command.exit_code(pid) == 0
    assert core.state == "offline"
    assert command.run("logs", "motor").stdout == "last words\n"


def stands_still_before(module: str, name: str) -> str:
    """Lines: a process stops itself as it calls that function or method of ours for the first time."""
    owner, _, function = name.rpartition(".")
    return f"""
import os, signal
import hybrid_runtime.{module} as module
owner = module{"." * bool(owner)}{owner}
calling = owner.{function}
def call(*words, **named):
    owner.{function} = calling
    os.kill(os.getpid(), signal.SIGSTOP)
    return calling(*words, **named)
owner.{function} = call
"""


def check_lives(command: Command, core: ProcessorDouble, double: RemoteprocDouble) -> None:
    """The container that has come meanwhile is whole, and nothing of the former one is left beside it."""
    assert command.status("motor") == "created"
    command.run("start", "motor")
    assert core.state == "running"
    command.run("delete", "--force", "motor")
    assert broken_after_delete(double.sighting(), "enabled") == []


def check_leaves_the_next_one_alone(
    command: Command,
    core: ProcessorDouble,
    double: RemoteprocDouble,
    firmware: Path,
    deleting: "subprocess.Popen[bytes]",
    outcome: Outcome,
) -> None:
    """A delete that stands still goes on once there is a new container of the id."""
    command.create(firmware, "motor")
    os.kill(deleting.pid, signal.SIGCONT)
    assert deleting.wait(PATIENCE_SECONDS) == 0, outcome.stderr
    check_lives(command, core, double)


DELETES_LATE = stands_still_before("container.reclaim", "journaled_devices")
CREATES_SLOWLY = stands_still_before("lifecycle.creation", "Creation.prepare")


def test_a_late_delete_of_nothing_leaves_the_next_container_alone(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    """What the journals say of the id, they say of the new one."""
    deleting, outcome = planted(command, "deletes-late", DELETES_LATE).spawn("delete", "--force", "motor")
    eventually(lambda: stands_still(deleting.pid))
    check_leaves_the_next_one_alone(command, core, double, firmware, deleting, outcome)


def test_a_late_delete_of_a_damaged_record_leaves_the_next_container_alone(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    command.create(firmware, "motor")
    (double.root / "motor/record.json").write_text("{")
    late = planted(command, "clears-late", stands_still_before("command.delete", "_remove_unrecorded"))
    deleting, outcome = late.spawn("delete", "--force", "motor")
    eventually(lambda: stands_still(deleting.pid))
    command.run("delete", "--force", "motor")
    check_leaves_the_next_one_alone(command, core, double, firmware, deleting, outcome)


def test_a_late_delete_of_what_is_being_created_leaves_the_next_container_alone(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    creating, _ = planted(command, "creates-slowly", CREATES_SLOWLY).spawn("create", firmware, "motor")
    eventually(lambda: stands_still(creating.pid))
    deleting, outcome = planted(command, "deletes-late", DELETES_LATE).spawn("delete", "--force", "motor")
    assert creating.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    eventually(lambda: stands_still(deleting.pid))
    check_leaves_the_next_one_alone(command, core, double, firmware, deleting, outcome)


# The supervisor, once the journal has been cleared.
UNDOES_SLOWLY = """
import os, signal
import hybrid_runtime.supervisor.spawn as spawn
forgetting = spawn.forget
def forget(*words):
    forgetting(*words)
    os.kill(os.getpid(), signal.SIGSTOP)
spawn.forget = forget
"""


def test_a_late_undoing_of_a_create_leaves_the_next_container_alone(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    """The supervisor of a killed create knows its folder from the next one of that name."""
    lines = UNDOES_SLOWLY + stands_still_before("lifecycle.creation", "Creation.commit")
    first, _ = planted(command, "undoes-slowly", lines).spawn("create", firmware, "motor")
    eventually(lambda: stands_still(first.pid))
    supervisor = json.loads((double.claims / f"{core.device}.journal").read_text())["pid"]
    first.kill()
    first.wait(PATIENCE_SECONDS)
    eventually(lambda: stands_still(supervisor))
    second, outcome = planted(command, "creates-slowly", CREATES_SLOWLY).spawn("create", firmware, "motor")
    eventually(lambda: stands_still(second.pid))
    os.kill(supervisor, signal.SIGCONT)
    command.exit_code(supervisor)
    os.kill(second.pid, signal.SIGCONT)
    assert second.wait(PATIENCE_SECONDS) == 0, outcome.stderr
    check_lives(command, core, double)
