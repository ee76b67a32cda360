"""podman and Docker: what a person sees when firmware cannot run, and what else engines ask of a container."""

import pytest

from hybrid_hil.console import Console
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.faults import Faults
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.plugin import FirmwareMaker
from tests.engines.engine import FIRMWARE, Engine
from tests.linux import Linux

PROOF_S = 30.0
# An engine waits before it restarts what has crashed.
RESTART_S = 60.0


@pytest.mark.processors(2)
def test_two_containers_on_two_cores(engine: Engine, firmware: FirmwareMaker, witness: Witness, linux: Linux) -> None:
    both = [firmware("heartbeat", core=core) for core in (0, 1)]
    for number, heartbeat in enumerate(both):
        engine.run(f"motor{number}", engine.image_of(heartbeat), processor=heartbeat.processor)
    for heartbeat in both:
        witness.started(heartbeat, Deadline(PROOF_S), since=0)
        witness.beating(heartbeat, Deadline(PROOF_S))
    engine.call("stop", "motor0")
    witness.silent(both[0])
    witness.beating(both[1], Deadline(PROOF_S))
    engine.call("rm", "--force", "motor0", "motor1")
    linux.assert_untouched()


def test_a_second_container_on_a_busy_core(
    engine: Engine, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    heartbeat = firmware("heartbeat")
    image = engine.image_of(heartbeat)
    engine.run("motor", image, processor=heartbeat.processor)
    witness.started(heartbeat, Deadline(PROOF_S))
    refused = engine.run("second", image, processor=heartbeat.processor, check=False)
    assert refused.exit_status != 0
    assert f"processor `{heartbeat.processor}`" in refused.stderr
    assert "is held by container" in refused.stderr
    witness.beating(heartbeat, Deadline(PROOF_S))
    engine.call("rm", "--force", "motor")
    engine.call("rm", "--force", "second", check=False)
    linux.assert_untouched()


def test_a_file_that_is_no_firmware(engine: Engine, linux: Linux) -> None:
    image = engine.image(FIRMWARE, b"#!/bin/sh\nexec sleep 1000\n", [FIRMWARE])
    refused = engine.run("motor", image, processor=sorted(linux.devices)[0], check=False)
    assert refused.exit_status in (125, 126)
    assert "the firmware is not an ELF" in refused.stderr
    engine.remove_everything()
    linux.assert_untouched()


def test_a_processor_that_is_not_there(engine: Engine, firmware: FirmwareMaker, linux: Linux) -> None:
    refused = engine.run("motor", engine.image_of(firmware("hello")), processor="none.such", check=False)
    assert refused.exit_status in (125, 126)
    assert "none.such" in refused.stderr
    assert all(name in refused.stderr for name in linux.devices)
    engine.remove_everything()
    linux.assert_untouched()


def test_init_is_no_firmware(engine: Engine, firmware: FirmwareMaker, linux: Linux) -> None:
    if engine.name == "docker" and engine.shell.run("command -v docker-init", check=False).exit_status != 0:
        pytest.skip("this image has no docker-init, without which Docker itself refuses --init")
    hello = firmware("hello")
    refused = engine.run("motor", engine.image_of(hello), "--init", processor=hello.processor, check=False)
    assert refused.exit_status != 0
    assert "--init" in refused.stderr
    engine.remove_everything()
    linux.assert_untouched()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("exec", "motor", "true"), "a core runs one firmware"),
        (("pause", "motor"), "remoteproc cannot halt a core"),
    ],
    ids=["exec", "pause"],
)
def test_what_a_core_cannot(
    engine: Engine, heartbeat: BuiltFirmware, witness: Witness, words: tuple[str, ...], says: str
) -> None:
    refused = engine.call(*words, check=False)
    assert refused.exit_status != 0
    # docker exec tells it on standard output.
    assert says in refused.stdout + refused.stderr
    witness.beating(heartbeat, Deadline(PROOF_S))
    assert engine.state("motor") == ("running", 0)


def test_top_stats_and_update(engine: Engine, heartbeat: BuiltFirmware, witness: Witness) -> None:
    top = engine.call("top", "motor", check=False)
    if engine.name == "podman":
        # It looks in the container's root, where no process of the machine is to be seen.
        assert top.exit_status == 125
        assert "open /proc/: no such file or directory" in top.stderr
    else:
        assert "hybrid-runtime" in top.stdout
    assert "motor" in engine.call("stats", "--no-stream", "motor").stdout
    engine.call("update", "--memory", "64m", "motor")
    witness.beating(heartbeat, Deadline(PROOF_S))


def test_restart_policy_after_crashes(
    engine: Engine,
    firmware: FirmwareMaker,
    core_console: Console,
    witness: Witness,
    linux: Linux,
    faults: Faults,
) -> None:
    """Each start is looked for by itself: Linux before 6.12.110 brings a crashed core back before it stops it."""
    heartbeat, since = firmware("heartbeat"), core_console.mark()
    engine.run("motor", engine.image_of(heartbeat), "--restart", "on-failure:2", processor=heartbeat.processor)
    for restarts in range(3):
        # Docker counts a restart before it makes it.
        engine.wait_for("motor", lambda found: found["RestartCount"] == restarts, RESTART_S)  # noqa: B023
        witness.started(heartbeat, Deadline(RESTART_S), since)
        engine.wait_for("motor", lambda found: found["State"]["Status"] == "running")
        since = core_console.mark()
        faults.crash(heartbeat.processor)
    engine.wait_for("motor", lambda found: found["State"]["Status"] == "exited")
    assert engine.state("motor") == ("exited", 70)
    assert engine.inspect("motor")["RestartCount"] == 2
    engine.call("rm", "motor")
    linux.assert_untouched()
