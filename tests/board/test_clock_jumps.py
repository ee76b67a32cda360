"""The wall clock is set while a container lives: deadlines, logs, status and the end take no notice. About 25 s."""

import re
from datetime import datetime, timedelta

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.faults import Faults
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.linux import Alive, AllIsWell, Linux, WaitForLog, WaitForStatus

PROOF_S = 10.0
HALF_A_YEAR_S = 183 * 24 * 3600
BOTH_WAYS = pytest.mark.parametrize("seconds", [HALF_A_YEAR_S, -HALF_A_YEAR_S], ids=["forwards", "backwards"])
DUMPS = "/var/lib/hybrid-runtime/coredumps"
FOLLOWED = "/tmp/followed"


def stamps(lines: list[str]) -> list[datetime]:
    """Of `logs --timestamps`, cut to what datetime holds."""
    return [datetime.fromisoformat(line.split()[0][:26] + "+00:00") for line in lines]


@BOTH_WAYS
def test_a_life_over_two_jumps(
    *,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    witness: Witness,
    faults: Faults,
    wait_for_log: WaitForLog,
    wait_for_status: WaitForStatus,
    all_is_well: AllIsWell,
    seconds: int,
) -> None:
    """Created before the first, started in between, stopped after the second; somebody follows its logs meanwhile."""
    heartbeat = firmware("heartbeat")
    runtime.create("time", heartbeat)
    shell.run(f"{runtime.command} logs -f time </dev/null >{FOLLOWED} 2>/dev/null &")
    with faults.jump_clock(seconds):
        runtime.start("time", deadline=Deadline(PROOF_S))
        witness.started(heartbeat, Deadline(PROOF_S))
        witness.beating(heartbeat, Deadline(PROOF_S))
        assert runtime.state("time")["status"] == "running"
    witness.beating(heartbeat, Deadline(PROOF_S), count=5)
    wait_for_log("time", " beat=8")
    assert runtime.run("list", "-q").stdout == "time\n"
    runtime.kill("time")
    state = wait_for_status("time", "stopped")
    assert state["annotations"]["remoteproc.exit-code"] == "0"
    witness.silent(heartbeat)
    stamped = runtime.run("logs", "-t", "time").stdout.splitlines()
    numbers = [int(found) for found in re.findall(r"beat=(\d+)", "\n".join(stamped))]
    assert numbers == list(range(1, len(numbers) + 1))
    jumped = stamps(stamped)[-1] - stamps(stamped)[0]
    assert abs(jumped + timedelta(seconds=seconds)) < timedelta(minutes=5)
    followed = shell.run(
        f"n=0; while pidof python3 >/dev/null; do n=$((n + 1)); [ $n -lt 100 ] || exit 3; usleep 50000; done; "
        f"cat {FOLLOWED}; rm {FOLLOWED}"
    )
    assert followed.stdout.splitlines() == [line.split(maxsplit=1)[1] for line in stamped]
    runtime.delete("time")
    all_is_well()


@BOTH_WAYS
@pytest.mark.processors(2)
def test_a_create_after_the_jump_takes_no_other_s_firmware(
    *,
    runtime: DeployedRuntime,
    firmware: FirmwareMaker,
    linux: Linux,
    faults: Faults,
    all_is_well: AllIsWell,
    seconds: int,
) -> None:
    """Installed files carry the time in their names: neither an old nor a future one makes an orphan."""
    runtime.create("first", firmware("hello", core=0))
    with faults.jump_clock(seconds):
        runtime.create("second", firmware("hello", core=1))
        assert len(linux.installed_firmware()) == 2
        runtime.start("first")
        runtime.start("second")
    runtime.delete("first", force=True)
    runtime.delete("second", force=True)
    all_is_well()


@pytest.mark.needs("coredump")
def test_a_dump_after_a_jump_backwards_is_kept(
    *,
    alive: Alive,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    faults: Faults,
    wait_for_status: WaitForStatus,
    all_is_well: AllIsWell,
) -> None:
    """By their times, all dumps that are there already have come later."""
    later = [f"later-{number}.elf" for number in range(5)]
    shell.run(f"mkdir -p {DUMPS} && cd {DUMPS} && touch {' '.join(later)}")
    heartbeat = firmware("heartbeat")
    try:
        with faults.jump_clock(-HALF_A_YEAR_S):
            alive("past", heartbeat, annotations={"remoteproc.coredump": "on"})
            faults.crash(heartbeat.processor)
            state = wait_for_status("past", "stopped", 30.0)
            dump = state["annotations"]["remoteproc.coredump-path"]
            assert heartbeat.nonce.encode() in shell.get(dump)
            runtime.delete("past")
    finally:
        shell.run("rm -rf /var/lib/hybrid-runtime")
    all_is_well()
