"""podman and Docker: the life of a container, from what a person types to what the core itself says."""

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.faults import Faults
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.engines.engine import Engine
from tests.linux import Linux

PROOF_S = 30.0
# SIGKILL, as shells and engines say it.
KILLED = 137
CRASHED = 70


def pid_of(engine: Engine, container: str) -> int:
    return int(engine.inspect(container)["State"]["Pid"])


def test_run_logs_inspect_stop_rm(engine: Engine, heartbeat: BuiltFirmware, witness: Witness, linux: Linux) -> None:
    witness.logged(engine.wait_for_log("motor", heartbeat.nonce), heartbeat)
    assert engine.state("motor") == ("running", 0)
    assert linux.attribute(heartbeat.processor, "state") == "running"
    engine.call("stop", "motor")
    witness.silent(heartbeat)
    assert engine.state("motor") == ("exited", 0)
    engine.call("rm", "motor")
    linux.assert_untouched()


@pytest.mark.parametrize(("signal", "code"), [("TERM", 0), ("KILL", KILLED)])
def test_kill(engine: Engine, heartbeat: BuiltFirmware, witness: Witness, linux: Linux, signal: str, code: int) -> None:
    engine.call("kill", "--signal", signal, "motor")
    engine.wait_for("motor", lambda found: found["State"]["Status"] == "exited")
    assert engine.state("motor") == ("exited", code)
    witness.silent(heartbeat)
    assert linux.attribute(heartbeat.processor, "state") == "offline"
    engine.call("rm", "motor")
    linux.assert_untouched()


def test_death_of_the_supervisor(
    engine: Engine, heartbeat: BuiltFirmware, witness: Witness, linux: Linux, shell: Shell
) -> None:
    shell.run(["kill", "-9", str(pid_of(engine, "motor"))])
    engine.wait_for("motor", lambda found: found["State"]["Status"] == "exited")
    assert engine.state("motor") == ("exited", KILLED)
    witness.silent(heartbeat)
    engine.call("rm", "motor")
    linux.assert_untouched()


def test_rm_force(engine: Engine, heartbeat: BuiltFirmware, witness: Witness, linux: Linux) -> None:
    engine.call("rm", "--force", "motor")
    witness.silent(heartbeat)
    assert engine.containers() == []
    linux.assert_untouched()


def test_remove_when_it_ends(engine: Engine, firmware: FirmwareMaker, witness: Witness, linux: Linux) -> None:
    heartbeat = firmware("heartbeat")
    engine.run("motor", engine.image_of(heartbeat), "--rm", processor=heartbeat.processor)
    witness.started(heartbeat, Deadline(PROOF_S))
    engine.call("stop", "motor")
    for _ in Deadline(PROOF_S).ticks(0.2):
        if not engine.containers():
            break
    assert engine.containers() == []
    linux.assert_untouched()


def test_restart(engine: Engine, firmware: FirmwareMaker, witness: Witness, linux: Linux) -> None:
    hello = firmware("hello")
    engine.run("motor", engine.image_of(hello), processor=hello.processor)
    first = witness.started(hello, Deadline(PROOF_S))
    engine.call("restart", "motor")
    starts = witness.started_again(hello, 2, Deadline(PROOF_S))
    assert starts[0] == first
    assert engine.state("motor")[0] == "running"
    engine.call("rm", "--force", "motor")
    linux.assert_untouched()


def test_crash(engine: Engine, heartbeat: BuiltFirmware, linux: Linux, faults: Faults) -> None:
    faults.crash(heartbeat.processor)
    engine.wait_for("motor", lambda found: found["State"]["Status"] == "exited")
    assert engine.state("motor") == ("exited", CRASHED)
    told = engine.call("logs", "motor").stderr
    assert "crash detected" in told
    engine.call("rm", "motor")
    linux.assert_untouched()
