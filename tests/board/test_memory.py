"""The memory goes: the kernel kills a supervisor, or a verb anywhere. About 50 s; more limits with --thorough."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.faults import Faults
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.linux import Alive, AllIsWell, Linux, WaitForStatus
from tests.night import at_night
from tests.system_call_injection import evenly

VERB_S = 60.0
# From less than an interpreter needs to begin with, to what every verb has enough of.
LIMITS_KIB = (256, 1024, 1536, 2048, 2560, 3072, 3584, 4096, 4608, 5120, 6144, 8192, 12288, 32768)
FEW = 3


@contextmanager
def chosen_by_the_kernel(shell: Shell, faults: Faults, pid: int) -> Iterator[None]:
    """As when the whole machine has no memory left: the kernel takes the worst process, and this is it."""
    with faults.little_memory(1 << 20):
        shell.run(f"echo 1000 >/proc/{pid}/oom_score_adj && echo f >/proc/sysrq-trigger")
        yield


@pytest.mark.parametrize("whose", ["its own", "the machine's"])
def test_a_supervisor_without_memory(
    *,
    alive: Alive,
    runtime: DeployedRuntime,
    shell: Shell,
    witness: Witness,
    linux: Linux,
    faults: Faults,
    wait_for_status: WaitForStatus,
    all_is_well: AllIsWell,
    whose: str,
) -> None:
    heartbeat = alive("starved")
    pid = runtime.state("starved")["pid"]
    exhausted = faults.exhaust_memory(pid) if whose == "its own" else chosen_by_the_kernel(shell, faults, pid)
    with exhausted:
        wait_for_status("starved", "stopped")
    assert f"Killed process {pid} " in shell.run("dmesg | grep -i 'out of memory'").stdout
    # The kernel has closed the device of the dead, and stopped the core by that.
    assert linux.attribute(heartbeat.processor, "state") == "offline"
    witness.silent(heartbeat)
    runtime.delete("starved")
    all_is_well()


def test_a_start_that_asks_a_supervisor_without_memory(
    runtime: DeployedRuntime, firmware: FirmwareMaker, faults: Faults, all_is_well: AllIsWell
) -> None:
    runtime.create("starved", firmware("hello"))
    with faults.exhaust_memory(runtime.state("starved")["pid"]):
        refused = runtime.start("starved", check=False)
    assert refused.exit_status == 1
    assert "ended before it could start" in refused.stderr
    assert runtime.state("starved")["status"] == "stopped"
    runtime.delete("starved")
    all_is_well()


@pytest.mark.parametrize("verb", ["create", *at_night("start", "kill", "delete --force")])
def test_a_verb_with_little_memory(
    *,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    linux: Linux,
    faults: Faults,
    all_is_well: AllIsWell,
    thorough: bool,
    verb: str,
) -> None:
    hello = firmware("hello")
    words = f"create --annotation remoteproc.name={hello.processor} {hello.path_on_board} starved"
    codes = []
    for limit in evenly(LIMITS_KIB, None if thorough else FEW):
        if verb != "create":
            runtime.create("starved", hello)
        if verb in ("kill", "delete --force"):
            runtime.start("starved")
        with faults.little_memory(limit) as prefix:
            rest = words if verb == "create" else f"{verb} starved"
            command = f"{prefix} {runtime.command} {rest} </dev/null"
            codes.append(shell.run(command, check=False, deadline=Deadline(VERB_S)).exit_status)
        runtime.delete("starved", force=True, deadline=Deadline(VERB_S))
        linux.assert_untouched()
    print(f"{verb}: {codes}")
    # The first cannot have lived, the last must have.
    assert (codes[0], codes[-1]) == (137, 0)
    all_is_well()
