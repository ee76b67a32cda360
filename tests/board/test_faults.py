"""Deaths and crashes at awkward moments: no core runs without its container, and nothing is left."""

import json
import re

import pytest

from hybrid_hil.console import Console
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.faults import Faults
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness, core_starts
from hybrid_hil.device.proof import beats as heard_beats
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.linux import Alive, Linux, WaitForLog, WaitForStatus
from tests.system_call_injection import evenly

PROOF_S = 10.0


@pytest.fixture
def beating(alive: Alive, witness: Witness) -> Alive:
    """Like `alive`, and its heart has been heard."""

    def start(container: str, *, annotations: dict[str, str] | None = None) -> BuiltFirmware:
        heartbeat = alive(container, annotations=annotations)
        witness.beating(heartbeat, Deadline(PROOF_S))
        return heartbeat

    return start


def test_kill_9_of_the_supervisor_stops_the_core_within_a_second(
    beating: Alive, runtime: DeployedRuntime, shell: Shell, witness: Witness, linux: Linux
) -> None:
    heartbeat = beating("orphan")
    pid = runtime.state("orphan")["pid"]
    state = f"/sys/class/remoteproc/{linux.devices[heartbeat.processor]}/state"
    # Looked at on the board itself, every 10 ms, by the shell's own words: a connection would be slower than the limit.
    shell.run(
        f"kill -9 {pid}; n=0; while read -r s < {state} && [ $s != offline ]; do "
        "n=$((n + 1)); [ $n -lt 100 ] || exit 3; usleep 10000; done"
    )
    witness.silent(heartbeat)
    assert runtime.state("orphan")["status"] == "stopped"
    runtime.delete("orphan")
    linux.assert_untouched()


def test_kill_9_without_the_character_device_is_undone_by_the_next_verb(
    beating: Alive, runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    device = linux.devices[firmware("hello").processor]
    with linux.without(device):
        heartbeat = beating("orphan")
        assert "unguarded" in runtime.run("logs", "orphan").stderr
        shell.run(f"kill -9 {runtime.state('orphan')['pid']}")
        assert linux.attribute(heartbeat.processor, "state") == "running"
        runtime.create("next", heartbeat)
        assert linux.attribute(heartbeat.processor, "state") == "offline"
        witness.silent(heartbeat)
        runtime.delete("next")
        runtime.delete("orphan")
    linux.assert_untouched()


@pytest.mark.parametrize("signal", ["TERM", "KILL"])
def test_kill_9_without_the_character_device_is_undone_by_kill(
    *,
    beating: Alive,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    signal: str,
) -> None:
    with linux.without(linux.devices[firmware("hello").processor]):
        heartbeat = beating("orphan")
        shell.run(f"kill -9 {runtime.state('orphan')['pid']}")
        assert linux.attribute(heartbeat.processor, "state") == "running"
        runtime.kill("orphan", signal)
        assert linux.attribute(heartbeat.processor, "state") == "offline"
        witness.silent(heartbeat)
        runtime.delete("orphan")
    linux.assert_untouched()


def test_kill_9_leaves_no_flag_that_stops_the_next_owner_s_core(
    beating: Alive, runtime: DeployedRuntime, shell: Shell, linux: Linux
) -> None:
    """Shutdown-on-release stays with the device: undoing takes it back, or any later close would stop a core."""
    heartbeat = beating("orphan")
    device = linux.devices[heartbeat.processor]
    shell.run(f"kill -9 {runtime.state('orphan')['pid']}")
    runtime.delete("orphan", force=True)
    shell.run(["cp", heartbeat.path_on_board, "/lib/firmware/by-hand.elf"])
    linux.write(heartbeat.processor, "firmware", "by-hand.elf")
    linux.write(heartbeat.processor, "state", "start")
    shell.run(f"exec 3<>/dev/{device}; exec 3>&-")
    assert linux.attribute(heartbeat.processor, "state") == "running"
    linux.write(heartbeat.processor, "state", "stop")
    shell.run(["rm", "/lib/firmware/by-hand.elf"])


def test_kill_kill_stops_a_core_with_a_second_reference(
    beating: Alive, runtime: DeployedRuntime, witness: Witness, linux: Linux
) -> None:
    """Boots are counted: one "stop" after a stranger's second "start" would leave the core running."""
    heartbeat = beating("twice")
    linux.write(heartbeat.processor, "state", "start")
    runtime.kill("twice", "KILL")
    assert linux.attribute(heartbeat.processor, "state") == "offline"
    witness.silent(heartbeat)
    assert runtime.state("twice")["annotations"]["remoteproc.exit-code"] == "137"
    runtime.delete("twice")
    linux.assert_untouched()


def tally_of(runtime: DeployedRuntime, processor: str) -> tuple[int, int]:
    """How often it was started, and has crashed."""
    (entry,) = (entry for entry in runtime.processors() if entry["name"] == processor)
    return entry["starts"], entry["crashes"]


def test_a_crash_ends_the_container_with_70_and_keeps_its_last_lines(
    beating: Alive,
    runtime: DeployedRuntime,
    firmware: FirmwareMaker,
    witness: Witness,
    core_console: Console,
    linux: Linux,
    faults: Faults,
    wait_for_status: WaitForStatus,
) -> None:
    before = linux.attribute(firmware("hello").processor, "recovery")
    tally = tally_of(runtime, firmware("hello").processor)
    heartbeat = beating("crash")
    faults.crash(heartbeat.processor)
    state = wait_for_status("crash", "stopped")
    assert state["annotations"]["remoteproc.exit-code"] == "70"
    assert state["annotations"]["remoteproc.crashes"] == "1"
    assert state["annotations"]["remoteproc.crash-type"] == "watchdog"
    assert linux.attribute(heartbeat.processor, "state") == "offline"
    assert linux.attribute(heartbeat.processor, "recovery") == before
    witness.silent(heartbeat)
    logs = runtime.run("logs", "crash")
    beats = [int(found) for found in re.findall(r"beat=(\d+)", logs.stdout)]
    # The core says each in the trace, then on its own console, and may be stopped between both. The kernel takes the
    # trace away with the stop, so it is read right before.
    heard = heard_beats(core_console.lines(), heartbeat.speaker)[-1].number
    assert beats == list(range(1, len(beats) + 1))
    assert heard - 1 <= beats[-1] <= heard + 1
    assert "crash detected in" in logs.stderr
    runtime.delete("crash")
    assert tally_of(runtime, heartbeat.processor) == (tally[0] + 1, tally[1] + 1)
    linux.assert_untouched()


def test_recovery_by_the_kernel_restarts_the_core_and_counts(
    beating: Alive,
    runtime: DeployedRuntime,
    witness: Witness,
    core_console: Console,
    linux: Linux,
    faults: Faults,
    wait_for_log: WaitForLog,
) -> None:
    heartbeat = beating("phoenix", annotations={"remoteproc.recovery": "kernel"})
    boot = core_starts(core_console.lines(), heartbeat.speaker)[-1].boot
    faults.crash(heartbeat.processor)
    wait_for_log("phoenix", f"boot={boot + 1} ")
    witness.beating(heartbeat, Deadline(PROOF_S))
    state = runtime.state("phoenix")
    assert state["status"] == "running"
    assert state["annotations"]["remoteproc.crashes"] == "1"
    starts, crashes = tally_of(runtime, heartbeat.processor)
    faults.crash(heartbeat.processor)
    wait_for_log("phoenix", f"boot={boot + 2} ")
    # The kernel has started it.
    assert tally_of(runtime, heartbeat.processor) == (starts, crashes + 1)
    runtime.delete("phoenix", force=True)
    linux.assert_untouched()


def test_recovery_by_the_kernel_is_seen_without_its_log(
    runtime: DeployedRuntime,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    faults: Faults,
    wait_for_log: WaitForLog,
) -> None:
    """Without /dev/kmsg nobody tells of a restart. The second life writes as much as the first, into the same place."""
    hello = firmware("hello")
    with linux.without("kmsg"):
        runtime.create("phoenix", hello, annotations={"remoteproc.recovery": "kernel"})
        runtime.start("phoenix")
        boot = witness.started(hello, Deadline(PROOF_S)).boot
        first = wait_for_log("phoenix", "line 3 of 3")
        faults.crash(hello.processor)
        both = wait_for_log("phoenix", f"boot={boot + 1} ")
        assert both == [*first, *(line.replace(f"boot={boot} ", f"boot={boot + 1} ") for line in first)]
        assert "the trace buffer begins anew" in runtime.run("logs", "phoenix").stderr
        runtime.delete("phoenix", force=True)
    linux.assert_untouched()


def test_a_core_stopped_by_somebody_else_ends_the_container_with_69(
    beating: Alive, runtime: DeployedRuntime, linux: Linux, wait_for_status: WaitForStatus
) -> None:
    heartbeat = beating("stolen")
    linux.write(heartbeat.processor, "state", "stop")
    state = wait_for_status("stolen", "stopped")
    assert state["annotations"]["remoteproc.exit-code"] == "69"
    runtime.delete("stolen")
    linux.assert_untouched()


def test_kill_of_a_dead_container_says_so(
    runtime: DeployedRuntime, firmware: FirmwareMaker, wait_for_status: WaitForStatus
) -> None:
    runtime.create("dead", firmware("hello"))
    runtime.kill("dead")
    wait_for_status("dead", "stopped")
    refused = runtime.kill("dead", check=False)
    assert (refused.exit_status, refused.stderr) == (1, "hybrid-runtime: container not running\n")
    runtime.delete("dead")


# Their number differs from run to run with the memory layout; all other calls come in the same order each time.
NOISE = ("mmap", "munmap", "brk", "madvise", "mremap", "mprotect", "+++", "---")


def calls_after_fork(trace: str) -> list[tuple[str, int]]:
    """Each system call from the fork to the commit, which is the last write: its name and its count of that name."""
    names = [line.split("(")[0] for line in trace.splitlines() if not line.startswith(NOISE)]
    counted = [(name, names[: index + 1].count(name)) for index, name in enumerate(names)]
    fork = next(index for index, name in enumerate(names) if name in ("clone", "clone3", "fork"))
    commit = max(index for index, name in enumerate(names) if name == "write")
    return counted[fork + 1 : commit + 1]


def test_create_killed_between_fork_and_commit_leaves_nothing(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, linux: Linux, nightly: bool
) -> None:
    """SIGKILL of create as it enters its system calls after the fork: the supervisor undoes everything."""
    hello = firmware("hello")
    options = f"--pid-file /tmp/killed.pid --annotation remoteproc.name={hello.processor}"
    create = f"{runtime.command} create {options} {hello.path_on_board} killed"
    shell.run(f"strace -o /tmp/killed.trace {create} </dev/null >/dev/null 2>&1", deadline=Deadline(60.0))
    points = calls_after_fork(shell.run(["cat", "/tmp/killed.trace"]).stdout)
    runtime.delete("killed", force=True)
    shell.run(["rm", "-f", "/tmp/killed.pid"])
    assert {"write", "fsync", "openat"} <= {name for name, _ in points}
    # Some, and the commit itself: a start under strace takes its time on an emulated core.
    for name, count in [*evenly(points[:-1], 10 if nightly else 2), points[-1]]:
        inject = f"strace -o /dev/null -e inject={name}:signal=SIGKILL:when={count}"
        killed = shell.run(f"{inject} {create} </dev/null >/dev/null 2>&1", check=False, deadline=Deadline(60.0))
        assert killed.exit_status == 137, f"not killed at {name} {count}: {killed}"
        wait_until_nothing_is_left(shell, linux, f"{name} {count}")


def wait_until_nothing_is_left(shell: Shell, linux: Linux, point: str) -> None:
    deadline = Deadline(5.0)
    while not deadline.expired:
        left = linux.containers() + linux.journals() + linux.installed_firmware()
        left += shell.run("ls /tmp/killed.pid* 2>/dev/null || true").stdout.split()
        if not left:
            return
    pytest.fail(f"killed at {point}: {left} are left")


def test_the_log_for_engines_holds_json_only(runtime: DeployedRuntime, shell: Shell) -> None:
    shell.run(f"{runtime.command} --log /tmp/engine.json --log-format json state nobody; true")
    lines = shell.run(["cat", "/tmp/engine.json"]).stdout.splitlines()
    shell.run(["rm", "/tmp/engine.json"])
    entries = [json.loads(line) for line in lines]
    assert [entry["level"] for entry in entries] == ["error"]
    assert entries[0]["msg"].startswith("container does not exist")
