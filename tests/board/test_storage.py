"""Folders that are full, read-only or long: a message that helps, nothing left behind, and what runs goes on."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.faults import Faults
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Completed, Shell
from tests.linux import Alive, AllIsWell, Linux, WaitForStatus

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


def create(runtime: DeployedRuntime, hello: BuiltFirmware, root: str) -> Completed:
    return runtime.run(
        "--root", root, "--processor", hello.processor, "create", hello.path_on_board, "motor", check=False
    )


def unusable(faults: Faults, place: str, how: str) -> AbstractContextManager[None]:
    return faults.fill(place) if how == "full" else faults.read_only(place)


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_root_folder(
    *,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    linux: Linux,
    faults: Faults,
    place: str,
    how: str,
) -> None:
    hello = firmware("hello")
    with unusable(faults, place, how):
        refused = create(runtime, hello, f"{place}/root")
        assert refused.exit_status == 1
        reason = "no space left on device" if how == "full" else "read-only file system"
        assert reason in refused.stderr
        assert "--root" in refused.stderr
        assert "Traceback" not in refused.stderr
        # The lock of the folder lies beside its containers and stays, as those of the claims do.
        assert shell.run(["ls", "-A", f"{place}/root"]).stdout.split() in ([], ["~lock"])
        assert linux.journals() == []
        for words in (["list"], ["state", "motor"], ["delete", "--force", "motor"], ["doctor"]):
            assert "Traceback" not in runtime.run("--root", f"{place}/root", *words, check=False).stderr


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_firmware_folder(
    *,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    linux: Linux,
    faults: Faults,
    firmware_place: str,
    how: str,
) -> None:
    hello = firmware("hello")
    with unusable(faults, firmware_place, how):
        refused = runtime.create("motor", hello, check=False)
        assert refused.exit_status == 1
        assert f"cannot install the firmware as `{firmware_place}/hello.elf-" in refused.stderr
        assert ("no space left on device" if how == "full" else "read-only file system") in refused.stderr
        assert "echo -n /var/lib/firmware > /sys/module/firmware_class/parameters/path" in refused.stderr
        assert "firmware_class.path=/var/lib/firmware on the kernel's command line" in refused.stderr
        assert linux.containers() == linux.journals() == []
        assert ".elf" not in shell.run(["ls", "-A", firmware_place]).stdout


def test_claims_folder_that_is_full(
    *,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    linux: Linux,
    faults: Faults,
    place: str,
) -> None:
    hello = firmware("hello")
    shell.run(f"mkdir -p {CLAIMS} && mount --bind {place} {CLAIMS}")
    try:
        with faults.fill(place):
            refused = runtime.create("motor", hello, check=False)
            assert refused.exit_status == 1
            assert "no space left on device" in refused.stderr
            assert linux.installed_firmware() == linux.containers() == []
    finally:
        shell.run(["umount", CLAIMS])


def test_disk_that_fills_up_under_a_running_container(
    *,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    faults: Faults,
    place: str,
) -> None:
    """Records and logs only report: the core goes on, and the end is as orderly as ever."""
    heartbeat = firmware("heartbeat")
    assert create(runtime, heartbeat, f"{place}/root").exit_status == 0
    root = ("--root", f"{place}/root")
    runtime.run(*root, "start", "motor")
    witness.started(heartbeat, Deadline(PROOF_S))
    with faults.fill(place):
        witness.beating(heartbeat, Deadline(PROOF_S))
        assert '"status": "running"' in runtime.run(*root, "state", "motor").stdout
        runtime.run(*root, "kill", "motor")
        witness.silent(heartbeat)
        runtime.run(*root, "delete", "motor")
        # The lock of the folder lies beside its containers and stays, as those of the claims do.
        assert shell.run(["ls", "-A", f"{place}/root"]).stdout.split() in ([], ["~lock"])
        assert linux.journals() == linux.installed_firmware() == []


def test_read_only_root_file_system(
    *,
    alive: Alive,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    faults: Faults,
    wait_for_status: WaitForStatus,
) -> None:
    """Firmware in a tmpfs: the whole life, and doctor names what is read-only."""
    heartbeat = firmware("heartbeat")
    shell.run("mkdir -p /run/firmware")
    try:
        with faults.read_only("/"):
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
            alive("motor", heartbeat)
            runtime.kill("motor")
            wait_for_status("motor", "stopped")
            runtime.delete("motor")
    finally:
        shell.run(f"echo > {PATH}; rm -rf /run/firmware")


@pytest.mark.needs("coredump")
def test_root_disk_that_is_full(
    *,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
    faults: Faults,
    wait_for_status: WaitForStatus,
    all_is_well: AllIsWell,
) -> None:
    """What lives goes on and ends; a dump is given up with the reason, and a create is refused with it."""
    heartbeat = firmware("heartbeat")
    runtime.create("motor", heartbeat, annotations={"remoteproc.coredump": "on"})
    try:
        with faults.fill("/"):
            runtime.start("motor")
            witness.started(heartbeat, Deadline(PROOF_S))
            refused = runtime.run(
                *("create", "--annotation", f"remoteproc.name={heartbeat.processor}"),
                *(heartbeat.path_on_board, "other"),
                check=False,
            )
            assert "is held by container `motor`" in refused.stderr
            faults.crash(heartbeat.processor)
            state = wait_for_status("motor", "stopped", 30.0)
            assert state["annotations"]["remoteproc.exit-code"] == "70"
            assert "remoteproc.coredump-path" not in state["annotations"]
            logs = runtime.run("logs", "motor")
            assert "beat=1" in logs.stdout
            assert "no core dump: no space left on device" in logs.stderr
            runtime.delete("motor")
            linux.assert_untouched()
        # The firmware that is gone has left a little room.
        with faults.fill("/"):
            refused = runtime.create("motor", heartbeat, check=False)
            assert "no space left on device" in refused.stderr
            linux.assert_untouched()
    finally:
        shell.run(
            "rm -rf /var/lib/hybrid-runtime; for d in /sys/class/devcoredump/devcd*/data; do echo >$d; done; true"
        )
    all_is_well()


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
    assert shell.run(["ls", "-A", root]).stdout.split() == ["~lock"]
    shell.run(["rm", "-r", root])
    linux.assert_untouched()
