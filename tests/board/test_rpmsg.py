"""RPMsg between Linux and the cores: the channels by themselves, and in a container's logs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_hil.board import Board
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.faults import Faults
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.linux import Alive, Linux, WaitForLog

pytestmark = pytest.mark.needs("rpmsg")

PROOF_S = 10.0
ROUND_TRIPS = 300
LEAST_HEARD = 0.8
CLIENT = "/tmp/rpmsg_client.py"


@pytest.fixture
def client(shell: Shell) -> Iterator[str]:
    shell.put(Path(__file__).parent / "rpmsg_client.py", CLIENT)
    yield CLIENT
    shell.run(["rm", CLIENT])


def start_echo(
    runtime: DeployedRuntime, witness: Witness, echo: BuiltFirmware, container: str, logs: str = "trace"
) -> None:
    runtime.create(container, echo, annotations={"remoteproc.logs": logs})
    runtime.start(container)
    witness.started(echo, Deadline(PROOF_S))


@pytest.mark.nightly
def test_echoes_of_both_cores_at_once_never_stall(
    board: Board,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    client: str,
) -> None:
    echoes = [firmware("echo", core=core) for core in range(len(board.cores))]
    devices: list[str] = []
    for echo in echoes:
        start_echo(runtime, witness, echo, echo.processor)
        devices += linux.rpmsg_devices(echo.processor)
    assert len(devices) == 2 * len(echoes)
    done = shell.run(["python3", client, str(ROUND_TRIPS), *devices], deadline=Deadline(300.0))
    count, shortest, median, late, longest = done.stdout.split()
    assert int(count) == ROUND_TRIPS * len(devices)
    print(f"{count} round trips: {shortest} to {longest} ms, median {median}, p95 {late}")
    for echo in echoes:
        # The core wrote each message down as well. A fast one fills its buffer between two looks, and what it writes
        # over then is lost.
        lines = runtime.logs(echo.processor)
        for channel in ("rpmsg-tty", "rpmsg-raw"):
            heard = sum(line.startswith(f"{echo.speaker} {channel} got ") for line in lines)
            assert LEAST_HEARD * ROUND_TRIPS <= heard <= ROUND_TRIPS
        runtime.delete(echo.processor, force=True)
    assert linux.rpmsg_devices(echoes[0].processor) == []
    linux.assert_untouched()


def test_channels_vanish_at_the_stop_and_come_back(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux, client: str
) -> None:
    echo = firmware("echo")
    for _ in range(3):
        start_echo(runtime, witness, echo, "again")
        devices = linux.rpmsg_devices(echo.processor)
        done = shell.run(["python3", client, "5", *devices], deadline=Deadline(60.0))
        assert done.stdout.startswith("10 ")
        runtime.delete("again", force=True)
        assert linux.rpmsg_devices(echo.processor) == []
        assert shell.run(f"ls {' '.join(devices)} 2>/dev/null || true").stdout == ""


BOTH = "trace, rpmsg:rpmsg-tty, rpmsg:rpmsg-raw"


def said(runtime: DeployedRuntime, container: str, text: str, times: int = 1) -> list[str]:
    """What the supervisor said, once a line with that text is there so often."""
    deadline = Deadline(PROOF_S)
    lines = runtime.run("logs", container).stderr.splitlines()
    while sum(text in line for line in lines) < times and not deadline.expired:
        lines = runtime.run("logs", container).stderr.splitlines()
    assert sum(text in line for line in lines) == times, lines
    return lines


def test_named_channels_are_the_container_s_output(
    runtime: DeployedRuntime, firmware: FirmwareMaker, witness: Witness, linux: Linux, wait_for_log: WaitForLog
) -> None:
    echo = firmware("echo")
    start_echo(runtime, witness, echo, "talk", logs=BOTH)
    for channel in ("rpmsg-tty", "rpmsg-raw"):
        lines = wait_for_log("talk", f"{echo.speaker} {channel} beat=3")
        beats = [line for line in lines if f" {channel} beat=" in line]
        assert beats == [f"{echo.speaker} {channel} beat={number}" for number in range(1, len(beats) + 1)]
    got = [line for line in lines if " got " in line]
    # One greeting to each, and no echo of what the core itself has said.
    assert sorted(line.partition(" from ")[0] for line in got) == [
        f"{echo.speaker} rpmsg-raw got 1 bytes",
        f"{echo.speaker} rpmsg-tty got 1 bytes",
    ]
    runtime.delete("talk", force=True)
    linux.assert_untouched()


@pytest.mark.nightly
@pytest.mark.processors(2)
def test_channels_of_one_name_on_two_cores(
    runtime: DeployedRuntime, firmware: FirmwareMaker, witness: Witness, linux: Linux, wait_for_log: WaitForLog
) -> None:
    """Each container reads its own core's, whatever the numbers of the devices."""
    echoes = [firmware("echo", core=core) for core in (1, 0)]
    for echo in echoes:
        start_echo(runtime, witness, echo, echo.processor, logs="rpmsg:rpmsg-raw,rpmsg:rpmsg-tty")
    for echo in echoes:
        for channel in ("rpmsg-tty", "rpmsg-raw"):
            lines = wait_for_log(echo.processor, f"{echo.speaker} {channel} beat=2")
        assert {line.partition(" ")[0] for line in lines if line} == {echo.speaker}
    for echo in echoes:
        runtime.delete(echo.processor, force=True)
    linux.assert_untouched()


def test_two_channels_of_one_name(
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    wait_for_log: WaitForLog,
) -> None:
    """As the usual example announces them: both are followed, and an address names one."""
    echo = firmware("echo")
    shell.put(shell.get(echo.path_on_board).replace(b"rpmsg-raw\0", b"rpmsg-tty\0"), echo.path_on_board)
    start_echo(runtime, witness, echo, "twins", logs="rpmsg:rpmsg-tty")
    for address in ("0x401", "0x402"):
        said(runtime, "twins", f"address {address}")
        wait_for_log("twins", f"[rpmsg-tty@{address}] {echo.speaker} rpmsg-tty beat=3")
    runtime.delete("twins", force=True)
    start_echo(runtime, witness, echo, "one", logs="rpmsg:rpmsg-tty@0x402")
    lines = wait_for_log("one", f"{echo.speaker} rpmsg-tty beat=2")
    assert not any("rpmsg-tty@" in line for line in lines)
    told = said(runtime, "one", "rpmsg channel `rpmsg-tty@0x402` is `/dev/ttyRPMSG")
    assert not any("0x401" in line for line in told)
    runtime.delete("one", force=True)
    linux.assert_untouched()


def test_channels_that_are_not_named_are_left_to_others(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux, client: str
) -> None:
    echo = firmware("echo")
    start_echo(runtime, witness, echo, "half", logs="rpmsg:rpmsg-raw")
    terminal, messages = sorted(linux.rpmsg_devices(echo.processor), reverse=True)
    said(runtime, "half", f"rpmsg channel `rpmsg-raw` is `{messages}`")
    assert shell.run(["python3", client, "20", terminal], deadline=Deadline(60.0)).stdout.startswith("20 ")
    taken = shell.run(["python3", client, "1", messages], check=False)
    assert "Device or resource busy" in taken.stderr
    assert not any(" got " in line or "tty" in line for line in runtime.logs("half"))
    runtime.delete("half", force=True)
    linux.assert_untouched()


@pytest.mark.nightly
def test_a_channel_that_never_comes_is_told_once(
    runtime: DeployedRuntime, firmware: FirmwareMaker, witness: Witness, linux: Linux, wait_for_log: WaitForLog
) -> None:
    echo = firmware("echo")
    start_echo(runtime, witness, echo, "waits", logs="trace,rpmsg:nobody,rpmsg:rpmsg-tty")
    said(runtime, "waits", "rpmsg channel `nobody` is not there: the firmware has not announced it")
    wait_for_log("waits", f"{echo.speaker} rpmsg-tty beat=5")
    said(runtime, "waits", "`nobody`")
    runtime.delete("waits", force=True)
    linux.assert_untouched()


def test_a_recovery_by_the_kernel_opens_the_channels_again(
    alive: Alive,
    runtime: DeployedRuntime,
    linux: Linux,
    faults: Faults,
    wait_for_log: WaitForLog,
) -> None:
    echo = alive("phoenix", "echo", annotations={"remoteproc.recovery": "kernel", "remoteproc.logs": BOTH})
    wait_for_log("phoenix", f"{echo.speaker} rpmsg-raw beat=2")
    faults.crash(echo.processor)
    for channel in ("rpmsg-tty", "rpmsg-raw"):
        said(runtime, "phoenix", f"rpmsg channel `{channel}` is gone")
        said(runtime, "phoenix", f"rpmsg channel `{channel}` is `/dev/", times=2)
        # Beats are counted from each start on.
        deadline = Deadline(PROOF_S)
        first = f"{echo.speaker} {channel} beat=1"
        while runtime.logs("phoenix").count(first) < 2 and not deadline.expired:
            continue
        assert runtime.logs("phoenix").count(first) == 2
    runtime.delete("phoenix", force=True)
    linux.assert_untouched()


def test_a_channel_without_driver_is_read_through_a_file_of_messages(
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    wait_for_log: WaitForLog,
) -> None:
    """As any name is that no driver of the kernel knows: here the terminal's is taken from it."""
    echo = firmware("echo")
    start_echo(runtime, witness, echo, "orphan", logs="rpmsg:rpmsg-tty")
    said(runtime, "orphan", "rpmsg channel `rpmsg-tty` is `/dev/ttyRPMSG")
    shell.run("cd /sys/bus/rpmsg/drivers/rpmsg_tty && echo *.rpmsg-tty.* > unbind")
    lines = said(runtime, "orphan", "rpmsg channel `rpmsg-tty` is `/dev/rpmsg")
    assert any("rpmsg channel `rpmsg-tty` is gone" in line for line in lines)
    beats = len(runtime.logs("orphan"))
    wait_for_log("orphan", f"{echo.speaker} rpmsg-tty beat={beats + 2}")
    runtime.delete("orphan", force=True)
    linux.assert_untouched()


HOLD_FIRST = """
kill -STOP {pid}
cd /sys/bus/rpmsg/drivers/rpmsg_chrdev
name=$(echo *.rpmsg-raw.*)
echo $name > unbind
echo $name > bind
for path in $name/rpmsg/*; do exec 3<>/dev/${{path##*/}}; done
kill -CONT {pid}
n=0
until hybrid-runtime logs held 2>&1 | grep -q 'another program has'; do n=$((n + 1)); [ $n -lt 40 ] || exit 3; done
exec 3>&-
"""


@pytest.mark.nightly
def test_a_channel_another_program_has_open_is_waited_for(
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    wait_for_log: WaitForLog,
) -> None:
    echo = firmware("echo")
    start_echo(runtime, witness, echo, "held", logs="rpmsg:rpmsg-raw")
    wait_for_log("held", f"{echo.speaker} rpmsg-raw beat=1")
    shell.run(HOLD_FIRST.format(pid=runtime.state("held")["pid"]), deadline=Deadline(60.0))
    said(runtime, "held", "rpmsg channel `rpmsg-raw` is `/dev/", times=2)
    said(runtime, "held", "another program has `/dev/rpmsg")
    assert runtime.state("held")["status"] == "running"
    runtime.delete("held", force=True)
    linux.assert_untouched()


def test_kill_9_with_open_channels_stops_the_core(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    echo = firmware("echo")
    start_echo(runtime, witness, echo, "orphan", logs=BOTH)
    said(runtime, "orphan", "rpmsg channel `rpmsg-raw` is `/dev/")
    pid = runtime.state("orphan")["pid"]
    state = f"/sys/class/remoteproc/{linux.devices[echo.processor]}/state"
    shell.run(
        f"kill -9 {pid}; n=0; while read -r s < {state} && [ $s != offline ]; do "
        "n=$((n + 1)); [ $n -lt 100 ] || exit 3; usleep 10000; done"
    )
    assert linux.rpmsg_devices(echo.processor) == []
    runtime.delete("orphan")
    linux.assert_untouched()
