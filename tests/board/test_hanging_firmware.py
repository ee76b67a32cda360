"""A core that goes round in circles in the middle of its work: nobody but its silence tells. About 5 s."""

import struct
import subprocess

from hybrid_hil.board import Board
from hybrid_hil.device.firmware import firmware_file
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.linux import Alive, AllIsWell, Linux, WaitForStatus

# wfi, then a branch to it.
SLEEP_FOR_EVER = struct.pack("<2I", 0xE320F003, 0xEAFFFFFD)


def address_of(function: str, board: Board, core: int, name: str) -> int:
    symbols = subprocess.run(
        ["arm-none-eabi-nm", firmware_file(board.cores[core], name)], check=True, capture_output=True, text=True
    )
    return next(int(line.split()[0], 16) for line in symbols.stdout.splitlines() if line.split()[-1] == function)


def replaced(elf: bytes, address: int, code: bytes) -> bytes:
    """The same program with other instructions at that address: elf(5), Elf32_Phdr."""
    table, size, count = struct.unpack_from("<I", elf, 28)[0], *struct.unpack_from("<2H", elf, 42)
    for number in range(count):
        _, offset, virtual, _, in_file = struct.unpack_from("<5I", elf, table + number * size)
        if virtual <= address < virtual + in_file:
            place = offset + address - virtual
            return elf[:place] + code + elf[place + len(code) :]
    raise AssertionError(f"nothing is loaded at {address:#x}")


def test_it_is_running_until_somebody_stops_it(
    *,
    alive: Alive,
    board: Board,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    wait_for_status: WaitForStatus,
    all_is_well: AllIsWell,
) -> None:
    heartbeat = firmware("heartbeat")
    # It says its first line, and never comes back from waiting for its first beat.
    wait = address_of("delay_until_ms", board, heartbeat.core, heartbeat.name)
    elf = shell.get(heartbeat.path_on_board)
    shell.put(replaced(elf, wait, SLEEP_FOR_EVER), heartbeat.path_on_board)
    alive("hung", heartbeat)
    witness.silent(heartbeat)
    assert linux.attribute(heartbeat.processor, "state") == "running"
    assert runtime.state("hung")["status"] == "running"
    witness.logged(runtime.logs("hung"), heartbeat)
    runtime.kill("hung")
    state = wait_for_status("hung", "stopped")
    assert state["annotations"]["remoteproc.exit-code"] == "0"
    assert len(runtime.logs("hung")) == 1
    runtime.delete("hung")
    all_is_well()
