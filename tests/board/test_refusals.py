"""What create and start refuse, with which words, and that nothing is left behind."""

import json

import pytest

from hybrid_hil.board import Board
from hybrid_hil.bringup.elf import read_firmware
from hybrid_hil.device.faults import Faults
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.board.driver import Driver
from tests.linux import AllIsWell, Linux

MEMORY_AS_JSON = ("processors", "--memory", "-f", "json")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("truncated", "the firmware is truncated"),
        ("not-elf", "the firmware is not an ELF file"),
        # By the driver that sysfs shows: remoteproc itself looks at no machine.
        ("wrong-machine", "the file is for AArch64, and cores of `"),
    ],
)
def test_create_refuses_a_malformed_file(
    runtime: DeployedRuntime, firmware: FirmwareMaker, linux: Linux, name: str, words: str
) -> None:
    refused = runtime.create("bad", firmware(name), check=False)
    assert refused.exit_status == 1
    assert words in refused.stderr
    linux.assert_untouched()


def test_start_refuses_what_the_core_cannot_load(
    runtime: DeployedRuntime, firmware: FirmwareMaker, linux: Linux
) -> None:
    bad = firmware("out-of-range")
    runtime.create("bad", bad)
    refused = runtime.start("bad", check=False)
    assert refused.exit_status == 1
    assert "invalid argument" in refused.stderr
    assert "the kernel says:" in refused.stderr
    assert "bad phdr da 0x90000000" in refused.stderr
    assert "is outside of the core's memory: " in refused.stderr
    assert refused.stderr.endswith("(link the firmware there: hybrid-runtime processors --memory)\n")
    # Short for people and for the one line that engines show; all of it is in the container's log.
    assert "powering up" not in refused.stderr
    assert "powering up" in runtime.run("logs", "bad").stderr
    assert_start_failed(runtime, linux, bad.processor)


def test_firmware_lies_in_the_memory_that_is_listed(runtime: DeployedRuntime, board: Board) -> None:
    """Devicetree and driver tell of it, and every core runs what was linked for it."""
    listed = {entry["name"]: entry["memory"] for entry in json.loads(runtime.run(*MEMORY_AS_JSON).stdout)}
    for core in board.cores:
        segments = read_firmware(core.firmware / "heartbeat.elf").loaded
        assert segments
        for start, end in segments:
            places = [(each["start"], each["start"] + each["size"]) for each in listed[core.name]]
            assert any(first <= start and end <= behind for first, behind in places), (hex(start), listed)


def test_the_devices_that_speak_for_a_processor(shell: Shell, board: Board, linux: Linux) -> None:
    """The kernel's log has a driver's reasons under the name of the driver's device."""
    home = shell.run("dirname $(dirname $(readlink -f /usr/bin/hybrid-runtime))").stdout.strip()
    for core in board.cores:
        device = linux.devices[core.name]
        program = (
            f"import sys; sys.path.insert(0, '{home}'); from hybrid_runtime.system.system_paths import SystemPaths; "
            f"from hybrid_runtime.processor.kernel_log import devices_above; "
            f"print(*devices_above(SystemPaths(), '{device}'), sep='\\n')"
        )
        speakers = shell.run(["python3", "-IS", "-c", program]).stdout.split()
        assert speakers
        processor = shell.run(["readlink", "-f", f"/sys/class/remoteproc/{device}"]).stdout.strip()
        for speaker in speakers:
            bus, _, name = speaker.partition(":")
            folder = shell.run(["readlink", "-f", f"/sys/bus/{bus}/devices/{name}"]).stdout.strip()
            assert processor.startswith(f"{folder}/")
            has_driver = shell.run(["test", "-e", f"{folder}/driver"], check=False).exit_status == 0
            assert has_driver == (speaker == speakers[-1])


def assert_start_failed(runtime: DeployedRuntime, linux: Linux, processor: str) -> None:
    """The supervisor is dead before start returns: engines could not remove the container otherwise."""
    state = runtime.state("bad")
    assert state["status"] == "stopped"
    assert state["annotations"]["remoteproc.exit-code"] == "72"
    assert linux.attribute(processor, "state") == "offline"
    assert linux.installed_firmware() == []
    assert "kernel: remoteproc" in runtime.run("logs", "bad").stderr
    runtime.delete("bad")
    linux.assert_untouched()


def test_start_refuses_when_the_installed_file_is_gone(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, linux: Linux
) -> None:
    hello = firmware("hello")
    runtime.create("bad", hello)
    shell.run(f"rm /lib/firmware/{linux.installed_firmware()[0]}")
    refused = runtime.start("bad", check=False)
    assert refused.exit_status == 1
    assert "file not found" in refused.stderr
    _, says, reasons = refused.stderr.partition("the kernel says: ")
    assert says
    assert reasons.endswith("; request_firmware failed: -2\n")
    assert_start_failed(runtime, linux, hello.processor)


def test_start_looks_at_the_core_after_the_kernel_s_yes(
    *,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    linux: Linux,
    faults: Faults,
    driver: Driver,
    all_is_well: AllIsWell,
) -> None:
    """A recovery that finds no firmware leaves a reference: the next "start" is one more, and boots nothing
    (rproc_boot_recovery and rproc_boot of remoteproc_core.c)."""
    hello = firmware("hello")
    linux.write(hello.processor, "recovery", "enabled")
    shell.run(["cp", hello.path_on_board, "/lib/firmware/by-hand.elf"])
    linux.write(hello.processor, "firmware", "by-hand.elf")
    linux.write(hello.processor, "state", "start")
    shell.run(["rm", "/lib/firmware/by-hand.elf"])
    faults.crash(hello.processor)
    state = f"/sys/class/remoteproc/{linux.devices[hello.processor]}/state"
    shell.run(f"until grep -q offline {state}; do usleep 10000; done")
    try:
        runtime.create("bad", hello)
        refused = runtime.start("bad", check=False)
        assert refused.exit_status == 1
        assert "is offline after a start that the kernel called a success" in refused.stderr
        assert runtime.state("bad")["annotations"]["remoteproc.exit-code"] == "72"
        runtime.delete("bad")
    finally:
        # As the refusal advises, or the next test meets the reference. Its settings are the driver's own again then.
        driver.unbind()
        driver.bind()
    all_is_well()


def test_a_held_processor_is_refused_naming_its_holder(
    runtime: DeployedRuntime, firmware: FirmwareMaker, linux: Linux
) -> None:
    hello = firmware("hello")
    runtime.create("first", hello)
    for started in (False, True):
        if started:
            runtime.start("first")
        refused = runtime.create("second", hello, check=False)
        assert refused.exit_status == 1
        assert f"processor `{hello.processor}`" in refused.stderr
        assert "held by container `first`" in refused.stderr
    assert linux.containers() == ["first"]
    runtime.delete("first", force=True)
    linux.assert_untouched()


def test_a_core_started_by_hand_is_refused_and_left_alone(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, linux: Linux
) -> None:
    hello = firmware("hello")
    shell.run(["cp", hello.path_on_board, "/lib/firmware/by-hand.elf"])
    linux.write(hello.processor, "firmware", "by-hand.elf")
    linux.write(hello.processor, "state", "start")
    refused = runtime.create("late", hello, check=False)
    assert refused.exit_status == 1
    assert "runs `by-hand.elf`, started outside this runtime" in refused.stderr
    assert linux.attribute(hello.processor, "state") == "running"
    linux.write(hello.processor, "state", "stop")
    shell.run(["rm", "/lib/firmware/by-hand.elf"])
    linux.assert_untouched()


def test_unknown_and_ambiguous_processors_list_what_exists(
    runtime: DeployedRuntime, board: Board, firmware: FirmwareMaker, linux: Linux
) -> None:
    hello = firmware("hello")
    unknown = runtime.create("x", hello, processor="no-such-core", check=False)
    assert unknown.exit_status == 1
    assert all(f"`{name}`" in unknown.stderr for name in (core.name for core in board.cores))
    if len(board.cores) > 1:
        ambiguous = runtime.run("create", hello.path_on_board, "x", check=False)
        assert ambiguous.exit_status == 1
        assert "this board has 2 processors and none is named" in ambiguous.stderr
    linux.assert_untouched()


@pytest.mark.parametrize("identifier", ["../x", "..", ".", "a/b", "/abs", "a\tb", "a" * 256, "ä"])
def test_ids_that_are_no_names(
    runtime: DeployedRuntime, firmware: FirmwareMaker, linux: Linux, identifier: str
) -> None:
    assert runtime.create(identifier, firmware("hello"), check=False).exit_status == 1
    for verb in ("start", "state", "kill", "delete", "logs"):
        assert runtime.run(verb, identifier, check=False).exit_status == 1
    linux.assert_untouched()
