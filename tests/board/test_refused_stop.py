"""A driver that does not stop its core: the container stays, tries again, and never says that it has stopped.

The refusal is planted by strace(1) into the write(2) to the real core's `state`. About 35 s.
"""

import json

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.faults import Faults
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.shell import Shell
from tests.linux import Alive, AllIsWell, Linux, WaitForLog, WaitForStatus
from tests.refused_stop import refusing, strace

MEANINGS = {"EBUSY": "device or resource busy", "EINVAL": "invalid argument", "EPERM": "it is not permitted"}
VERB_S = 60.0


def state_file(shell: Shell, device: str) -> str:
    return shell.run(f"readlink -f /sys/class/remoteproc/{device}").stdout.strip() + "/state"


@pytest.mark.parametrize("errno", MEANINGS)
def test_a_driver_that_relents(
    *,
    alive: Alive,
    runtime: DeployedRuntime,
    shell: Shell,
    witness: Witness,
    linux: Linux,
    wait_for_log: WaitForLog,
    wait_for_status: WaitForStatus,
    all_is_well: AllIsWell,
    errno: str,
) -> None:
    heartbeat = alive("stubborn")
    state = state_file(shell, linux.devices[heartbeat.processor])
    with refusing(shell, state, errno, runtime.state("stubborn")["pid"]):
        runtime.kill("stubborn")
        assert runtime.state("stubborn")["status"] == "running"
        assert linux.attribute(heartbeat.processor, "state") == "running"
        # It goes on being followed.
        beats = len(runtime.logs("stubborn"))
        wait_for_log("stubborn", f"beat={beats + 3}")
    assert wait_for_status("stubborn", "stopped")["annotations"]["remoteproc.exit-code"] == "0"
    said = runtime.run("logs", "stubborn").stderr
    assert said.count(f"does not stop: {MEANINGS[errno]}") == 1
    witness.silent(heartbeat)
    runtime.delete("stubborn")
    all_is_well()


def test_kill_says_why_and_the_next_verb_finishes_the_work(
    *,
    alive: Alive,
    runtime: DeployedRuntime,
    shell: Shell,
    witness: Witness,
    linux: Linux,
    all_is_well: AllIsWell,
) -> None:
    """Without /dev/remoteprocN, or the kernel would stop the core as its supervisor dies."""
    device = next(iter(linux.devices.values()))
    with linux.without(device):
        heartbeat = alive("stubborn")
        state = state_file(shell, device)
        for verb in ("kill stubborn KILL", "kill stubborn", "delete --force stubborn", "delete stubborn"):
            refused = shell.run(
                f"{strace(state, 'EBUSY')} {runtime.command} {verb}", check=False, deadline=Deadline(VERB_S)
            )
            assert refused.exit_status == 1
            assert f"processor `{device}` does not stop: device or resource busy" in refused.stderr
            assert linux.attribute(heartbeat.processor, "state") == "running"
            assert json.loads(runtime.run("state", "stubborn").stdout)["status"] == "stopped"
            assert linux.journals() != []
        runtime.kill("stubborn")
        assert linux.attribute(heartbeat.processor, "state") == "offline"
        witness.silent(heartbeat)
        refused = runtime.kill("stubborn", check=False)
        assert "container not running" in refused.stderr
        runtime.delete("stubborn")
    all_is_well()


def test_a_crashed_core_that_the_kernel_does_not_stop(
    *,
    alive: Alive,
    runtime: DeployedRuntime,
    shell: Shell,
    witness: Witness,
    linux: Linux,
    faults: Faults,
    wait_for_status: WaitForStatus,
    all_is_well: AllIsWell,
) -> None:
    """Linux before 6.12.110 refuses that, so the first stop is refused here as well. What comes after it is real."""
    heartbeat = alive("crashing")
    state = state_file(shell, linux.devices[heartbeat.processor])
    with refusing(shell, state, "EINVAL:when=1", runtime.state("crashing")["pid"]):
        faults.crash(heartbeat.processor)
        assert wait_for_status("crashing", "stopped")["annotations"]["remoteproc.exit-code"] == "70"
        assert linux.attribute(heartbeat.processor, "state") == "offline"
    witness.silent(heartbeat)
    assert f"recovering {heartbeat.processor}" in shell.run("dmesg | tail -n 20").stdout
    runtime.delete("crashing")
    all_is_well()
