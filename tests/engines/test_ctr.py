"""containerd by its own client: with no setting at all, and by the name that users of the Go runtime have."""

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.faults import Faults
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.engines.containerd_client import IMAGE, ctr, put_image, remove, wait_until_stopped
from tests.engines.daemon import Daemon
from tests.linux import Linux

pytestmark = pytest.mark.engine("containerd")

PROOF_S = 30.0
LOG = "/tmp/motor.log"
WAYS = {
    "runc-binary": ("--runc-binary", "/usr/bin/hybrid-runtime"),
    "shim": ("--runtime", "io.containerd.remoteproc.v1"),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, containerd: Daemon) -> tuple[str, ...]:
    assert containerd.serves()
    return WAYS[request.param]


def run(shell: Shell, firmware: BuiltFirmware, way: tuple[str, ...]) -> None:
    put_image(shell, firmware)
    shell.run(["rm", "-f", LOG])
    named = ("--annotation", f"remoteproc.name={firmware.processor}")
    ctr(shell, "run", "--detach", "--log-uri", f"file://{LOG}", *way, *named, IMAGE, "motor")


def test_run_and_kill(
    shell: Shell, way: tuple[str, ...], firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    heartbeat = firmware("heartbeat")
    run(shell, heartbeat, way)
    witness.started(heartbeat, Deadline(PROOF_S))
    for _ in Deadline(PROOF_S).ticks(0.2):
        if heartbeat.nonce in shell.run(["cat", LOG]).stdout:
            break
    witness.logged(shell.run(["cat", LOG]).stdout.splitlines(), heartbeat)
    ctr(shell, "task", "kill", "motor")
    wait_until_stopped(shell)
    witness.silent(heartbeat)
    assert remove(shell) == 0
    linux.assert_untouched()


def test_crash(
    shell: Shell, way: tuple[str, ...], firmware: FirmwareMaker, witness: Witness, linux: Linux, faults: Faults
) -> None:
    heartbeat = firmware("heartbeat")
    run(shell, heartbeat, way)
    witness.started(heartbeat, Deadline(PROOF_S))
    faults.crash(heartbeat.processor)
    wait_until_stopped(shell)
    assert remove(shell) == 70
    linux.assert_untouched()


def test_death_of_containerd(
    shell: Shell, way: tuple[str, ...], containerd: Daemon, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    """The shim and the supervisor live on, and the next containerd finds them."""
    heartbeat = firmware("heartbeat")
    run(shell, heartbeat, way)
    witness.started(heartbeat, Deadline(PROOF_S))
    containerd.kill()
    witness.beating(heartbeat, Deadline(PROOF_S))
    containerd.ensure()
    assert "RUNNING" in ctr(shell, "task", "ls").stdout
    ctr(shell, "task", "kill", "--signal", "SIGKILL", "motor")
    wait_until_stopped(shell)
    witness.silent(heartbeat)
    assert remove(shell) == 137
    linux.assert_untouched()
