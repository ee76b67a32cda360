"""A core that runs before Linux does, as boot loaders leave them: Linux shows it, and nobody takes it away."""

from collections.abc import Iterator

import pytest

from hybrid_hil.board import ShellAccess
from hybrid_hil.board.layout import IMX8MN, STM32MP1
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
MONITOR = "monitor-core0-runs.elf"
TRACE = "/sys/kernel/debug/remoteproc/remoteproc0/trace0"
STATE = "/sys/class/remoteproc/remoteproc0/state"


def _deploy(board: ShellAccess, deadline: Deadline) -> None:
    deploy(board.shell, runtime_payload(checkout_root() / "runtime"), deadline)


@pytest.fixture(scope="module")
def early(image: Image) -> Iterator[QemuBoard]:
    options = QemuOptions(monitor=image.platform / MONITOR)
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


def _beats(board: QemuBoard) -> None:
    """From now on."""
    board.core_console.expect(r"beat=\d+", Deadline(PROOF_S), board.core_console.mark())


@pytest.fixture
def taken_over(image: Image, request: pytest.FixtureRequest) -> Iterator[QemuBoard]:
    """Of the layout that the test names. A boot loader has started the firmware `heartbeat`, whose beats are there."""
    options = QemuOptions(layout=request.param, monitor=image.platform / MONITOR, early="heartbeat")
    with QemuBoard(image, options, owner="pytest", provision=_deploy) as board:
        board.power_on(Deadline(BOOT_S))
        _beats(board)
        yield board


def _state(board: QemuBoard) -> str:
    return board.shell.run(["cat", STATE]).stdout.strip()


def _is_refused(board: QemuBoard, reason: str) -> None:
    refused = DeployedRuntime(board.shell).create("takeover", firmware(board, 0), check=False)
    assert f"was started before Linux and {reason}" in refused.stderr


def _is_silent(board: QemuBoard) -> None:
    Witness(board.core_console).silent(firmware(board, 0))


def _takes_containers(board: QemuBoard) -> None:
    runtime, built = DeployedRuntime(board.shell), firmware(board, 0)
    runtime.create("successor", built)
    runtime.start("successor")
    Witness(board.core_console).started(built, Deadline(PROOF_S))
    runtime.delete("successor", force=True)
    assert _state(board) == "offline"


@pytest.mark.parametrize("taken_over", [STM32MP1], indirect=True, ids=["stm32mp1"])
def test_a_boot_loader_s_firmware_is_joined_and_left_and_stopped(taken_over: QemuBoard) -> None:
    """With a resource table that the boot loader has noted, Linux finds the trace buffer."""
    shell = taken_over.shell
    assert _state(taken_over) == "detached"
    _is_refused(taken_over, "runs on its own")
    shell.run(f"echo start > {STATE}")
    assert _state(taken_over) == "attached"
    assert "beat=" in shell.run(["cat", TRACE]).stdout
    _is_refused(taken_over, "is attached to it")
    shell.run(f"echo detach > {STATE}")
    assert _state(taken_over) == "detached"
    _beats(taken_over)
    shell.run(f"echo start > {STATE}; echo stop > {STATE}")
    _is_silent(taken_over)
    _takes_containers(taken_over)


@pytest.mark.parametrize("taken_over", [IMX8MN], indirect=True, ids=["imx8mn"])
def test_a_driver_that_joins_a_boot_loader_s_firmware_by_itself(taken_over: QemuBoard) -> None:
    assert _state(taken_over) == "attached"
    _is_refused(taken_over, "is attached to it")
    _beats(taken_over)
    taken_over.shell.run(f"echo stop > {STATE}")
    _is_silent(taken_over)
    _takes_containers(taken_over)
