"""A fault of the firmware that the hardware reports: crashes that nobody injects."""

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from tests.linux import AllIsWell, Linux, WaitForStatus

pytestmark = pytest.mark.needs("watchdog")

PROOF_S = 10.0
CRASH_S = 20.0
CRASHES = 3


def test_a_fault_ends_the_container(
    *,
    runtime: DeployedRuntime,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    wait_for_status: WaitForStatus,
    all_is_well: AllIsWell,
) -> None:
    fault = firmware("fault")
    runtime.create("fault", fault)
    runtime.start("fault")
    witness.started(fault, Deadline(PROOF_S))
    annotations = wait_for_status("fault", "stopped")["annotations"]
    assert (annotations["remoteproc.exit-code"], annotations["remoteproc.crash-type"]) == ("70", "watchdog")
    assert annotations["remoteproc.crashes"] == "1"
    assert linux.attribute(fault.processor, "state") == "offline"
    logs = runtime.run("logs", "fault")
    assert f"{fault.speaker} data abort at 0x90000000" in logs.stdout
    assert "crash detected in m4: type watchdog" in logs.stderr
    runtime.delete("fault")
    all_is_well()


def test_the_kernel_restarts_a_core_that_faults_again_and_again(
    *, runtime: DeployedRuntime, firmware: FirmwareMaker, linux: Linux, all_is_well: AllIsWell
) -> None:
    """One container, and the kernel's line of each crash. It restarts the core within milliseconds and clears the
    trace, so a busy host may look too late for what a boot printed."""
    fault = firmware("fault")
    runtime.create("fault", fault, annotations={"remoteproc.recovery": "kernel"})
    runtime.start("fault")
    deadline = Deadline(CRASH_S)
    while int(runtime.state("fault")["annotations"].get("remoteproc.crashes", "0")) < CRASHES:
        assert not deadline.expired, "the kernel does not restart the core"
    runtime.kill("fault")
    assert linux.attribute(fault.processor, "state") == "offline"
    logs = runtime.run("logs", "fault")
    assert "data abort at 0x90000000" in logs.stdout
    assert logs.stderr.count("crash detected in m4: type watchdog") >= CRASHES
    runtime.delete("fault")
    all_is_well()
