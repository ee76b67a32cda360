"""Folders that are full, read-only or long: a message that helps, nothing left behind, and what runs goes on."""

from collections.abc import Iterator

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.firmware import BuiltFirmware
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.proof import Witness
from hybrid_hil.runtime import DeployedRuntime
from hybrid_hil.shell import Completed, Shell
from linux import Linux, WaitForStatus

PLACE = "/tmp/place"
PATH = "/sys/module/firmware_class/parameters/path"
CLAIMS = "/run/hybrid-runtime-claims"
PROOF_S = 10.0


@pytest.fixture
def place(shell: Shell, linux: Linux) -> Iterator[str]:
    """A file system of its own, 64 KiB small."""
    shell.run(f"mkdir -p {PLACE} && mount -t tmpfs -o size=64k tmpfs {PLACE} && mkdir {PLACE}/root")
    yield PLACE
    shell.run(f"umount {PLACE} && rmdir {PLACE}")
    linux.assert_untouched()


@pytest.fixture
def firmware_place(shell: Shell, place: str) -> Iterator[str]:
    """The same as firmware folder."""
    shell.run(f"printf %s {place} > {PATH}")
    yield place
    shell.run(f"echo > {PATH}")


def fill(shell: Shell, place: str) -> None:
    shell.run(f"dd if=/dev/zero of={place}/ballast bs=4k 2>/dev/null || true")


def create(runtime: DeployedRuntime, hello: BuiltFirmware, root: str) -> Completed:
    return runtime.run(
        "--root", root, "--processor", hello.processor, "create", hello.path_on_board, "motor", check=False
    )


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_root_folder(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, linux: Linux, place: str, how: str
) -> None:
    if how == "full":
        fill(shell, place)
    else:
        shell.run(f"mount -o remount,ro {place}")
    refused = create(runtime, firmware("hello"), f"{place}/root")
    assert refused.exit_status == 1
    reason = "no space left on device" if how == "full" else "read-only file system"
    assert reason in refused.stderr
    assert "--root" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert shell.run(["ls", "-A", f"{place}/root"]).stdout == ""
    assert linux.journals() == []
    for words in (["list"], ["state", "motor"], ["delete", "--force", "motor"], ["doctor"]):
        assert "Traceback" not in runtime.run("--root", f"{place}/root", *words, check=False).stderr


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_firmware_folder(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, linux: Linux, firmware_place: str, how: str
) -> None:
    if how == "full":
        fill(shell, firmware_place)
    else:
        shell.run(f"mount -o remount,ro {firmware_place}")
    refused = runtime.create("motor", firmware("hello"), check=False)
    assert refused.exit_status == 1
    assert f"cannot install the firmware as `{firmware_place}/hello.elf-" in refused.stderr
    assert ("no space left on device" if how == "full" else "read-only file system") in refused.stderr
    assert "echo -n /var/lib/firmware > /sys/module/firmware_class/parameters/path" in refused.stderr
    assert "firmware_class.path=/var/lib/firmware on the kernel's command line" in refused.stderr
    assert linux.containers() == linux.journals() == []
    assert ".elf" not in shell.run(["ls", "-A", firmware_place]).stdout


def test_claims_folder_that_is_full(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, linux: Linux, place: str
) -> None:
    hello = firmware("hello")
    shell.run(f"mkdir -p {CLAIMS} && mount --bind {place} {CLAIMS}")
    try:
        fill(shell, place)
        refused = runtime.create("motor", hello, check=False)
        assert refused.exit_status == 1
        assert "no space left on device" in refused.stderr
        assert linux.installed_firmware() == linux.containers() == []
    finally:
        shell.run(["umount", CLAIMS])


def test_disk_that_fills_up_under_a_running_container(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux, place: str
) -> None:
    """Records and logs only report: the core goes on, and the end is as orderly as ever."""
    heartbeat = firmware("heartbeat")
    assert create(runtime, heartbeat, f"{place}/root").exit_status == 0
    root = ("--root", f"{place}/root")
    runtime.run(*root, "start", "motor")
    witness.started(heartbeat, Deadline(PROOF_S))
    fill(shell, place)
    witness.beating(heartbeat, Deadline(PROOF_S))
    assert '"status": "running"' in runtime.run(*root, "state", "motor").stdout
    runtime.run(*root, "kill", "motor")
    witness.silent(heartbeat)
    runtime.run(*root, "delete", "motor")
    assert shell.run(["ls", "-A", f"{place}/root"]).stdout == ""
    assert linux.journals() == linux.installed_firmware() == []


def test_read_only_root_file_system(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, witness: Witness, wait_for_status: WaitForStatus
) -> None:
    """Firmware in a tmpfs: the whole life, and doctor names what is read-only."""
    heartbeat = firmware("heartbeat")
    shell.run("mkdir -p /run/firmware && sync && mount -o remount,ro /")
    try:
        refused = runtime.create("motor", heartbeat, check=False)
        assert "read-only file system" in refused.stderr
        assert "firmware_class.path=" in refused.stderr
        found = runtime.run("doctor", check=False)
        assert "problem   the firmware folder cannot be written: `/lib/firmware` on ext4" in found.stdout
        assert found.exit_status == 1
        shell.run(f"printf %s /run/firmware > {PATH}")
        found = runtime.run("doctor")
        assert "ok        the firmware folder can be written: `/run/firmware` on tmpfs" in found.stdout
        assert "ok        the root file system is read-only" in found.stdout
        runtime.create("motor", heartbeat)
        runtime.start("motor")
        witness.started(heartbeat, Deadline(PROOF_S))
        runtime.kill("motor")
        wait_for_status("motor", "stopped")
        runtime.delete("motor")
    finally:
        shell.run(f"mount -o remount,rw / && echo > {PATH}")
        shell.run(["rm", "-rf", "/run/firmware"])


@pytest.mark.parametrize("length", [60, 120, 250])
def test_long_root(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux, length: int
) -> None:
    """A socket's address ends at 107 bytes."""
    heartbeat = firmware("heartbeat")
    root = f"/tmp/{'r' * length}"
    identifier = "i" * min(length, 200)
    options = ("--root", root, "--processor", heartbeat.processor)
    runtime.run(*options, "create", heartbeat.path_on_board, identifier)
    runtime.run("--root", root, "start", identifier)
    witness.started(heartbeat, Deadline(PROOF_S))
    assert runtime.run("--root", root, "list", "-q").stdout == f"{identifier}\n"
    runtime.run("--root", root, "delete", "--force", identifier)
    shell.run(["rmdir", root])
    linux.assert_untouched()
