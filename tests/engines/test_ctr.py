"""containerd by its own client: with no setting at all, and by the name that users of the Go runtime have."""

import re

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.faults import Faults
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Completed, Shell
from tests.engines.daemon import Daemon
from tests.engines.firmware_image import archive
from tests.linux import Linux

pytestmark = pytest.mark.engine("containerd")

CALL_S = 120.0
PROOF_S = 30.0
IMAGE = "localhost/motor:latest"
LOG = "/tmp/motor.log"
WAYS = {
    "runc-binary": ("--runc-binary", "/usr/bin/hybrid-runtime"),
    "shim": ("--runtime", "io.containerd.remoteproc.v1"),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, containerd: Daemon) -> tuple[str, ...]:
    assert containerd.serves()
    return WAYS[request.param]


def ctr(shell: Shell, *words: str, check: bool = True) -> Completed:
    return shell.run(["ctr", *words], check=check, deadline=Deadline(CALL_S))


def run(shell: Shell, firmware: BuiltFirmware, way: tuple[str, ...]) -> None:
    shell.put(archive(IMAGE, "/fw.elf", shell.get(firmware.path_on_board), ["/fw.elf"]), "/tmp/image.tar")
    ctr(shell, "images", "import", "/tmp/image.tar")
    shell.run(["rm", "-f", LOG, "/tmp/image.tar"])
    named = ("--annotation", f"remoteproc.name={firmware.processor}")
    ctr(shell, "run", "--detach", "--log-uri", f"file://{LOG}", *way, *named, IMAGE, "motor")


def wait_until_stopped(shell: Shell) -> None:
    for _ in Deadline(PROOF_S).ticks(0.2):
        if "STOPPED" in ctr(shell, "task", "ls").stdout:
            return
    raise AssertionError(ctr(shell, "task", "ls").stdout)


def remove(shell: Shell) -> int:
    """The exit code of the task, of which `ctr task rm` warns unless it is 0."""
    warned = re.search(r"non-zero exit code (\d+)", ctr(shell, "task", "rm", "motor").stderr)
    ctr(shell, "container", "rm", "motor")
    return int(warned[1]) if warned else 0


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
