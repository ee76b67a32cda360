"""The motor's firmware on a core."""

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker


def test_the_motor_gets_ready(runtime: DeployedRuntime, firmware: FirmwareMaker, witness: Witness) -> None:
    motor = firmware("motor")
    runtime.create("motor", motor)
    runtime.start("motor")
    witness.started(motor, Deadline(10))
    logs = runtime.logs("motor")
    witness.logged(logs, motor)
    assert "core0 motor: ready" in logs
    runtime.delete("motor", force=True)
