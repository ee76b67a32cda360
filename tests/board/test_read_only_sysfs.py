"""sysfs that may be read and not written, as inside most containers. About 30 s."""

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.faults import Faults
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from tests.linux import Alive, AllIsWell, Linux, WaitForStatus
from tests.night import at_night

PROOF_S = 10.0


def attributes(linux: Linux, processor: str, name: str) -> str:
    return f"/sys/class/remoteproc/{linux.devices[processor]}/{name}"


@pytest.mark.parametrize("what", ["all", "state"])
def test_create_refuses_and_says_why(
    runtime: DeployedRuntime, firmware: FirmwareMaker, linux: Linux, faults: Faults, all_is_well: AllIsWell, what: str
) -> None:
    hello = firmware("hello")
    with faults.read_only("/sys" if what == "all" else attributes(linux, hello.processor, what)):
        refused = runtime.create("looked-at", hello, check=False)
        assert refused.exit_status == 1
        assert "cannot be controlled: sysfs is mounted read-only" in refused.stderr
        assert "mount -o remount,rw /sys" in refused.stderr
        found = runtime.run("doctor", check=False)
        assert (found.exit_status, "problem   sysfs is mounted read-only" in found.stdout) == (1, True)
        shown = {entry["name"]: (entry["state"], entry["controllable"]) for entry in runtime.processors()}
        assert shown[hello.processor] == ("offline", False)
        linux.assert_untouched()
    all_is_well()


@pytest.mark.parametrize("attribute", [*at_night("recovery", "firmware"), "state"])
def test_a_start_that_may_not_write(
    *,
    runtime: DeployedRuntime,
    firmware: FirmwareMaker,
    linux: Linux,
    faults: Faults,
    all_is_well: AllIsWell,
    attribute: str,
) -> None:
    """Each is the first to be refused; what was written before is taken back."""
    hello = firmware("hello")
    before = linux.attribute(hello.processor, "recovery")
    # So that there is something to write: a container has it disabled.
    linux.write(hello.processor, "recovery", "enabled")
    runtime.create("late", hello)
    with faults.read_only(attributes(linux, hello.processor, attribute)):
        refused = runtime.start("late", check=False)
        assert refused.exit_status == 1
        assert "read-only file system" in refused.stderr
        assert runtime.state("late")["status"] == "stopped"
        runtime.delete("late")
        linux.assert_untouched()
    assert linux.attribute(hello.processor, "recovery") == "enabled"
    linux.write(hello.processor, "recovery", before)
    all_is_well()


@pytest.mark.parametrize("way", ["kill TERM", "kill KILL"])
def test_a_core_is_stopped_all_the_same(
    *,
    alive: Alive,
    runtime: DeployedRuntime,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    faults: Faults,
    wait_for_status: WaitForStatus,
    all_is_well: AllIsWell,
    way: str,
) -> None:
    """The kernel does it as the supervisor lets go of the device; what cannot be given back is as soon as it can."""
    heartbeat = firmware("heartbeat")
    before = linux.attribute(heartbeat.processor, "recovery")
    alive("kept", heartbeat)
    with faults.read_only("/sys"):
        witness.beating(heartbeat, Deadline(PROOF_S))
        runtime.kill("kept", way.split()[1], check=False)
        wait_for_status("kept", "stopped", 20.0)
        witness.silent(heartbeat)
        assert linux.attribute(heartbeat.processor, "state") == "offline"
    runtime.delete("kept")
    assert linux.attribute(heartbeat.processor, "recovery") == before
    all_is_well()
