"""Random lives of containers on two processors, against a model of what must come of them.

The real command in processes of its own; the kernel is the double. A few lives by default, many with --thorough.
"""

import json
import os
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.elf_builder import build_elf
from tests.invariants import broken_after_delete, broken_at_any_moment
from tests.unit.runtime.command_runner import Command, adopt_orphans, eventually
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

IDENTIFIERS = ("motor", "pump", "valve")
CORES = ("core0", "core1")
LIVES, STEPS = 8, 25
THOROUGH_LIVES, THOROUGH_STEPS = 250, 60
identifiers = st.sampled_from(IDENTIFIERS)
cores = st.sampled_from(CORES)


@dataclass
class Expected:
    """What the model knows of a container."""

    core: str
    pid: int
    status: str = "created"
    code: int | None = None
    recovers: bool = False


class Lives(RuleBasedStateMachine):
    """`deployed` and `recovery`, the setting of the cores before us, are set by the test; each life has a machine
    of its own."""

    deployed: Path
    recovery: str

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        place = Path(self.folder.name)
        self.firmware = place / "hello.elf"
        self.firmware.write_bytes(build_elf())
        self.theirs = "theirs.elf"
        self.double = RemoteprocDouble(place / "machine")
        self.cores: dict[str, ProcessorDouble] = {}
        self.containers: dict[str, Expected] = {}

    @initialize()
    def begin(self) -> None:
        adopt_orphans()
        self.cores = {name: self.double.add(name, recovery=self.recovery) for name in CORES}
        (self.double.firmware_folder / self.theirs).write_bytes(b"somebody else's")
        self.double.__enter__()
        self.command = Command(self.deployed, self.double, Path(self.folder.name))

    def teardown(self) -> None:
        try:
            if self.cores:
                for identifier in list(self.containers):
                    self.command.run("delete", "--force", identifier)
                self.reap()
                for core in self.cores.values():
                    self.stop_theirs(core)
                broken = broken_after_delete(self.double.sighting(), self.recovery, others=[self.theirs])
                assert broken == []
        finally:
            if self.cores:
                self.command.end_containers()
                self.double.__exit__(None, None, None)
            self.folder.cleanup()

    def stop_theirs(self, core: ProcessorDouble) -> None:
        while core.state != "offline":
            core.stop_from_outside()

    def reap(self) -> None:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return

    def holder(self, core: str) -> str | None:
        """Whose process lives on that core."""
        living = ("created", "running")
        found = [name for name, one in self.containers.items() if one.core == core and one.status in living]
        return found[0] if found else None

    def is_free(self, core: str) -> bool:
        """For a create: nobody lives on it, and nobody else's firmware is up on it."""
        up = self.cores[core].state != "offline"
        ours = self.cores[core].read("firmware") != self.theirs
        return self.holder(core) is None and (not up or ours)

    def has_left_something(self, identifier: str) -> bool:
        """Whether a journal speaks of the container."""
        journals = [path.read_bytes() for path in self.double.claims.glob("*.journal")]
        return any(json.loads(journal)["identifier"] == identifier for journal in journals)

    def ended(self, identifier: str, code: int) -> None:
        """Waits for the process and notes what has become of it."""
        one = self.containers[identifier]
        assert self.command.exit_code(one.pid) == code, identifier
        one.status, one.code = "stopped", code

    # What users ask for.

    @rule(identifier=identifiers, core=cores, recovers=st.booleans())
    def create(self, identifier: str, core: str, recovers: bool) -> None:
        words = ["--annotation", "remoteproc.recovery=kernel"] if recovers else []
        allowed = identifier not in self.containers and self.is_free(core)
        outcome = self.command.run("create", "--processor", core, *words, self.firmware, identifier, code=None)
        assert (outcome.code == 0) == allowed, outcome
        if allowed:
            pid = int(self.command.record(identifier)["pid"])
            self.containers[identifier] = Expected(core, pid, recovers=recovers)

    @rule(identifier=identifiers)
    def start(self, identifier: str) -> None:
        one = self.containers.get(identifier)
        allowed = one is not None and one.status == "created"
        outcome = self.command.run("start", identifier, code=None)
        assert (outcome.code == 0) == allowed, outcome
        if one is None or not allowed:
            return
        one.status = "running"

    @rule(identifier=identifiers, name=st.sampled_from(["TERM", "INT", "9", "KILL", "USR1"]))
    def kill(self, identifier: str, name: str) -> None:
        one = self.containers.get(identifier)
        left = self.has_left_something(identifier)
        outcome = self.command.run("kill", identifier, name, code=None)
        if one is not None and one.status == "stopped" and left:
            # A supervisor that was killed: the verb finishes its work.
            assert (outcome.code, self.has_left_something(identifier)) == (0, False), outcome
            return
        if one is None or one.status == "stopped":
            words = "container not running" if one else "container does not exist"
            assert (outcome.code, words in outcome.stderr) == (1, True), outcome
            return
        assert outcome.code == 0, outcome
        if name == "USR1":
            return
        self.ended(identifier, 137 if name in ("9", "KILL") else 0)
        assert self.cores[one.core].state == "offline"

    @rule(identifier=identifiers, force=st.booleans())
    def delete(self, identifier: str, force: bool) -> None:
        one = self.containers.get(identifier)
        outcome = self.command.run("delete", *(["--force"] if force else []), identifier, code=None)
        if one is None:
            assert outcome.code == (0 if force else 1), outcome
            return
        if one.status == "running" and not force:
            assert (outcome.code, "is running" in outcome.stderr) == (1, True), outcome
            return
        assert outcome.code == 0, outcome
        if one.status != "stopped":
            assert self.command.exit_code(one.pid, 0) == 137
        del self.containers[identifier]

    @rule(identifier=identifiers)
    def logs(self, identifier: str) -> None:
        one = self.containers.get(identifier)
        outcome = self.command.run("logs", identifier, code=None)
        assert outcome.code == (1 if one is None else 0), outcome

    # What happens to them.

    def running_on(self, core: str) -> str | None:
        holder = self.holder(core)
        return holder if holder and self.containers[holder].status == "running" else None

    @rule(core=cores)
    def print(self, core: str) -> None:
        holder = self.running_on(core)
        if holder is None:
            return
        line = f"beat {self.cores[core].written}"
        self.cores[core].print(f"{line}\n".encode())
        eventually(lambda: line in self.command.run("logs", holder).stdout)

    @rule(core=cores)
    def crash(self, core: str) -> None:
        holder = self.running_on(core)
        if holder is None:
            return
        self.cores[core].crash()
        if self.containers[holder].recovers:
            assert self.command.status(holder) == "running"
        else:
            self.ended(holder, 70)

    @rule(core=cores)
    def supervisor_killed(self, core: str) -> None:
        """The double has no /dev/remoteprocN: the core goes on until the next verb undoes it."""
        holder = self.holder(core)
        if holder is not None:
            os.kill(self.containers[holder].pid, signal.SIGKILL)
            self.ended(holder, 137)

    @rule(core=cores)
    def stopped_by_others(self, core: str) -> None:
        """All references, as somebody does who wants the core."""
        holder = self.running_on(core)
        if holder is None:
            return
        self.stop_theirs(self.cores[core])
        if self.containers[holder].recovers:
            # Looks like a recovery at work for a while.
            eventually(lambda: self.command.status(holder) == "stopped")
        self.ended(holder, 69)

    @rule(core=cores)
    def referenced_by_others(self, core: str) -> None:
        """A second "start" while it runs only counts."""
        if self.running_on(core) is not None:
            self.cores[core].start_from_outside()

    @rule(core=cores)
    def taken_by_others(self, core: str) -> None:
        """Started with a firmware of theirs while nobody holds it."""
        if self.holder(core) is None and self.cores[core].state == "offline":
            self.cores[core].write("firmware", self.theirs)
            self.cores[core].start_from_outside()

    @precondition(lambda self: any(core.read("firmware") == self.theirs for core in self.cores.values()))
    @rule(core=cores)
    def given_back_by_others(self, core: str) -> None:
        if self.cores[core].read("firmware") == self.theirs:
            self.stop_theirs(self.cores[core])

    # What holds after each of these.

    @invariant()
    def everything_is_as_expected(self) -> None:
        if not self.cores:
            return
        sighting = self.double.sighting()
        ours = [name for name in sighting.installed if name != self.theirs]
        assert broken_at_any_moment(type(sighting)(**{**vars(sighting), "installed": ours})) == []
        assert sighting.containers == sorted(self.containers)
        living = [name for name, one in self.containers.items() if one.status != "stopped"]
        assert sorted(line.split()[-1] for line in sighting.living) == sorted(living)
        for name, core in self.cores.items():
            holder = self.running_on(name)
            if holder is not None:
                assert core.state == "running"
                assert core.boots[-1] == self.command.record(holder)["firmware_name"]
            elif self.holder(name) is not None:
                assert core.state == "offline"

    @invariant()
    def states_are_reported(self) -> None:
        for identifier, one in self.containers.items():
            state = self.command.state(identifier)
            assert (state["status"], state["pid"]) == (one.status, 0 if one.status == "stopped" else one.pid)
            code = state["annotations"].get("remoteproc.exit-code")
            # A process killed behind our backs leaves no word of it.
            assert code in (str(one.code) if one.code is not None else None, None)


@pytest.mark.parametrize("recovery", ["enabled", "disabled"])
def test_random_lives(deployed: Path, thorough: bool, recovery: str) -> None:
    lives, steps = (THOROUGH_LIVES, THOROUGH_STEPS) if thorough else (LIVES, STEPS)
    run_state_machine_as_test(
        type("Lives", (Lives,), {"deployed": deployed, "recovery": recovery}),
        settings=settings(
            max_examples=lives,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
