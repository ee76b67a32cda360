"""The user's firmware through everything a container may meet."""

import pytest

from hybrid_hil.board import Board
from hybrid_hil.bringup.checks.conftest import CONTAINER, Life, Verb, wait_for_status
from hybrid_hil.bringup.session import BringupRequest
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.shell import Shell

CHANGE_S = 15.0
OUTPUT_S = 10.0
CRASHED = "70"


def device_of(runtime: DeployedRuntime, processor: str) -> str:
    return next(str(entry["device"]) for entry in runtime.processors() if entry["name"] == processor)


def state_of(shell: Shell, runtime: DeployedRuntime, processor: str) -> str:
    """What the kernel says, past the runtime."""
    return shell.get(f"/sys/class/remoteproc/{device_of(runtime, processor)}/state").decode().strip()


def test_it_lives_again_and_again(
    verb: Verb, elf: str, processor: str, runtime: DeployedRuntime, shell: Shell, request_of_user: BringupRequest
) -> None:
    for _ in range(request_of_user.cycles):
        verb("create", "--annotation", f"remoteproc.name={processor}", elf, CONTAINER)
        verb("start", CONTAINER)
        assert verb("state", CONTAINER).exit_status == 0
        assert runtime.state(CONTAINER)["status"] == "running"
        assert state_of(shell, runtime, processor) == "running"
        verb("kill", CONTAINER, "TERM")
        assert wait_for_status(runtime, "stopped", CHANGE_S)["status"] == "stopped"
        verb("delete", CONTAINER)
        assert state_of(shell, runtime, processor) == "offline"


def test_what_it_prints_is_in_the_logs(life: Life, runtime: DeployedRuntime, request_of_user: BringupRequest) -> None:
    if "trace" not in (request_of_user.facts.resources or ()):
        pytest.skip("the firmware has no trace buffer in its resource table")
    with life() as container:
        said: list[str] = []
        for _ in Deadline(OUTPUT_S).ticks(0.2):
            said = [line for line in runtime.logs(container) if not line.startswith("hybrid-runtime: ")]
            if said:
                break
    assert said, f"nothing in {OUTPUT_S:g} s: does it print at all, and to the buffer its resource table names?"


def test_a_second_container_is_refused(life: Life, elf: str, processor: str, runtime: DeployedRuntime) -> None:
    with life():
        refused = runtime.create("second", elf, processor=processor, check=False)
    assert refused.exit_status != 0
    assert "is held by container" in refused.stderr


def test_no_firmware_is_refused_before_the_core_sees_it(shell: Shell, processor: str, runtime: DeployedRuntime) -> None:
    shell.put(b"no firmware at all\n", "/tmp/hybrid-hil-firmware/text")
    refused = runtime.create("text", "/tmp/hybrid-hil-firmware/text", processor=processor, check=False)
    assert refused.exit_status != 0
    assert "not an ELF" in refused.stderr
    assert state_of(shell, runtime, processor) == "offline"


def test_a_crash_is_noticed(life: Life, runtime: DeployedRuntime, shell: Shell, processor: str) -> None:
    crash = f"/sys/kernel/debug/remoteproc/{device_of(runtime, processor)}/crash"
    if shell.run(["test", "-e", crash], check=False).exit_status != 0:
        pytest.skip(f"no `{crash}`: debugfs is not mounted, locked down or not in the kernel")
    with life():
        shell.run(f"echo 1 >{crash}")
        state = wait_for_status(runtime, "stopped", CHANGE_S)
        assert state["status"] == "stopped"
        assert exit_code(state) == CRASHED
        assert state_of(shell, runtime, processor) == "offline"


def test_the_death_of_the_supervisor_takes_the_core_along(
    life: Life, runtime: DeployedRuntime, shell: Shell, processor: str
) -> None:
    with life() as container:
        shell.run(["kill", "-9", str(runtime.state(container)["pid"])])
        assert wait_for_status(runtime, "stopped", CHANGE_S)["status"] == "stopped"
        assert state_of(shell, runtime, processor) == "offline"


def test_a_power_cut_leaves_nothing_in_the_way(
    verb: Verb, elf: str, processor: str, runtime: DeployedRuntime, board: Board, request_of_user: BringupRequest
) -> None:
    if not board.has_switch:
        pytest.skip("the board has no switch: give its file a [power] section")
    verb("create", "--annotation", f"remoteproc.name={processor}", elf, CONTAINER)
    verb("start", CONTAINER)
    board.power_off()
    board.power_on(Deadline(board.boot_s))
    board.shell.put(request_of_user.firmware, elf, deadline=Deadline(CHANGE_S))
    runtime.create("after", elf, processor=processor)
    runtime.start("after")
    assert runtime.state("after")["status"] == "running"
    runtime.delete("after", force=True)


def exit_code(state: dict[str, object]) -> str:
    annotations = state["annotations"]
    assert isinstance(annotations, dict)
    return str(annotations["remoteproc.exit-code"])
