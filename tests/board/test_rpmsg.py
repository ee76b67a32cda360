"""RPMsg between Linux and the cores: the channels by themselves, and in a container's logs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from linux import Linux

from hybrid_hil.board.qemu import QemuBoard
from hybrid_hil.deadline import Deadline
from hybrid_hil.firmware import BuiltFirmware
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.proof import Witness
from hybrid_hil.runtime import DeployedRuntime
from hybrid_hil.shell import Shell

PROOF_S = 10.0
ROUND_TRIPS = 300
CLIENT = "/tmp/rpmsg_client.py"


@pytest.fixture
def client(shell: Shell) -> Iterator[str]:
    shell.put(Path(__file__).parent / "rpmsg_client.py", CLIENT)
    yield CLIENT
    shell.run(["rm", CLIENT])


def start_echo(
    runtime: DeployedRuntime, witness: Witness, echo: BuiltFirmware, container: str, logs: str = "trace"
) -> None:
    runtime.create(container, echo, annotations={"remoteproc.logs": logs})
    runtime.start(container)
    witness.started(echo, Deadline(PROOF_S))


def test_echoes_of_both_cores_at_once_never_stall(
    board: QemuBoard,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    client: str,
) -> None:
    echoes = [firmware("echo", core=core) for core in range(len(board.processors))]
    devices: list[str] = []
    for echo in echoes:
        start_echo(runtime, witness, echo, echo.processor)
        devices += linux.rpmsg_devices(echo.processor)
    assert len(devices) == 2 * len(echoes)
    done = shell.run(["python3", client, str(ROUND_TRIPS), *devices], deadline=Deadline(300.0))
    count, shortest, median, late, longest = done.stdout.split()
    assert int(count) == ROUND_TRIPS * len(devices)
    print(f"{count} round trips: {shortest} to {longest} ms, median {median}, p95 {late}")
    for echo in echoes:
        # The core wrote each message down as well.
        lines = runtime.logs(echo.processor)
        for channel in ("rpmsg-tty", "rpmsg-raw"):
            assert sum(line.startswith(f"{echo.speaker} {channel} got ") for line in lines) == ROUND_TRIPS
        runtime.delete(echo.processor, force=True)
    assert linux.rpmsg_devices(echoes[0].processor) == []
    linux.assert_untouched()


def test_channels_vanish_at_the_stop_and_come_back(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux, client: str
) -> None:
    echo = firmware("echo")
    for _ in range(3):
        start_echo(runtime, witness, echo, "again")
        devices = linux.rpmsg_devices(echo.processor)
        done = shell.run(["python3", client, "5", *devices], deadline=Deadline(60.0))
        assert done.stdout.startswith("10 ")
        runtime.delete("again", force=True)
        assert linux.rpmsg_devices(echo.processor) == []
        assert shell.run(f"ls {' '.join(devices)} 2>/dev/null || true").stdout == ""
