"""The power goes in the middle of something: what the disk keeps is found and put right after the next boot.

About 10 s for each cut: at one system call of create, at night also of start and delete, at twelve of each with
--thorough.
"""

from collections.abc import Iterator

import pytest

from hybrid_hil.board.layout import TWO_CORES
from hybrid_hil.board.options import QemuOptions
from hybrid_hil.board.qemu import QemuBoard
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.faults import Faults
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.rig import Rig
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.image import Image
from tests.board.held_verb import hold, recorded_calls
from tests.night import at_night
from tests.system_call_injection import Call, evenly

PROOF_S = 10.0
HELD_S = 60.0
MANY = 12
# How many calls of each verb are tried by default.
POINTS = 1


@pytest.fixture(scope="module")
def rig(image: Image) -> Iterator[Rig]:
    """A board whose disk keeps what was written."""
    with Rig(QemuBoard(image, QemuOptions(layout=TWO_CORES, keeps_disk=True), owner="tests")) as rig:
        rig.boot()
        yield rig


@pytest.fixture
def faults(rig: Rig) -> Faults:
    return Faults(rig)


def installed(rig: Rig) -> list[str]:
    return rig.board.shell.run(["ls", "-A", "/lib/firmware"]).stdout.split()


def prove_that_all_is_well(rig: Rig) -> None:
    """No core runs and no container is there, whatever lies on the disk; the next life leaves nothing on it."""
    runtime = DeployedRuntime(rig.board.shell)
    assert {entry["state"] for entry in runtime.processors()} == {"offline"}
    assert runtime.run("list", "-q").stdout == ""
    assert rig.board.shell.run("ls -A /run/hybrid-runtime /run/hybrid-runtime-claims 2>/dev/null || true").stdout == ""
    heartbeat = rig.firmware("heartbeat")
    runtime.create("after", heartbeat)
    assert len(installed(rig)) == 1
    runtime.start("after")
    Witness(rig.board.core_console).started(heartbeat, Deadline(PROOF_S))
    runtime.delete("after", force=True)
    assert installed(rig) == []


def test_while_a_core_runs(rig: Rig, faults: Faults) -> None:
    runtime = DeployedRuntime(rig.board.shell)
    heartbeat = rig.firmware("heartbeat")
    runtime.create("cut", heartbeat)
    runtime.start("cut")
    Witness(rig.board.core_console).started(heartbeat, Deadline(PROOF_S))
    assert len(installed(rig)) == 1
    # What a real disk would have got by itself within its commit interval.
    rig.board.shell.run("sync")
    faults.cut_power()
    assert len(installed(rig)) == 1
    prove_that_all_is_well(rig)


class Scene:
    """A verb about to be called; `start` is carried out by the supervisor, whose calls count there."""

    def __init__(self, rig: Rig, verb: str) -> None:
        self.rig = rig
        self.verb = verb
        self.runtime = DeployedRuntime(rig.board.shell)

    def prepare(self) -> tuple[str, int | None]:
        """The words of the verb, and whose calls they are."""
        heartbeat: BuiltFirmware = self.rig.firmware("heartbeat")
        if self.verb == "create":
            return f"create --processor {heartbeat.processor} {heartbeat.path_on_board} cut", None
        self.runtime.create("cut", heartbeat)
        if self.verb == "start":
            return "start cut", self.runtime.state("cut")["pid"]
        self.runtime.start("cut")
        return f"{self.verb} cut", None

    def changing_calls(self) -> list[Call]:
        words, pid = self.prepare()
        calls = recorded_calls(self.rig.board.shell, words, of_pid=pid)
        self.runtime.run("delete", "--force", "cut", check=False)
        return [call for call in calls if call.changes_files or "/sys/" in call.path]


@pytest.mark.parametrize("verb", ["create", *at_night("start", "delete --force")])
def test_at_a_system_call(rig: Rig, faults: Faults, thorough: bool, verb: str) -> None:
    """The verb stands at the call when the power goes: what came before is done, as far as it was made durable."""
    calls = Scene(rig, verb).changing_calls()
    assert len(calls) > 3
    for call in chosen(calls, MANY if thorough else POINTS):
        words, pid = Scene(rig, verb).prepare()
        # All but what the verb does.
        rig.board.shell.run("sync")
        hold(rig.board.shell, words, call, HELD_S, of_pid=pid)
        faults.cut_power()
        print(f"{verb}: {call}, on the disk afterwards: {installed(rig)}")
        prove_that_all_is_well(rig)


def chosen(calls: list[Call], count: int) -> list[Call]:
    """Evenly, the ends left out where there are few: the middle is where most is half done."""
    return evenly(calls, count + 2)[1:-1] if count < MANY else evenly(calls, count)
