"""Core dumps: what a crashed core's memory held is in a file afterwards."""

from collections.abc import Iterator

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.faults import Faults
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.linux import Alive, Linux, WaitForStatus

PROOF_S = 10.0
FOLDER = "/var/lib/hybrid-runtime/coredumps"
DUMPS_KEPT = 5
DUMPED = {"remoteproc.coredump": "on", "remoteproc.recovery": "container"}
# e_ident and e_type of a 32-bit little-endian core file
CORE_FILE = bytes.fromhex("7f454c46010101") + bytes(9) + bytes.fromhex("0400")
# e_machine of an Arm, or of none in particular: some drivers name none
MACHINES = (bytes.fromhex("2800"), bytes.fromhex("0000"))


class Dumps:
    """The folder of the dumps on the board."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell

    def files(self) -> list[str]:
        """Paths, the oldest first; whatever else lies there as well."""
        return self.shell.run(f"find {FOLDER} -type f 2>/dev/null | sort").stdout.split()

    def in_the_kernel(self) -> list[str]:
        return self.shell.run("ls /sys/class/devcoredump | grep -v disabled || true").stdout.split()

    def assert_holds(self, path: str, firmware: BuiltFirmware) -> None:
        """It is a core file, of memory in which this very firmware lay."""
        content = self.shell.get(path)
        assert content.startswith(CORE_FILE)
        assert content[len(CORE_FILE) :][:2] in MACHINES
        assert firmware.nonce.encode() in content
        assert self.shell.run(["stat", "-c", "%a", path, FOLDER]).stdout.split() == ["600", "700"]


@pytest.fixture
def dumps(shell: Shell) -> Iterator[Dumps]:
    yield Dumps(shell)
    shell.run("rm -rf /var/lib/hybrid-runtime; for d in /sys/class/devcoredump/devcd*/data; do echo > $d; done; true")


@pytest.mark.needs("coredump")
def test_a_crash_leaves_a_dump_and_no_running_core(
    alive: Alive,
    runtime: DeployedRuntime,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    faults: Faults,
    dumps: Dumps,
    wait_for_status: WaitForStatus,
) -> None:
    core = firmware("hello").processor
    before = [linux.attribute(core, name) for name in ("recovery", "coredump")]
    heartbeat = alive("crash", annotations=DUMPED)
    assert linux.attribute(core, "coredump") == "enabled"
    faults.crash(core)
    state = wait_for_status("crash", "stopped")
    witness.silent(heartbeat)
    assert linux.attribute(core, "state") == "offline"
    assert [linux.attribute(core, name) for name in ("recovery", "coredump")] == before
    path = state["annotations"]["remoteproc.coredump-path"]
    assert state["annotations"]["remoteproc.exit-code"] == "70"
    assert path.startswith(f"{FOLDER}/crash-")
    assert f"in `{path}`" in runtime.run("logs", "crash").stderr
    # What the core said in the moment it ran again is no part of the container's output.
    assert sum("boot=" in line for line in runtime.logs("crash")) == 1
    runtime.delete("crash")
    assert dumps.files() == [path]
    dumps.assert_holds(path, heartbeat)
    assert dumps.in_the_kernel() == []
    linux.assert_untouched()


@pytest.mark.nightly
@pytest.mark.needs("coredump")
def test_each_recovery_by_the_kernel_leaves_a_dump_and_five_are_kept(
    alive: Alive, runtime: DeployedRuntime, witness: Witness, linux: Linux, faults: Faults, dumps: Dumps
) -> None:
    heartbeat = alive("phoenix", annotations=DUMPED | {"remoteproc.recovery": "kernel"})
    paths = [""]
    for crash in range(1, DUMPS_KEPT + 3):
        faults.crash(heartbeat.processor)
        deadline = Deadline(PROOF_S)
        annotations = runtime.state("phoenix")["annotations"]
        while annotations.get("remoteproc.coredump-path", "") == paths[-1] and not deadline.expired:
            annotations = runtime.state("phoenix")["annotations"]
        paths.append(annotations["remoteproc.coredump-path"])
        assert paths[-1] != paths[-2]
        assert annotations["remoteproc.crashes"] == str(crash)
        assert dumps.in_the_kernel() == []
    witness.beating(heartbeat, Deadline(PROOF_S))
    assert runtime.state("phoenix")["status"] == "running"
    runtime.delete("phoenix", force=True)
    assert dumps.files() == paths[-DUMPS_KEPT:]
    for path in paths[-DUMPS_KEPT:]:
        dumps.assert_holds(path, heartbeat)
    linux.assert_untouched()


@pytest.mark.needs("coredump")
def test_a_full_disk_is_told_and_leaves_nothing_half_written(
    alive: Alive,
    runtime: DeployedRuntime,
    shell: Shell,
    linux: Linux,
    faults: Faults,
    dumps: Dumps,
    wait_for_status: WaitForStatus,
) -> None:
    shell.run(f"mkdir -p {FOLDER} && mount -t tmpfs -o size=64k,mode=700 none {FOLDER}")
    try:
        heartbeat = alive("full", annotations=DUMPED)
        faults.crash(heartbeat.processor)
        state = wait_for_status("full", "stopped")
        assert state["annotations"]["remoteproc.exit-code"] == "70"
        assert "remoteproc.coredump-path" not in state["annotations"]
        assert dumps.files() == []
    finally:
        shell.run(["umount", FOLDER])
    data = f"/sys/devices/virtual/devcoredump/{dumps.in_the_kernel()[0]}/data"
    said = runtime.run("logs", "full").stderr
    assert f"no core dump: no space left on device; the kernel keeps it in `{data}` for five minutes" in said
    runtime.delete("full")
    # Until it is freed there is no other, which the next run says at its start.
    alive("next", annotations=DUMPED)
    assert "a core dump of an earlier run is in the way" in runtime.run("logs", "next").stderr
    runtime.delete("next", force=True)
    linux.assert_untouched()


@pytest.mark.needs("coredump")
def test_a_supervisor_killed_while_the_core_runs_again_leaves_none_running(
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    faults: Faults,
    dumps: Dumps,
) -> None:
    """SIGKILL between "recover" and "stop", the one moment in which a crashed core runs: at the second write to
    `state`, the first being the start."""
    heartbeat = firmware("heartbeat")
    state = f"/sys/class/remoteproc/{linux.devices[heartbeat.processor]}/state"
    options = f"--annotation remoteproc.coredump=on --annotation remoteproc.name={heartbeat.processor}"
    shell.run(
        f"strace -f -qq -o /tmp/killed.trace -P {state} -e trace=write -e inject=write:signal=SIGKILL:when=2 "
        f"{runtime.command} create {options} {heartbeat.path_on_board} killed </dev/null >/dev/null 2>&1 & "
        f'n=0; until {runtime.command} state killed 2>/dev/null | grep -q \'"status": "created"\'; do '
        "n=$((n + 1)); [ $n -lt 60 ] || exit 3; done",
        deadline=Deadline(60.0),
    )
    runtime.start("killed")
    witness.started(heartbeat, Deadline(PROOF_S))
    faults.crash(heartbeat.processor)
    shell.run(
        f"n=0; while read -r s < {state} && [ $s != offline ]; do "
        "n=$((n + 1)); [ $n -lt 300 ] || exit 3; usleep 10000; done"
    )
    # It was recovered, and stopped by the kernel, since its guard was released.
    assert len(dumps.in_the_kernel()) == 1
    witness.silent(heartbeat)
    assert runtime.state("killed")["status"] == "stopped"
    runtime.delete("killed")
    shell.run(["rm", "/tmp/killed.trace"])
    linux.assert_untouched()


@pytest.mark.lacks("coredump")
def test_a_driver_without_dumps_is_told(
    alive: Alive, runtime: DeployedRuntime, linux: Linux, faults: Faults, dumps: Dumps, wait_for_status: WaitForStatus
) -> None:
    heartbeat = alive("crash", annotations=DUMPED)
    faults.crash(heartbeat.processor)
    annotations = wait_for_status("crash", "stopped")["annotations"]
    assert annotations["remoteproc.exit-code"] == "70"
    assert "remoteproc.coredump-path" not in annotations
    assert "no core dump: the kernel has written none" in runtime.run("logs", "crash").stderr
    runtime.delete("crash")
    assert dumps.files() == dumps.in_the_kernel() == []
    linux.assert_untouched()
