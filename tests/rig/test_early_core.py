"""A core that runs before Linux does, as boot loaders leave them: Linux shows it, and nobody takes it away."""

from collections.abc import Iterator

import pytest

from hybrid_hil.board import ShellAccess
from hybrid_hil.board.options import QemuOptions
from hybrid_hil.board.qemu import BOOT_S, QemuBoard
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.deployment import deploy, runtime_payload
from hybrid_hil.device.firmware import BuiltFirmware, upload_firmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image import Image

PROOF_S = 10.0
STATE = "/sys/class/remoteproc/remoteproc0/state"


def _deploy(board: ShellAccess, deadline: Deadline) -> None:
    deploy(board.shell, runtime_payload(checkout_root() / "runtime"), deadline)


@pytest.fixture(scope="module")
def early(image: Image) -> Iterator[QemuBoard]:
    options = QemuOptions(monitor=image.platform / "monitor-core0-runs.elf")
    with QemuBoard(image, options, owner="pytest", provision=_deploy) as board:
        board.power_on(Deadline(BOOT_S))
        yield board


def firmware(board: QemuBoard, core: int) -> BuiltFirmware:
    return upload_firmware(board.shell, board.cores[core], "heartbeat", core=core, deadline=Deadline(PROOF_S))


def test_a_detached_core_is_shown_and_refused(early: QemuBoard) -> None:
    runtime = DeployedRuntime(early.shell)
    processors = {entry["name"]: entry for entry in runtime.processors()}
    assert [processors[name]["state"] for name in [core.name for core in early.cores]] == ["detached", "offline"]
    refused = runtime.create("takeover", firmware(early, 0), check=False)
    assert refused.exit_status == 1
    assert "processor `10000.r5f` (remoteproc0) was started before Linux and runs on its own" in refused.stderr
    assert "its firmware belongs to the boot loader: change it there" in refused.stderr
    assert early.shell.run(["cat", STATE]).stdout == "detached\n"
    assert runtime.run("state", "takeover", check=False).exit_status == 1


def test_the_other_core_takes_containers_as_ever(early: QemuBoard) -> None:
    runtime, heartbeat = DeployedRuntime(early.shell), firmware(early, 1)
    witness = Witness(early.core_console)
    runtime.create("neighbour", heartbeat)
    runtime.start("neighbour")
    witness.started(heartbeat, Deadline(PROOF_S))
    witness.beating(heartbeat, Deadline(PROOF_S))
    runtime.delete("neighbour", force=True)
    assert early.shell.run(["cat", STATE]).stdout == "detached\n"


def test_an_attached_core_is_shown_and_refused(early: QemuBoard) -> None:
    """Follows the test of the detached one: "start" of such a core loads nothing, Linux only joins it."""
    runtime = DeployedRuntime(early.shell)
    early.shell.run(f"echo start > {STATE}")
    entry = next(entry for entry in runtime.processors() if entry["name"] == "10000.r5f")
    assert (entry["state"], entry["firmware"], entry["container"]) == ("attached", "unknown", None)
    refused = runtime.create("takeover", firmware(early, 0), check=False)
    assert refused.exit_status == 1
    assert "was started before Linux and is attached to it" in refused.stderr
    assert "stop it if nothing needs it: echo stop > /sys/class/remoteproc/remoteproc0/state" in refused.stderr
    assert early.shell.run(["cat", STATE]).stdout == "attached\n"
