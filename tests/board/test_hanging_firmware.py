"""A core that goes round in circles in the middle of its work: nobody but its silence tells. About 5 s."""

import subprocess

from hybrid_hil.board import Board
from hybrid_hil.deadline import Deadline
from hybrid_hil.firmware import firmware_file
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.proof import Witness
from hybrid_hil.runtime import DeployedRuntime
from hybrid_hil.shell import Shell
from linux import AllIsWell, Linux, WaitForStatus

PROOF_S = 10.0
# wfi, then a branch to it.
SLEEP_FOR_EVER = (0xE320F003, 0xEAFFFFFD)


def address_of(function: str, board: Board, core: int, name: str) -> int:
    """Where the core runs it: its memory is at the same addresses for Linux."""
    symbols = subprocess.run(
        ["arm-none-eabi-nm", firmware_file(board.cores[core], name)], check=True, capture_output=True, text=True
    )
    return next(int(line.split()[0], 16) for line in symbols.stdout.splitlines() if line.split()[-1] == function)


def test_it_is_running_until_somebody_stops_it(
    *,
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
    runtime.create("hung", heartbeat)
    runtime.start("hung")
    witness.started(heartbeat, Deadline(PROOF_S))
    witness.beating(heartbeat, Deadline(PROOF_S))
    # Into the code of the core that runs it, as a stray pointer would.
    at = address_of("uart1_line", board, heartbeat.core, heartbeat.name)
    for number, word in reversed(list(enumerate(SLEEP_FOR_EVER))):
        shell.run(f"devmem {at + 4 * number:#x} 32 {word:#x}")
    witness.silent(heartbeat)
    assert linux.attribute(heartbeat.processor, "state") == "running"
    assert runtime.state("hung")["status"] == "running"
    said = runtime.logs("hung")
    runtime.kill("hung")
    state = wait_for_status("hung", "stopped")
    assert state["annotations"]["remoteproc.exit-code"] == "0"
    assert runtime.logs("hung")[: len(said)] == said
    runtime.delete("hung")
    # The next one is loaded afresh, over the words written here.
    all_is_well()
