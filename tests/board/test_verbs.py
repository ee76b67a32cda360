"""The verbs that look: what they say of a real core, and that it goes on whatever is asked."""

import json

from hybrid_hil.board import Board
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.linux import Alive, Linux

PROOF_S = 10.0
UNTOLD_ENGINE = "warning   an engine does not know this runtime"
LOOKING = (
    *(("list",), ("list", "-f", "json"), ("ps", "motor"), ("ps", "-f", "json", "motor", "-ef"), ("state", "motor")),
    *(("logs", "motor"), ("processors",), ("processors", "-f", "json"), ("features",), ("--version",), ("help",)),
    *(("update", "--memory", "1", "motor"), ("doctor",), ("doctor", "--repair"), ("exec", "motor", "sh")),
    *(("delete", "motor"), ("start", "motor"), ("kill", "motor", "WINCH"), ("state", "nobody")),
)


def test_a_core_goes_on_whatever_is_asked(
    alive: Alive, runtime: DeployedRuntime, shell: Shell, witness: Witness, linux: Linux
) -> None:
    """The supervisor has shutdown-on-release set: whoever else opened /dev/remoteprocN would stop the core by closing
    it, as the end of this test does."""
    heartbeat = alive("motor")
    for words in LOOKING:
        runtime.run(*words, check=False)
        assert linux.attribute(heartbeat.processor, "state") == "running", words
    witness.beating(heartbeat, Deadline(PROOF_S))
    assert runtime.state("motor")["status"] == "running"
    shell.run(f"exec 3<>/dev/{linux.devices[heartbeat.processor]}; exec 3>&-")
    assert linux.attribute(heartbeat.processor, "state") == "offline", "this test would not notice an open device"
    runtime.delete("motor", force=True)
    linux.assert_untouched()


def test_list_and_ps_of_a_real_container(alive: Alive, runtime: DeployedRuntime) -> None:
    heartbeat = alive("motor")
    state = runtime.state("motor")
    (entry,) = json.loads(runtime.run("list", "-f", "json").stdout)
    assert {key: entry[key] for key in state} == state
    assert (entry["owner"], entry["processor"]) == ("root", heartbeat.processor)
    _, row = runtime.run("list").stdout.splitlines()
    assert row.split()[:3] == ["motor", str(state["pid"]), "running"]
    assert row.split()[5:] == ["root", heartbeat.processor]
    assert json.loads(runtime.run("ps", "--format", "json", "motor").stdout) == [state["pid"]]
    runtime.delete("motor", force=True)


def test_doctor_on_a_board_that_is_well(runtime: DeployedRuntime, board: Board) -> None:
    """An image with engines has them as their packages install them: nothing has told them of the runtime."""
    found = runtime.run("doctor")
    assert found.exit_status == 0
    assert found.stderr == ""
    lines = found.stdout.splitlines()
    wrong = [line for line in lines if line.startswith(("problem", "warning"))]
    assert [line for line in wrong if not line.startswith(UNTOLD_ENGINE)] == []
    for name in (core.name for core in board.cores):
        assert any(line.startswith(f"ok        a processor can be used: `{name}`") for line in lines)
    for title in ("the kernel has what this runtime uses", "debugfs can be read", "byte code is up to date"):
        assert any(line.startswith(f"ok        {title}") for line in lines), title


def test_doctor_repairs_what_a_death_has_left(
    alive: Alive, runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    """Without the character device the core of a killed supervisor runs on, until a later verb stops it."""
    heartbeat = firmware("heartbeat")
    device = linux.devices[heartbeat.processor]
    with linux.without(device):
        alive("orphan", heartbeat)
        shell.run(f"kill -9 {runtime.state('orphan')['pid']}")
        sick = runtime.run("doctor", check=False)
        assert sick.exit_status == 1
        assert "problem   an interrupted container still holds a processor: container `orphan`" in sick.stdout
        assert f"(root `/run/hybrid-runtime`) on {device}" in sick.stdout
        assert linux.attribute(heartbeat.processor, "state") == "running"
        repaired = runtime.run("doctor", "--repair")
        assert f"repaired  undid container `orphan` on {device}" in repaired.stdout
        witness.silent(heartbeat)
        assert linux.attribute(heartbeat.processor, "state") == "offline"
    runtime.delete("orphan")
    linux.assert_untouched()


def test_firmware_of_an_earlier_boot_is_collected(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, linux: Linux
) -> None:
    orphan = "motor.elf-20261122T043250Z-0011223344556677"
    hello = firmware("hello")
    shell.run(f"touch /lib/firmware/{orphan} /lib/firmware/{orphan}.tmp /lib/firmware/modem.bin")
    assert f"warning   firmware files have no container: `/lib/firmware/{orphan}`" in runtime.run("doctor").stdout
    runtime.create("motor", hello)
    assert len(linux.installed_firmware()) == 2
    assert "modem.bin" in linux.installed_firmware()
    runtime.delete("motor")
    shell.run(["rm", "/lib/firmware/modem.bin"])
    linux.assert_untouched()


def test_a_damaged_journal_keeps_no_processor(
    alive: Alive, runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    """The core of a dead supervisor is known by its firmware's name, and the flag of the device is taken back."""
    heartbeat = firmware("heartbeat")
    device = linux.devices[heartbeat.processor]
    with linux.without(device):
        alive("lost", heartbeat)
        shell.run(f"kill -9 {runtime.state('lost')['pid']}")
        shell.run(f"echo nonsense > /run/hybrid-runtime-claims/{device}.journal")
    runtime.create("next", firmware("hello"))
    witness.silent(heartbeat)
    runtime.start("next")
    runtime.delete("next", force=True)
    runtime.delete("lost")
    shell.run(f"rm /run/hybrid-runtime-claims/{device}.journal.damaged")
    linux.assert_untouched()


def test_the_state_after_a_stop(alive: Alive, runtime: DeployedRuntime, shell: Shell, linux: Linux) -> None:
    """Asked in the same breath: kill returns when the stop is carried out."""
    command = runtime.command
    for _ in range(10):
        alive("motor")
        said = shell.run(f"{command} kill motor && {command} state motor").stdout
        assert json.loads(said)["status"] == "stopped"
        runtime.delete("motor")
    linux.assert_untouched()
