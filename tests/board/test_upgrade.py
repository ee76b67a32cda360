"""The runtime is replaced, or taken away, while its containers run. About 30 s."""

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.deployment import FOLDER
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.shell import Shell
from tests.linux import Alive, AllIsWell, Linux, WaitForLog, WaitForStatus

AWAY = "/usr/lib/hybrid-runtime-before"
# Each wraps its trace buffer once: a line has some twenty bytes, the buffer 4096.
WRAPPED_LINES = 300
WRAP_S = 60.0


def replace(shell: Shell) -> None:
    """As a package manager does: the new files are there before the old ones go."""
    shell.run(f"cp -a {FOLDER} {FOLDER}.new && mv {FOLDER} {AWAY} && mv {FOLDER}.new {FOLDER} && rm -r {AWAY}")


def test_an_upgrade_under_a_running_container(
    *,
    alive: Alive,
    runtime: DeployedRuntime,
    shell: Shell,
    witness: Witness,
    wait_for_log: WaitForLog,
    wait_for_status: WaitForStatus,
    all_is_well: AllIsWell,
) -> None:
    chatty = alive("chatty", "chatty")
    pid = runtime.state("chatty")["pid"]
    replace(shell)
    wait_for_log("chatty", f"{chatty.speaker} chatty {WRAPPED_LINES} ", seconds=WRAP_S)
    assert runtime.state("chatty")["pid"] == pid
    runtime.kill("chatty")
    assert wait_for_status("chatty", "stopped")["annotations"]["remoteproc.exit-code"] == "0"
    witness.silent(chatty)
    runtime.delete("chatty")
    all_is_well()


def test_a_removal_under_a_running_container(
    *,
    alive: Alive,
    runtime: DeployedRuntime,
    shell: Shell,
    linux: Linux,
    witness: Witness,
    wait_for_status: WaitForStatus,
    all_is_well: AllIsWell,
) -> None:
    """Its process lives on and ends as ever, told by the only one that still can: a signal from outside."""
    chatty = alive("chatty", "chatty")
    pid = runtime.state("chatty")["pid"]
    log = "/run/hybrid-runtime/chatty/log"
    shell.run(["mv", FOLDER, AWAY])
    try:
        deadline = Deadline(WRAP_S)
        wanted = f"grep -q '{chatty.speaker} chatty {WRAPPED_LINES} ' {log}"
        while shell.run(wanted, check=False).exit_status:
            assert not deadline.expired, shell.run(["tail", log]).stdout
        assert linux.attribute(chatty.processor, "state") == "running"
        shell.run(f"kill -TERM {pid}")
        while linux.attribute(chatty.processor, "state") != "offline":
            assert not deadline.expired
    finally:
        shell.run(["mv", AWAY, FOLDER])
    witness.silent(chatty)
    assert wait_for_status("chatty", "stopped")["annotations"]["remoteproc.exit-code"] == "0"
    runtime.delete("chatty")
    all_is_well()


@pytest.mark.parametrize("missing", ["hooks", "coredump_path", "format"])
def test_a_record_of_an_older_version(
    *,
    alive: Alive,
    runtime: DeployedRuntime,
    shell: Shell,
    witness: Witness,
    wait_for_status: WaitForStatus,
    all_is_well: AllIsWell,
    missing: str,
) -> None:
    heartbeat: BuiltFirmware = alive("older")
    path = "/run/hybrid-runtime/older/record.json"
    shell.run(["sed", "-i", rf's/"{missing}": *[^,]*, *//', path])
    assert missing not in shell.run(["cat", path]).stdout
    assert runtime.state("older")["status"] == "running"
    witness.logged(runtime.logs("older"), heartbeat)
    runtime.kill("older")
    wait_for_status("older", "stopped")
    witness.silent(heartbeat)
    runtime.delete("older")
    all_is_well()
