"""The life of a container on a real core, proven by what the core itself wrote."""

import re
from collections.abc import Iterator

import pytest

from hybrid_hil.board import Board
from hybrid_hil.console import Console
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.proof import Witness, check_rising, core_starts
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.host.revision import revision
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.linux import Alive, Linux, WaitForLog, WaitForStatus

PROOF_S = 10.0


@pytest.fixture(params=[0, pytest.param(1, marks=pytest.mark.processors(2))])
def core(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


def test_create_start_logs_state_kill_delete(
    runtime: DeployedRuntime,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    wait_for_status: WaitForStatus,
    wait_for_log: WaitForLog,
    core: int,
) -> None:
    heartbeat = firmware("heartbeat", core=core)
    runtime.create("cycle", heartbeat)
    created = runtime.state("cycle")
    assert created["status"] == "created"
    assert created["pid"] > 0
    assert linux.attribute(heartbeat.processor, "state") == "offline"

    runtime.start("cycle")
    assert linux.attribute(heartbeat.processor, "state") == "running"
    witness.started(heartbeat, Deadline(PROOF_S))
    witness.logged(wait_for_log("cycle", heartbeat.nonce), heartbeat)
    state = runtime.state("cycle")
    assert (state["status"], state["pid"]) == ("running", created["pid"])
    assert state["annotations"]["remoteproc.resolved-path"].startswith("/sys/devices/")
    witness.beating(heartbeat, Deadline(PROOF_S))

    runtime.kill("cycle")
    stopped = wait_for_status("cycle", "stopped")
    witness.silent(heartbeat)
    assert stopped["annotations"]["remoteproc.exit-code"] == "0"
    assert stopped["pid"] == 0
    assert linux.attribute(heartbeat.processor, "state") == "offline"

    runtime.delete("cycle")
    linux.assert_untouched()


def test_the_version_names_the_deployed_commit(runtime: DeployedRuntime) -> None:
    lines = runtime.run("--version").stdout.splitlines()
    assert re.fullmatch(r"hybrid-runtime version \d+\.\d+\.\d+", lines[0])
    assert lines[1] == f"commit: {revision(checkout_root() / 'runtime')}"
    assert lines[2:] == ["spec: 1.3.0"]


# Between two turns, when asked to. Stopped from outside it may be in the middle of a look, or in a poll whose time is
# over when it goes on: then an ordinary tick comes before the stop.
STANDS_STILL = """
import os, signal
from hybrid_runtime.supervisor.supervisor import Supervisor
waiting = Supervisor._wait
def wait(self):
    if os.path.exists("./run/stand-still"):
        os.kill(os.getpid(), signal.SIGSTOP)
    return waiting(self)
Supervisor._wait = wait
"""


@pytest.fixture
def standing(runtime: DeployedRuntime, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command is one whose supervisor stands still while there is /run/stand-still."""
    launcher = shell.run(["readlink", "-f", DeployedRuntime.command]).stdout.strip()
    planted = f"{launcher}-standing"
    text = shell.get(launcher).decode()
    assert text.count("\nmain(") == 1
    shell.put(text.replace("\nmain(", f"{STANDS_STILL}\nmain(").encode(), planted)
    shell.run(["chmod", "755", planted])
    monkeypatch.setattr(runtime, "command", planted)
    yield
    shell.run(["rm", "-f", planted, "/run/stand-still"])


@pytest.mark.usefixtures("standing")
def test_last_words_of_the_firmware_are_in_the_logs(
    alive: Alive, runtime: DeployedRuntime, shell: Shell, witness: Witness, wait_for_status: WaitForStatus
) -> None:
    """The supervisor stands still while they are said: only the look that comes with the stop can find them."""
    heartbeat = alive("short")
    pid = runtime.state("short")["pid"]
    shell.run(f"touch /run/stand-still; until grep -q '^State:.T' /proc/{pid}/status; do usleep 10000; done")
    shell.run(["rm", "/run/stand-still"])
    last = witness.beating(heartbeat, Deadline(PROOF_S))[-1].number
    shell.run(f"kill -TERM {pid}; kill -CONT {pid}")
    wait_for_status("short", "stopped")
    beats = [int(found) for found in re.findall(r"beat=(\d+)", "\n".join(runtime.logs("short")))]
    runtime.delete("short")
    assert beats == list(range(1, len(beats) + 1))
    assert beats[-1] >= last


@pytest.mark.processors(2)
def test_two_containers_on_two_cores_at_once(
    runtime: DeployedRuntime,
    firmware: FirmwareMaker,
    witness: Witness,
    wait_for_log: WaitForLog,
    wait_for_status: WaitForStatus,
) -> None:
    beating = [firmware("heartbeat", core=core) for core in (0, 1)]
    for one in beating:
        runtime.create(one.processor, one)
    for one in beating:
        runtime.start(one.processor)
    for one in beating:
        witness.started(one, Deadline(PROOF_S))
        witness.logged(wait_for_log(one.processor, one.nonce), one)
        witness.beating(one, Deadline(PROOF_S))
    holders = {entry["name"]: entry["container"] for entry in runtime.processors()}
    assert holders == {one.processor: one.processor for one in beating}

    runtime.kill(beating[0].processor)
    wait_for_status(beating[0].processor, "stopped")
    witness.silent(beating[0])
    witness.beating(beating[1], Deadline(PROOF_S))
    for one in beating:
        runtime.delete(one.processor, force=True)


def test_looking_never_disturbs_a_running_core(
    alive: Alive, runtime: DeployedRuntime, witness: Witness, linux: Linux
) -> None:
    """Closing /dev/remoteprocN would stop the core while it is guarded: no verb that looks may open it."""
    heartbeat = alive("looked-at")
    for words in (["state", "looked-at"], ["logs", "looked-at"], ["processors"], ["--version"], ["--help"]):
        runtime.run(*words)
    assert runtime.run("delete", "looked-at", check=False).exit_status == 1
    assert runtime.run("create", heartbeat.path_on_board, "looked-at", check=False).exit_status == 1
    assert runtime.start("looked-at", check=False).exit_status == 1
    witness.beating(heartbeat, Deadline(PROOF_S))
    assert linux.attribute(heartbeat.processor, "state") == "running"
    runtime.delete("looked-at", force=True)


RESTARTS = """
i=0
while [ $i -lt {count} ]; do
  hybrid-runtime create --annotation remoteproc.name={processor} {path} again-{processor} || exit 11
  hybrid-runtime start again-{processor} || exit 12
  hybrid-runtime delete --force again-{processor} || exit 13
  i=$((i + 1))
done
"""


def test_restarts_of_each_core(
    board: Board,
    shell: Shell,
    firmware: FirmwareMaker,
    core_console: Console,
    linux: Linux,
    pytestconfig: pytest.Config,
    nightly: bool,
) -> None:
    """Every start is one line of the core with the next number; the cores take their turns at the same time."""
    count = pytestconfig.getoption("--restarts") or (30 if nightly else 5)
    cores = [firmware("hello", core=core) for core in range(len(board.cores))]
    since = core_console.mark()
    loops = [RESTARTS.format(count=count, processor=one.processor, path=one.path_on_board) for one in cores]
    script = "".join(f"( {loop} ) & p{number}=$!\n" for number, loop in enumerate(loops))
    script += "".join(f"wait $p{number} || exit $?\n" for number in range(len(loops)))
    shell.run(script, deadline=Deadline(60.0 + 8.0 * count))
    for one in cores:
        starts = [start for start in core_starts(core_console.lines(since)) if start.nonce == one.nonce]
        check_rising(starts, count)
    linux.assert_untouched()


def test_a_ring_that_wraps_comes_out_in_order(
    runtime: DeployedRuntime, firmware: FirmwareMaker, wait_for_log: WaitForLog
) -> None:
    """Chatty writes over the beginning of its trace buffer again and again; no line is lost, torn or repeated."""
    chatty = firmware("chatty")
    runtime.create("chatty", chatty)
    runtime.start("chatty")
    lines = wait_for_log("chatty", f"{chatty.speaker} chatty 300 ", seconds=60.0)
    runtime.delete("chatty", force=True)
    numbers = [
        int(line.split()[2]) for line in lines if line.startswith(f"{chatty.speaker} chatty ") and "boot" not in line
    ]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.lacks("watchdog")
def test_a_firmware_that_faults_says_so_and_goes_on_standing(
    runtime: DeployedRuntime, firmware: FirmwareMaker, wait_for_log: WaitForLog
) -> None:
    """The kernel does not notice a fault inside the core: the container runs on, its log tells."""
    fault = firmware("fault")
    runtime.create("fault", fault)
    runtime.start("fault")
    wait_for_log("fault", f"{fault.speaker} data abort at 0x90000000")
    assert runtime.state("fault")["status"] == "running"
    runtime.delete("fault", force=True)


def test_a_firmware_without_resource_table_runs_with_a_warning(
    runtime: DeployedRuntime, firmware: FirmwareMaker, witness: Witness
) -> None:
    silent = firmware("silent")
    created = runtime.create("silent", silent)
    assert "no .resource_table" in created.stderr
    runtime.start("silent")
    witness.started(silent, Deadline(PROOF_S))
    assert runtime.logs("silent") == []
    runtime.delete("silent", force=True)


def test_an_oci_bundle_keeps_the_engine_s_descriptors(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, wait_for_status: WaitForStatus
) -> None:
    """What the firmware prints goes to the standard output that create was given, as engines expect."""
    hello = firmware("hello")
    shell.run(
        f"mkdir -p /tmp/bundle/rootfs && cp {hello.path_on_board} /tmp/bundle/rootfs/fw.elf && "
        'echo \'{"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "process": {"cwd": "/", "args": ["/fw.elf"], '
        f'"env": ["REMOTEPROC_NAME={hello.processor}"]}}}}\' > /tmp/bundle/config.json'
    )
    shell.run(
        f"{runtime.command} --log /tmp/bundle/log.json --log-format json create -b /tmp/bundle "
        "--pid-file /tmp/bundle/pid bundled > /tmp/bundle/out 2> /tmp/bundle/err"
    )
    state = runtime.state("bundled")
    assert shell.run(["cat", "/tmp/bundle/pid"]).stdout == str(state["pid"])
    assert state["bundle"] == "/tmp/bundle"
    runtime.start("bundled")
    runtime.kill("bundled", "SIGINT")
    wait_for_status("bundled", "stopped")
    assert f"nonce={hello.nonce}" in shell.run(["cat", "/tmp/bundle/out"]).stdout
    assert "exit code 0" in shell.run(["cat", "/tmp/bundle/err"]).stdout
    runtime.delete("bundled")
    shell.run(["rm", "-r", "/tmp/bundle"])
