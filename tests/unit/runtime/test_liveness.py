"""Whether a container lives, asked from where its pid means nothing or may not be seen: the claim's lock tells."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.runtime.altered_launcher import altered
from tests.unit.runtime.command_runner import Command, Outcome
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

# What an agent in a container of its own sees of the machine: its files, and none of its processes.
OTHER_PIDS = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
OTHER_TIME = ("unshare", "--time", "--boottime", "86400", "--fork")
# A process that cannot be seen is waited for: it might be dying.
IMPATIENT = """
import hybrid_runtime.container.claim as claim
claim.DYING_HOLDER_SECONDS = 0.2
"""


def hidden(kind: str) -> tuple[str, ...]:
    """As an ordinary user on a machine whose /proc hides the processes of others (proc(5), hidepid)."""
    mount = f"mount -t proc -o hidepid={kind} proc /proc && exec setpriv --reuid 65534 --clear-groups --inh-caps=-all"
    return ("unshare", "--mount", "sh", "-c", f'{mount} "$@"', "sh")


@pytest.fixture
def elsewhere(command: Command, request: pytest.FixtureRequest) -> "Elsewhere":
    prefix: tuple[str, ...] = request.param
    tried = subprocess.run(["/usr/bin/env", *prefix, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"this machine does not allow {' '.join(prefix[:3])}: {tried.stderr.strip()}")
    return Elsewhere(command, prefix)


class Elsewhere:
    """The command, called from another namespace or by another user."""

    def __init__(self, command: Command, prefix: tuple[str, ...]) -> None:
        self.command = Command(altered(command.launcher, "impatient", IMPATIENT), command.double, command.folder)
        self.prefix = prefix

    def run(self, *words: str) -> Outcome:
        process, outcome = self.command.spawn(*words, prefix=("/usr/bin/env", *self.prefix))
        outcome.code = process.wait(30)
        assert "Traceback" not in outcome.stderr, outcome
        return outcome


@pytest.mark.parametrize("elsewhere", [OTHER_PIDS, OTHER_TIME], indirect=True, ids=["pid", "time"])
@pytest.mark.parametrize("status", ["created", "running"])
def test_in_another_namespace(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, elsewhere: Elsewhere, status: str
) -> None:
    pid = command.create(firmware, "motor")
    if status == "running":
        command.run("start", "motor")
    assert json.loads(elsewhere.run("state", "motor").stdout)["status"] == status
    (listed,) = json.loads(elsewhere.run("list", "-f", "json").stdout)
    assert listed["status"] == status
    assert "motor" in elsewhere.run("processors").stdout
    said = elsewhere.run("doctor").stdout
    assert "container `motor`, recovery" in said
    assert "an interrupted container still holds a processor" not in said
    for words in (("delete", "--force", "motor"), ("kill", "motor"), ("kill", "motor", "KILL")):
        refused = elsewhere.run(*words)
        assert refused.code == 1
        assert "its process is not to be seen from here" in refused.stderr
    if status == "running":
        assert "container `motor` is running" in elsewhere.run("delete", "motor").stderr
    elsewhere.run("doctor", "--repair")
    # The folder, the claim and the core are as they were, and so is the container where it lives.
    assert command.status("motor") == status
    assert command.state("motor")["pid"] == pid
    assert double.journals() == ["remoteproc0.journal"]
    assert core.state == ("running" if status == "running" else "offline")
    command.run("delete", "--force", "motor")
    assert command.exit_code(pid) == 137
    assert double.leftovers() == []


@pytest.mark.parametrize("kind", ["1", "2", "4"])
def test_processes_that_are_hidden(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, kind: str
) -> None:
    """A user who may look at the claims is never told to clear up after the living."""
    if os.geteuid() != 0:
        pytest.skip("only root can play another user here")
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    for folder in [double.claims, *double.claims.iterdir()]:
        os.chown(folder, 65534, 65534)
    for folder in [command.launcher, *command.launcher.parents, *double.sysroot.parents]:
        if folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & 0o005:
            folder.chmod(folder.stat().st_mode | 0o055)
    elsewhere = Elsewhere(command, hidden(kind))
    (found,) = json.loads(elsewhere.run("processors", "-f", "json").stdout)
    assert found["container"] == "motor"
    said = elsewhere.run("doctor").stdout
    assert "an interrupted container still holds a processor" not in said
    elsewhere.run("doctor", "--repair")
    assert command.state("motor")["pid"] == pid
    assert core.state == "running"


def test_a_core_that_cannot_be_looked_at(
    command: Command, core: ProcessorDouble, deployed: Path, double: RemoteprocDouble, firmware: Path
) -> None:
    """Short of memory or descriptors, or a read that fails once: the firmware goes on, and so does its container."""
    lines = """
from hybrid_runtime.processor.remoteproc import Remoteproc
reads, looks = Remoteproc.read, []
def read(self, attribute):
    if attribute == "state":
        looks.append(attribute)
        if len(looks) < 30 and len(looks) % 4:
            raise OSError([5, 12, 24, 4][len(looks) % 4], "planted")
    return reads(self, attribute)
from hybrid_runtime.supervisor.core_watch import CoreWatch
judge = CoreWatch.judge
def judging(self):
    Remoteproc.read = read
    return judge(self)
CoreWatch.judge = judging
"""
    unlucky = Command(altered(deployed, f"unlucky-{os.getpid()}", lines), double, command.folder)
    pid = unlucky.create(firmware, "motor")
    unlucky.run("start", "motor")
    for number in range(20):
        core.print(f"line {number}\n".encode())
    outcome = command.run("logs", "motor")
    while "line 19" not in outcome.stdout:
        outcome = command.run("logs", "motor")
    assert command.state("motor")["pid"] == pid
    assert "cannot look at the core: " in outcome.stderr
    assert "planted" in outcome.stderr
    command.run("kill", "motor")
    assert command.exit_code(pid) == 0
    assert core.state == "offline"


@pytest.mark.parametrize("errno", [5, 12, 24])
def test_state_of_a_core_that_cannot_be_looked_at(
    command: Command, core: ProcessorDouble, deployed: Path, double: RemoteprocDouble, firmware: Path, errno: int
) -> None:
    """A verb that is short of something does not take the living for stopped."""
    lines = f"""
from hybrid_runtime.processor.remoteproc import Remoteproc
def read(*_):
    raise OSError({errno}, "planted")
Remoteproc.read = read
"""
    command.create(firmware, "motor")
    command.run("start", "motor")
    unlucky = Command(altered(deployed, f"unlucky-{os.getpid()}", lines), double, command.folder)
    assert unlucky.status("motor") == "running"
    assert "is running" in unlucky.run("delete", "motor", code=1).stderr
    assert core.state == "running"


def test_without_proc_the_claim_tells(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    """The lock of a dead holder is free, whatever its journal says."""
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    os.kill(pid, 9)
    command.exit_code(pid)
    assert command.status("motor") == "stopped"
    shutil.rmtree(command.double.claims)
    assert command.status("motor") == "stopped"
    assert core.state == "running"
