"""An upgrade or a removal of the runtime under a running container, and records of other versions."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.runtime.altered_launcher import altered
from tests.unit.runtime.command_runner import Command, deploy, eventually
from tests.unit.runtime.remoteproc_double import TRACE_BYTES, ProcessorDouble, RemoteprocDouble
from tests.unit.runtime.test_coredump import keep_in_kernel
from tests.unit.runtime.test_rpmsg import Bus

HERE = Path(__file__).resolve().parent
RECORDS = sorted((HERE / "records").glob("*.json"))
EVERYTHING = {
    "remoteproc.recovery": "kernel",
    "remoteproc.coredump": "on",
    "remoteproc.logs": "trace,rpmsg:rpmsg-tty",
}


def live_through_everything(command: Command, core: ProcessorDouble, double: RemoteprocDouble, pid: int) -> None:
    """The ring wraps, a channel comes and goes, the core crashes and comes back with a dump, and is stopped."""
    said = double.root / "motor/log"
    bus = Bus(double)
    master = bus.terminal(core, "rpmsg-tty")
    eventually(lambda: "is `" in said.read_text())
    os.write(master, b"by message\n")
    for number in range(TRACE_BYTES // 16):
        core.print(f"line {number:10}\n".encode())
        if number % 16 == 0:
            eventually(lambda last=number: f"line {last:10}" in said.read_text())  # type: ignore[misc]
    keep_in_kernel(double, core, "devcd1", b"dump")
    core.crash()
    eventually(lambda: "core dump of 4 bytes" in said.read_text())
    bus.close()
    os.kill(pid, signal.SIGTERM)
    assert command.exit_code(pid) == 0
    assert "by message" in said.read_text()
    assert core.state == "offline"
    assert double.installed() == double.journals() == []


def test_a_life_loads_nothing_after_the_commit(
    command: Command, core: ProcessorDouble, deployed: Path, double: RemoteprocDouble, firmware: Path, tmp_path: Path
) -> None:
    """sys.modules when the supervisor begins to live, and when it has ended."""
    listing = tmp_path / "loaded"
    lines = f"""
from hybrid_runtime.supervisor.supervisor import Supervisor
living = Supervisor.run
def run(self):
    before = set(sys.modules)
    code = living(self)
    # The working folder is the machine's root.
    with open("." + {str(listing)!r}, "w") as target:
        target.write("\\n".join(sorted(set(sys.modules) - before)))
    return code
Supervisor.run = run
"""
    listening = Command(altered(deployed, f"listening-{os.getpid()}", lines), double, command.folder)
    pid = listening.create(firmware, "motor", annotations=EVERYTHING)
    listening.run("start", "motor")
    live_through_everything(command, core, double, pid)
    assert listing.read_text() == ""


@pytest.mark.parametrize("replaced", [True, False], ids=["replaced", "removed"])
def test_the_runtime_goes_from_under_its_supervisor(
    command: Command,
    core: ProcessorDouble,
    double: RemoteprocDouble,
    firmware: Path,
    tmp_path: Path,
    replaced: bool,
) -> None:
    source = HERE.parents[2] / "runtime"
    launcher = deploy(source, tmp_path / "first")
    older = Command(launcher, double, tmp_path)
    pid = older.create(firmware, "motor", annotations=EVERYTHING)
    older.run("start", "motor")
    shutil.rmtree(launcher.parents[1])
    if replaced:
        deploy(source, tmp_path / "first")
    live_through_everything(command, core, double, pid)
    command.run("delete", "motor")
    assert double.leftovers() == []


VERBS: dict[str, Callable[[Command], object]] = {
    "state": lambda command: command.run("state", "motor"),
    "list": lambda command: command.run("list"),
    "ps": lambda command: command.run("ps", "motor"),
    "logs": lambda command: command.run("logs", "motor"),
    "update": lambda command: command.run("update", "motor"),
    "kill": lambda command: command.run("kill", "motor"),
    "kill KILL": lambda command: command.run("kill", "motor", "KILL"),
    "delete": lambda command: command.run("delete", "--force", "motor"),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kept", RECORDS, ids=lambda path: str(path.stem))
def test_records_of_every_format(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, kept: Path, verb: str
) -> None:
    """Each as its version wrote it, but for what names this machine's process and files. None of those versions wrote
    into the journal when the container was created."""
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    path = double.root / "motor/record.json"
    own = json.loads(path.read_text())
    names = ("pid", "pid_start_time", "bundle", "resolved_path", "firmware_name", "firmware_file")
    path.write_text(json.dumps(json.loads(kept.read_text()) | {name: own[name] for name in names}))
    journal = double.claims / f"{core.device}.journal"
    fields = json.loads(journal.read_text())
    del fields["created"]
    journal.write_text(json.dumps(fields))
    assert command.status("motor") == "running"
    VERBS[verb](command)
    ends = verb.startswith(("kill", "delete"))
    assert core.state == ("offline" if ends else "running")
    if not ends:
        command.run("kill", "motor")
    command.exit_code(pid)
    command.run("delete", "--force", "motor")
    assert double.leftovers() == []


@pytest.mark.parametrize("kept", RECORDS, ids=lambda path: str(path.stem))
def test_created_by_an_older_version_started_by_this_one(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, kept: Path
) -> None:
    pid = command.create(firmware, "motor")
    path = double.root / "motor/record.json"
    own = json.loads(path.read_text())
    older = json.loads(kept.read_text())
    path.write_text(json.dumps({name: own[name] for name in older if name in own}))
    command.run("start", "motor")
    assert core.state == "running"
    command.run("kill", "motor")
    assert command.exit_code(pid) == 0


def test_a_format_of_the_future_is_told_and_left_alone(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    """After a downgrade: what cannot be understood is not guessed at, and delete --force still cleans up by the
    journal."""
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    path = double.root / "motor/record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    refused = command.run("state", "motor", code=1).stderr
    assert "it is of format `99`, this version reads up to 1" in refused
    assert core.state == "running"
    command.run("delete", "--force", "motor")
    assert command.exit_code(pid) == 137
    assert core.state == "offline"
    assert double.leftovers() == []


def test_there_is_a_record_of_every_format() -> None:
    """Raised only together with a record of the former format in the folder."""
    from hybrid_runtime.container.record import FORMAT, Record

    formats = {json.loads(path.read_text()).get("format", 1) for path in RECORDS}
    assert formats == set(range(1, FORMAT + 1))
    newest = json.loads(RECORDS[-1].read_text())
    assert set(newest) == set(Record("", "", "").to_json()), "a field more or less: keep a record of this version"
