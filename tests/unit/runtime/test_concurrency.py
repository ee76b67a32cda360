"""Many commands at once: one wins, nobody is torn, nothing is left."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from hybrid_runtime.container import reclaim
from hybrid_runtime.container.container import Container
from hybrid_runtime.container.store import Store
from hybrid_runtime.system.system_paths import SystemPaths
from tests.invariants import broken_after_delete, broken_at_any_moment
from tests.unit.runtime.command_runner import PATIENCE_SECONDS, Command, Outcome, eventually
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

MANY = 50
ROUNDS = 15


def all_at_once(command: Command, calls: Sequence[tuple[str, ...]]) -> list[Outcome]:
    """Spawned back to back, then waited for."""
    spawned = [command.spawn(*call) for call in calls]
    for process, outcome in spawned:
        outcome.code = process.wait(MANY * PATIENCE_SECONDS)
        assert "Traceback" not in outcome.stderr, outcome
    return [outcome for _, outcome in spawned]


def check_gone(double: RemoteprocDouble) -> None:
    assert broken_after_delete(double.sighting(), "enabled") == []


class Watchers:
    """`state` and `list` in a loop, beside everything else. What they say is whole, or it is that nothing is there."""

    def __init__(self, command: Command, identifier: str) -> None:
        self.command = command
        self.identifier = identifier
        self.ending = threading.Event()
        self.seen: list[str] = []
        self.torn: list[str] = []
        self.threads = [threading.Thread(target=self._watch, args=[look]) for look in (self._state, self._list)]

    def _watch(self, look: Callable[[], None]) -> None:
        while not self.ending.is_set():
            look()

    def _call(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command.argv(*words), env={}, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
        )

    def _state(self) -> None:
        found = self._call("state", self.identifier)
        if found.returncode == 0 and is_whole(found.stdout):
            self.seen.append(json.loads(found.stdout)["status"])
        elif "container does not exist" in found.stderr and not found.stdout:
            self.seen.append("absent")
        else:
            self.torn.append(repr(found))

    def _list(self) -> None:
        found = self._call("list", "--format", "json")
        if found.returncode or not is_whole(found.stdout):
            self.torn.append(repr(found))
        else:
            self.torn += [repr(entry) for entry in json.loads(found.stdout) if entry["status"] == "unreadable"]


def is_whole(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@contextmanager
def watched(command: Command, identifier: str) -> Iterator[Watchers]:
    watchers = Watchers(command, identifier)
    for thread in watchers.threads:
        thread.start()
    try:
        yield watchers
    finally:
        watchers.ending.set()
        for thread in watchers.threads:
            thread.join()
    assert watchers.torn == []


def test_fifty_creates_of_one_id(command: Command, double: RemoteprocDouble, firmware: Path) -> None:
    for index in range(4):
        double.add(f"core{index}")
    calls = [("create", "--processor", f"core{index % 4}", str(firmware), "motor") for index in range(MANY)]
    outcomes = all_at_once(command, calls)
    assert sorted(outcome.code for outcome in outcomes) == [0] + [1] * (MANY - 1)
    assert command.status("motor") == "created"
    assert len(double.journals()) == len(double.installed()) == len(double.living()) == 1
    command.run("delete", "motor")
    check_gone(double)


def test_fifty_starts_on_one_core(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    """Fifty containers want the core: one gets it, and of fifty starts of that one, one is right."""
    outcomes = all_at_once(command, [("create", str(firmware), f"motor{index}") for index in range(MANY)])
    assert sorted(outcome.code for outcome in outcomes) == [0] + [1] * (MANY - 1)
    (winner,) = double.containers()
    outcomes = all_at_once(command, [("start", winner)] * MANY)
    assert sorted(outcome.code for outcome in outcomes) == [0] + [1] * (MANY - 1)
    assert (core.references, len(core.boots)) == (1, 1)
    assert command.status(winner) == "running"
    command.run("delete", "--force", winner)
    check_gone(double)


@pytest.mark.parametrize("options", [(), ("--force",)], ids=["delete", "delete --force"])
def test_create_against_delete_of_one_id(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, options: tuple[str, ...]
) -> None:
    """Whoever comes first: afterwards there is a whole container, or none."""
    outcomes: list[Outcome] = []
    for _ in range(ROUNDS):
        calls: list[tuple[str, ...]] = [("create", str(firmware), "motor"), ("delete", *options, "motor")]
        outcomes += all_at_once(command, calls * 2)
        eventually(lambda: not broken_at_any_moment(double.sighting()))
        state = command.run("state", "motor", code=None)
        if state.code == 0:
            assert json.loads(state.stdout)["status"] == "created"
            command.run("start", "motor")
        else:
            assert "does not exist" in state.stderr
        command.run("delete", "--force", "motor")
        eventually(lambda: not broken_after_delete(double.sighting(), "enabled"))
    assert {outcome.code for outcome in outcomes} <= {0, 1, -9}
    assert core.state == "offline"


def test_looking_while_everything_happens(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    with watched(command, "motor") as watchers:
        for index in range(ROUNDS):
            pid = command.create(firmware, "motor")
            command.run("start", "motor")
            command.run("kill", "motor", ("TERM", "KILL")[index % 2])
            command.exit_code(pid)
            command.run("delete", "motor")
    assert {"absent", "running"} <= set(watchers.seen) <= {"absent", "creating", "created", "running", "stopped"}
    assert len(core.boots) == ROUNDS
    check_gone(double)


def test_a_container_being_created_is_never_seen_stopped(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    """The process that a record in the making names ends with create, and the container lives on with another."""
    seen: list[str] = []
    for _ in range(ROUNDS):
        with watched(command, "motor") as watchers:
            command.create(firmware, "motor")
        seen += watchers.seen
        command.run("delete", "motor")
    assert {"absent"} < set(seen) <= {"absent", "creating", "created"}
    assert core.boots == []
    check_gone(double)


def test_kill_against_delete_and_create_of_the_same_id(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    """What a late kill writes down of the old container never becomes the new one's record."""
    for _ in range(ROUNDS):
        pid = command.create(firmware, "motor")
        command.run("start", "motor")
        killers = [command.spawn("kill", "motor", "KILL") for _ in range(3)]
        command.exit_code(pid)
        command.run("delete", "--force", "motor")
        created = command.run("create", firmware, "motor", code=None)
        for process, outcome in killers:
            outcome.code = process.wait(PATIENCE_SECONDS)
            assert outcome.code in (0, 1), outcome
        state = command.state("motor") if created.code == 0 else {"status": "absent", "annotations": {}}
        # A kill that came late may have met the new one, which then is dead and says so.
        if state["status"] == "created":
            assert "remoteproc.exit-code" not in state["annotations"]
            assert command.record("motor")["pid"] != pid
            command.run("start", "motor")
            assert core.references == 1
        command.run("delete", "--force", "motor")
        check_gone(double)


def test_a_late_kill_does_not_write_into_the_next_container(
    command: Command,
    core: ProcessorDouble,
    double: RemoteprocDouble,
    firmware: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same, step by step: the folder that kill holds has lost its name when it comes to write."""
    pid = command.create(firmware, "motor")

    def late(*_: object) -> None:
        command.run("delete", "--force", "motor")
        command.exit_code(pid, 0)
        command.create(firmware, "motor")

    monkeypatch.setattr(reclaim, "kill_process", late)
    container = Container(Store(SystemPaths(str(double.sysroot)), str(double.root)), "motor")
    container.kill()
    assert container.record.end is not None
    assert command.status("motor") == "created"
    assert "remoteproc.exit-code" not in command.state("motor")["annotations"]
    container.folder.remove()
    assert command.status("motor") == "created"
    command.run("start", "motor")
    assert core.state == "running"
    command.run("delete", "--force", "motor")
    check_gone(double)


def test_deletes_of_one_container(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    for _ in range(ROUNDS):
        command.create(firmware, "motor")
        command.run("start", "motor")
        outcomes = all_at_once(command, [("delete", "--force", "motor")] * 4)
        assert [outcome.code for outcome in outcomes] == [0] * 4, outcomes
        check_gone(double)
    assert len(core.boots) == ROUNDS
