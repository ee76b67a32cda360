"""The power goes in the middle of something: what the disk keeps is found and put right after the next boot."""

from collections.abc import Iterator

import pytest

from hybrid_hil.board.layout import TWO_CORES
from hybrid_hil.board.qemu import QemuBoard, QemuOptions
from hybrid_hil.deadline import Deadline
from hybrid_hil.firmware import BuiltFirmware
from hybrid_hil.image import Image
from hybrid_hil.proof import Witness
from hybrid_hil.rig import Rig
from hybrid_hil.runtime import DeployedRuntime

PROOF_S = 10.0
# Into a create that goes on for ever, so that each cut meets another moment of it.
MOMENTS_S = (0.3, 0.75, 1.1)


@pytest.fixture
def rig(image: Image) -> Iterator[Rig]:
    """A board whose disk keeps what was written."""
    with Rig(QemuBoard(image, QemuOptions(layout=TWO_CORES, keeps_disk=True), owner="tests")) as rig:
        rig.boot()
        yield rig


def installed(rig: Rig) -> list[str]:
    return rig.board.shell.run(["ls", "-A", "/lib/firmware"]).stdout.split()


def cut_power(rig: Rig) -> DeployedRuntime:
    """Also of the cores; the runtime of the board that comes up again."""
    # What a real disk would have got by itself within its commit interval.
    rig.board.shell.run("sync")
    rig.board.power_off()
    rig.boot()
    return DeployedRuntime(rig.board.shell)


def prove_that_all_is_well(rig: Rig, runtime: DeployedRuntime, heartbeat: BuiltFirmware) -> None:
    witness = Witness(rig.board.core_console)
    runtime.create("after", heartbeat)
    assert len(installed(rig)) == 1
    runtime.start("after")
    witness.started(heartbeat, Deadline(PROOF_S))
    runtime.delete("after", force=True)
    assert installed(rig) == []


def test_while_a_core_runs(rig: Rig) -> None:
    runtime = DeployedRuntime(rig.board.shell)
    heartbeat = rig.firmware("heartbeat")
    runtime.create("cut", heartbeat)
    runtime.start("cut")
    Witness(rig.board.core_console).started(heartbeat, Deadline(PROOF_S))
    assert len(installed(rig)) == 1
    runtime = cut_power(rig)
    assert len(installed(rig)) == 1
    assert {entry["state"] for entry in runtime.processors()} == {"offline"}
    assert rig.board.shell.run("ls -A /run/hybrid-runtime 2>/dev/null || true").stdout == ""
    prove_that_all_is_well(rig, runtime, rig.firmware("heartbeat"))


def test_in_the_middle_of_create(rig: Rig) -> None:
    for moment in MOMENTS_S:
        hello = rig.firmware("hello")
        loop = f"create --processor {hello.processor} {hello.path_on_board} cut; {DeployedRuntime.command} delete cut"
        rig.board.shell.run(f"while {DeployedRuntime.command} {loop}; do :; done >/dev/null 2>&1 &")
        rig.board.shell.run(["sleep", str(moment)])
        runtime = cut_power(rig)
        prove_that_all_is_well(rig, runtime, rig.firmware("heartbeat"))
