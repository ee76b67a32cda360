"""create is killed at one system call after the other: up to the commit nothing of the container may stay."""

import os
import re
import shutil
from pathlib import Path

import pytest

from hybrid_runtime.supervisor.spawn import UNDONE_CODE
from tests.unit.runtime.command_runner import PATIENCE_SECONDS, Command, eventually
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

MOST_KILLS = 20
FORK = re.compile(r"(?:clone3?|fork|vfork)\(.*\) = (\d+)$")
CALL = re.compile(r"(\w+)\(")


class Tracing:
    """create under strace(1), which does not follow the supervisor's fork."""

    def __init__(self, command: Command, folder: Path, firmware: Path) -> None:
        self.command = command
        self.trace = folder / "trace"
        self.engine = folder / "engine"
        self.engine.mkdir()
        self.firmware = firmware

    def create(self, *injection: str) -> int:
        """The exit status as of Popen."""
        process, _ = self.command.spawn(
            *("create", "--pid-file", self.engine / "pid", self.firmware, "motor"),
            prefix=("/usr/bin/env", "strace", "-o", str(self.trace), *injection),
        )
        return process.wait(PATIENCE_SECONDS)

    def calls(self) -> list[str]:
        return [line for line in self.trace.read_text().splitlines() if CALL.match(line)]

    def fork_at(self) -> int:
        return next(index for index, line in enumerate(self.calls()) if FORK.match(line))

    def supervisor(self) -> int | None:
        found = [match[1] for match in map(FORK.match, self.calls()) if match]
        return int(found[-1]) if found else None


@pytest.fixture
def tracing(command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path) -> Tracing:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: the kills at system calls are not tried")
    tracing = Tracing(command, tmp_path, firmware)
    # The trace of the second one is kept: the first finds folders missing, and makes calls that no later one does.
    for _ in range(2):
        if tracing.create():
            pytest.skip("strace may not trace here: the kills at system calls are not tried")
        command.run("delete", "motor")
        (tracing.engine / "pid").unlink()
    assert core.state == "offline"
    return tracing


def injections(calls: list[str], first: int, last: int) -> list[tuple[str, ...]]:
    """For calls spread evenly over [first, last]: kill at that call, told by its name and how often it came."""
    names = [match[1] for match in map(CALL.match, calls) if match]
    stride = -(-(last - first + 1) // MOST_KILLS)
    return [
        ("-e", f"trace={names[at]}", "-e", f"inject={names[at]}:signal=KILL:when={names[: at + 1].count(names[at])}")
        for at in range(first, last + 1, stride)
    ]


def test_killed_between_fork_and_commit(tracing: Tracing, command: Command, double: RemoteprocDouble) -> None:
    calls = tracing.calls()
    fork = tracing.fork_at()
    commit = next(index for index, line in enumerate(calls) if '"commit"' in line)
    kills = injections(calls, fork + 1, commit)
    assert len(kills) > 10
    for kill in kills:
        # The fork itself is traced too, to know whom to wait for.
        traced = ("-e", f"trace=clone,clone3,fork,vfork,{kill[1].removeprefix('trace=')}", *kill[2:])
        assert tracing.create(*traced) == -9, kill
        pid = tracing.supervisor()
        assert pid is not None, kill
        assert command.exit_code(pid) == UNDONE_CODE, kill
        assert double.leftovers() == [], kill
        assert os.listdir(tracing.engine) == [], kill  # noqa: PTH208


def test_killed_before_the_fork(tracing: Tracing, command: Command, double: RemoteprocDouble) -> None:
    """Nobody is left to undo it then: delete --force does, or the next create on the processor."""
    calls = tracing.calls()
    made = next(index for index, line in enumerate(calls) if line.startswith("mkdir(") and "/motor" in line)
    for kill in injections(calls, made + 1, tracing.fork_at() - 1):
        assert tracing.create(*kill) == -9, kill
        if double.containers():
            assert command.run("state", "motor", code=None).code in (0, 1)
            command.run("delete", "--force", "motor")
        assert double.containers() == double.installed() == [], kill
        assert double.journals() in ([], ["remoteproc0.journal.tmp"]), kill
    assert tracing.create() == 0
    assert command.status("motor") == "created"
    eventually(lambda: double.journals() == ["remoteproc0.journal"])


def after_announcement(tracing: Tracing) -> list[tuple[str, ...]]:
    """Kills from the moment create has written down who it is to the fork. How often files are looked at depends on
    which folders are there already, so those calls are no points to name."""
    calls = tracing.calls()
    announced = next(index for index, line in enumerate(calls) if line.startswith("rename") and "record.json" in line)
    kills = [kill for kill in injections(calls, announced + 1, tracing.fork_at() - 1) if "stat" not in kill[1]]
    assert len(kills) > 5
    return kills


def test_the_id_of_a_killed_create_is_free_again(tracing: Tracing, command: Command, double: RemoteprocDouble) -> None:
    """The next create with the same id takes over what a dead one has left."""
    for kill in after_announcement(tracing)[::2]:
        assert tracing.create(*kill) == -9, kill
        assert tracing.create() == 0, kill
        assert command.status("motor") == "created"
        command.run("delete", "motor")
        assert double.leftovers() == [], kill


def test_sigterm_undoes_what_create_has_made(tracing: Tracing, double: RemoteprocDouble) -> None:
    for kill in after_announcement(tracing)[1::2]:
        asked = (*kill[:3], kill[3].replace("signal=KILL", "signal=TERM"))
        assert tracing.create(*asked) == 130, kill
        assert double.leftovers() == [], kill
