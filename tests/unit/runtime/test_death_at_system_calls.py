"""Each verb, and the supervisor, is killed at one system call after the other, or one call fails: the next verb
cleans up, nothing is left, and a new life works.

By default at each call by which a death can differ from the one before; with --thorough at every one that comes after
the interpreter's start. What must hold is in tests/invariants.py.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.invariants import broken_after_delete, broken_at_any_moment
from tests.system_call_injection import ERRNOS, Call, evenly, from_first_touch, recorded, telling
from tests.unit.runtime.command_runner import PATIENCE_SECONDS, Command, Outcome, eventually
from tests.unit.runtime.remoteproc_double import ProcessorDouble

# Of the interpreter's start, which does nothing yet.
POINTS = 40
# Of a verb that does nothing at all.
LOOKS = 8
# A whole new life after every so many points; each point's own preparation is the beginning of one.
LIFE_EVERY = 8
CREATED, RUNNING, STOPPED, ABSENT = "created", "running", "stopped", "absent"
SCENES: dict[str, tuple[str, tuple[str, ...]]] = {
    "create": (ABSENT, ("create", "--pid-file", "{engine}/pid", "{firmware}", "motor")),
    "start": (CREATED, ("start", "motor")),
    "kill TERM": (RUNNING, ("kill", "motor", "TERM")),
    "kill KILL": (RUNNING, ("kill", "motor", "KILL")),
    "delete": (STOPPED, ("delete", "motor")),
    "delete created": (CREATED, ("delete", "motor")),
    "delete --force": (RUNNING, ("delete", "--force", "motor")),
}
DISK_POINTS = 20
DISK_SCENES = ("create", "kill KILL", "delete", "delete created", "delete --force")
LOOKING = (("logs", "motor"), ("state", "motor"))


class Stage:
    """One machine on which the scenes are played again and again, under strace."""

    def __init__(self, command: Command, core: ProcessorDouble, firmware: Path, folder: Path) -> None:
        self.command = command
        self.double = command.double
        self.core = core
        self.firmware = firmware
        self.engine = folder / "engine"
        self.engine.mkdir()
        self.trace = folder / "trace"

    def argv(self, scene: str) -> list[str]:
        return [word.format(engine=self.engine, firmware=self.firmware) for word in SCENES[scene][1]]

    def prepare(self, scene: str) -> None:
        wanted = SCENES[scene][0]
        if wanted == ABSENT:
            return
        pid = self.command.create(self.firmware, "motor")
        if wanted == CREATED:
            return
        self.command.run("start", "motor")
        self.core.print(b"alive\n")
        if wanted == STOPPED:
            self.command.run("kill", "motor")
            self.command.exit_code(pid)

    def traced(self, *options: str, argv: list[str]) -> Outcome:
        """Ends with the verb, which only `create` outlives: its supervisor is not followed."""
        process, outcome = self.command.spawn(*argv, prefix=("/usr/bin/strace", "-o", str(self.trace), *options))
        outcome.code = process.wait(PATIENCE_SECONDS)
        return outcome

    def play(self, scene: str, *options: str) -> Outcome:
        self.prepare(scene)
        return self.traced(*options, argv=self.argv(scene))

    def calls(self, scene: str) -> list[Call]:
        """A run without harm, after a life that has made the folders which stay."""
        self.live()
        outcome = self.play(scene)
        assert outcome.code == 0, outcome
        calls = recorded(self.trace.read_text())
        self.clean(f"{scene} unharmed")
        return calls

    def supervisor(self) -> int:
        return int(self.command.record("motor")["pid"])

    @contextmanager
    def attached(self, pid: int, *options: str) -> Iterator[None]:
        """strace on a process that is already there; with the end of the block it is let go."""
        argv = ["/usr/bin/strace", "-o", str(self.trace), *options, "-p", str(pid)]
        strace = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
        try:
            eventually(lambda: is_traced(pid) or strace.poll() is not None)
            yield
        finally:
            strace.terminate()
            strace.wait(PATIENCE_SECONDS)

    def live(self) -> None:
        """A whole life, as if nothing had ever happened."""
        pid = self.command.create(self.firmware, "fresh")
        self.command.run("start", "fresh")
        assert self.command.status("fresh") == "running"
        self.command.run("kill", "fresh")
        assert self.command.exit_code(pid) == 0
        self.command.run("delete", "fresh")
        assert self.double.leftovers() == []

    def clean(self, point: str, number: int = 0) -> None:
        """What is left is consistent, seen by `state`, and gone after the next verb."""
        # A supervisor whose create died undoes everything itself; whatever lives meanwhile has its journal.
        eventually(lambda: not broken_at_any_moment(self.double.sighting()))
        if number % LIFE_EVERY == 0:
            self.command.run("state", "motor", code=None)
        self.command.run("delete", "--force", "motor")
        (self.engine / "pid").unlink(missing_ok=True)

        def broken() -> list[str]:
            return broken_after_delete(self.double.sighting(self.engine), "enabled")

        eventually_nothing(broken, point)
        reap()

    def check(self, point: str, number: int) -> None:
        self.clean(point, number)
        if number % LIFE_EVERY == 0:
            self.live()


def eventually_nothing(broken: Callable[[], list[str]], point: str) -> None:
    try:
        eventually(lambda: not broken(), 5.0)
    except AssertionError:
        pytest.fail(f"after {point}: {broken()}")


def is_traced(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return "TracerPid:\t0\n" not in status


def reap() -> None:
    """Supervisors that have become our children; nothing else runs now."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


@pytest.fixture
def stage(command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path) -> Stage:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: deaths at system calls are NOT tried")
    stage = Stage(command, core, firmware, tmp_path)
    if stage.traced(argv=["--version"]).code:
        pytest.skip("strace may not trace here (ptrace): deaths at system calls are NOT tried")
    return stage


def choice(calls: list[Call], stage: Stage, *, thorough: bool) -> list[Call]:
    """From the first on that touches the machine; of those before, in which the interpreter starts, some at night."""
    touching = from_first_touch(calls, str(stage.double.sysroot))
    loading = calls[: len(calls) - len(touching)]
    return [*evenly(loading, POINTS), *touching] if thorough else telling(touching)


@pytest.mark.parametrize("scene", SCENES)
def test_killed(stage: Stage, scene: str, thorough: bool) -> None:
    calls = stage.calls(scene)
    chosen = choice(calls, stage, thorough=thorough)
    killed = 0
    for number, call in enumerate(chosen):
        outcome = stage.play(scene, *call.killing())
        assert outcome.code in (0, -signal.SIGKILL), f"{scene} killed at {call}: {outcome}"
        killed += outcome.code != 0
        stage.check(f"{scene} killed at {call}", number)
    print(f"{scene}: killed at {killed} of {len(chosen)} points, {len(calls)} calls in all")
    # How often a file is looked at may differ by a few from run to run.
    assert killed > len(chosen) * 0.9


@pytest.mark.parametrize("argv", LOOKING, ids=" ".join)
def test_looking_killed(stage: Stage, argv: tuple[str, ...], thorough: bool) -> None:
    """The container goes on as if nobody had looked."""
    stage.prepare("kill TERM")
    pid = stage.supervisor()
    assert stage.traced(argv=list(argv)).code == 0
    calls = recorded(stage.trace.read_text())
    chosen = choice(calls, stage, thorough=True) if thorough else evenly(calls, LOOKS)
    before = stage.double.sighting()
    for call in chosen:
        assert stage.traced(*call.killing(), argv=list(argv)).code in (0, -signal.SIGKILL)
        assert stage.double.sighting() == before, f"{argv} killed at {call}"
    state = stage.command.state("motor")
    assert (state["status"], state["pid"], stage.core.references) == ("running", pid, 1)
    stage.clean("looking")


@pytest.mark.parametrize("scene", DISK_SCENES)
def test_refused_by_the_disk(stage: Stage, scene: str, thorough: bool) -> None:
    calls = [call for call in stage.calls(scene) if call.changes_files]
    failures = [(call, errno) for call in calls for errno in ERRNOS]
    chosen = evenly(failures, None if thorough else DISK_POINTS)
    refused = 0
    for number, (call, errno) in enumerate(chosen):
        outcome = stage.play(scene, *call.failing(errno))
        assert outcome.code in (0, 1), f"{scene}, {errno} at {call}: {outcome}"
        refused += outcome.code
        check_words(outcome)
        if scene == "create" and outcome.code:
            assert stage.double.leftovers() == [], f"{scene}, {errno} at {call}: {outcome}"
        stage.check(f"{scene}, {errno} at {call}", number)
    print(f"{scene}: {refused} of {len(chosen)} errors refused, {len(failures)} in all")


def check_words(outcome: Outcome) -> None:
    """One line of error at most, and never a traceback."""
    lines = outcome.stderr.splitlines()
    assert all(line.startswith("hybrid-runtime: ") for line in lines), outcome
    assert len([line for line in lines if ": warning: " not in line]) <= 1, outcome


SUPERVISOR_SCENES = {"start": CREATED, "kill TERM": RUNNING}


def supervisor_calls(stage: Stage, scene: str) -> list[Call]:
    stage.prepare(scene)
    with stage.attached(stage.supervisor()):
        stage.command.run(*stage.argv(scene))
        if scene != "start":
            stage.command.exit_code(stage.supervisor())
    stage.clean(f"supervisor at {scene} unharmed")
    return recorded(stage.trace.read_text())


@pytest.mark.parametrize("scene", SUPERVISOR_SCENES)
def test_supervisor_killed(stage: Stage, scene: str, thorough: bool) -> None:
    """From the answer to a start and the way to an orderly end."""
    calls = supervisor_calls(stage, scene)
    chosen = calls if thorough else telling(calls)
    killed = 0
    for number, call in enumerate(chosen):
        stage.prepare(scene)
        pid = stage.supervisor()
        with stage.attached(pid, *call.killing()):
            outcome = stage.command.run(*stage.argv(scene), code=None)
            check_words(outcome)
            if scene == "start" and outcome.code:
                assert stage.command.exit_code(pid, 0) == 137, f"start answered {outcome} before the death at {call}"
                killed += 1
            elif scene != "start":
                killed += stage.command.exit_code(pid) == 137
        stage.check(f"supervisor killed at {call}", number)
    print(f"supervisor, {scene}: killed at {killed} of {len(chosen)} points")
    assert killed > len(chosen) * 0.5


@pytest.mark.parametrize("scene", SUPERVISOR_SCENES)
def test_supervisor_refused_by_the_disk(stage: Stage, scene: str, thorough: bool) -> None:
    calls = [call for call in supervisor_calls(stage, scene) if call.changes_files]
    failures = [(call, errno) for call in calls for errno in ERRNOS]
    for number, (call, errno) in enumerate(evenly(failures, None if thorough else DISK_POINTS)):
        point = f"supervisor, {errno} at {call}"
        stage.prepare(scene)
        pid = stage.supervisor()
        with stage.attached(pid, *call.failing(errno)):
            outcome = stage.command.run(*stage.argv(scene), code=None)
            check_words(outcome)
            if scene == "start" and outcome.code:
                assert stage.command.exit_code(pid, 0) == 72, point
                assert stage.core.state == "offline", point
            elif scene == "start":
                assert stage.command.status("motor") == "running", point
            else:
                assert stage.command.exit_code(pid) == 0, point
                assert stage.core.state == "offline", point
        stage.check(point, number)


def test_supervisor_killed_before_the_commit(stage: Stage) -> None:
    """Then nobody waits for create's commit: create undoes everything itself and says so, unless it is done already."""
    argv = stage.argv("create")
    process, _ = stage.command.spawn(*argv, prefix=("/usr/bin/strace", "-ff", "-o", str(stage.trace)))
    eventually(lambda: stage.command.run("state", "motor", code=None).code == 0)
    eventually(lambda: stage.command.status("motor") == CREATED)
    pid = stage.supervisor()
    # An orderly stop: the record is there before the commit, and a supervisor killed now might never read that.
    stage.command.run("kill", "motor")
    process.wait(PATIENCE_SECONDS)
    stage.clean("create under strace")
    traces = {path.suffix: recorded(path.read_text()) for path in stage.trace.parent.glob("trace.[0-9]*")}
    of_child = traces.pop(f".{pid}")
    (of_parent,) = traces.values()
    # strace counts in each process by itself: only what create itself never comes to hits its child alone.
    reached = {call.name: call.number for call in of_parent}
    ready = next(index for index, call in enumerate(of_child) if call.name == "write" and "ready" in call.arguments)
    waiting = next(index for index, call in enumerate(of_child) if call.name == "read" and "commit" in call.arguments)
    chosen = [call for call in of_child[:waiting] if call.number > reached.get(call.name, 0)]
    assert {"setsid", "dup2"} <= {call.name for call in chosen}
    for number, call in enumerate(chosen):
        outcome = stage.traced("-f", *call.killing(), argv=argv)
        if outcome.code == 0:
            # It had said that it is ready, and create had committed before it died: as any death after create.
            assert call in of_child[ready + 1 :], f"{call}: {outcome}"
            assert stage.command.status("motor") == "stopped"
        else:
            assert "the supervisor died" in outcome.stderr, f"{call}: {outcome}"
            assert stage.double.leftovers() == [], f"supervisor killed at {call}"
            assert list(stage.engine.iterdir()) == [], f"supervisor killed at {call}"
        stage.check(f"supervisor killed at {call}", number)
