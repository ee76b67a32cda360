"""Firmware files nobody answers for are collected, and no other file is."""

import json
import signal
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_runtime.container.claim import Journal, journal_path, read_journal, take_claim
from hybrid_runtime.container.orphans import collect_orphans, find_orphans
from hybrid_runtime.firmware.installation import boot_of, unique_name
from hybrid_runtime.firmware.search_path import firmware_folder
from hybrid_runtime.system.system_paths import SystemPaths
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import BOOT_ID, ProcessorDouble, RemoteprocDouble

TIME = "20261122T043250Z"
THIS_BOOT = f"motor.elf-{TIME}-{BOOT_ID[:8]}01234567"
OTHER_BOOT = f"motor.elf-{TIME}-fedcba9801234567"
NOT_OURS = (
    *("modem.bin", "motor.elf", TIME, f"-{BOOT_ID[:8]}01234567", f"motor.elf-{BOOT_ID[:8]}01234567"),
    f"motor.elf-{TIME}-{BOOT_ID[:8]}0123456",
    f"motor.elf-{TIME}-{BOOT_ID[:8]}0123456G",
    f"motor.elf-{TIME}-{BOOT_ID[:8].upper()}01234567",
    f"motor.elf-20261122043250Z-{BOOT_ID[:8]}01234567",
    f"motor.elf-2026112²T043250Z-{BOOT_ID[:8]}01234567",
    f"{TIME}-{BOOT_ID[:8]}01234567",
    f"{THIS_BOOT}.tmp.tmp",
    f"{THIS_BOOT}.xz",
)


@pytest.fixture
def system(double: RemoteprocDouble) -> SystemPaths:
    return SystemPaths(str(double.sysroot))


def put(double: RemoteprocDouble, *names: str) -> None:
    for name in names:
        (double.firmware_folder / name).write_bytes(b"firmware")


def collected(system: SystemPaths) -> list[str]:
    return [Path(path).name for path in collect_orphans(system, firmware_folder(system))]


@given(st.text(min_size=1, max_size=200), st.sampled_from(["", ".tmp"]))
def test_names_of_our_making_are_known_again(path: str, ending: str) -> None:
    assert boot_of(unique_name(path, "0123abcd", "89abcdef", TIME) + ending) == "0123abcd"


@pytest.mark.parametrize("name", NOT_OURS)
def test_names_of_others(name: str) -> None:
    assert boot_of(name) is None


@given(st.text(max_size=60))
def test_any_name_is_looked_at(name: str) -> None:
    assert boot_of(name) is None or len(name) > 34


def test_collects_its_own_and_nothing_else(system: SystemPaths, double: RemoteprocDouble) -> None:
    put(double, *NOT_OURS, THIS_BOOT, f"{THIS_BOOT}.tmp", OTHER_BOOT)
    (double.firmware_folder / f"folder-{OTHER_BOOT}").mkdir()
    (double.firmware_folder / f"link-{OTHER_BOOT}").symlink_to("modem.bin")
    assert len(find_orphans(system, firmware_folder(system))) == 3
    assert collected(system) == sorted([THIS_BOOT, f"{THIS_BOOT}.tmp", OTHER_BOOT])
    assert double.installed() == sorted([*NOT_OURS, f"folder-{OTHER_BOOT}", f"link-{OTHER_BOOT}"])


@pytest.mark.parametrize("state", ["running", "crashed", "attached", "suspended", "detached", "invalid"])
def test_what_a_core_runs_is_kept(system: SystemPaths, double: RemoteprocDouble, state: str) -> None:
    put(double, OTHER_BOOT)
    core = double.add("core0", state=state)
    core.write("firmware", OTHER_BOOT)
    assert collected(system) == []
    core.set_state("offline")
    assert collected(system) == [OTHER_BOOT]


def test_what_a_journal_names_is_kept(system: SystemPaths, double: RemoteprocDouble) -> None:
    put(double, THIS_BOOT, f"{THIS_BOOT}.tmp", OTHER_BOOT)
    claim = take_claim(system, "remoteproc0")
    assert claim is not None
    journal = Journal("/root", "motor")
    journal.firmware_file = str(double.firmware_folder / THIS_BOOT)
    claim.write_journal(journal)
    assert collected(system) == [OTHER_BOOT]
    # As long as one cannot be read, it may name any of them.
    Path(journal_path(system, "remoteproc0")).write_text("{")
    put(double, OTHER_BOOT)
    assert collected(system) == []
    claim.close()


def test_files_that_cannot_be_removed_are_left(
    system: SystemPaths, double: RemoteprocDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(double, OTHER_BOOT)

    def refuse(path: str) -> None:
        raise OSError(30, "read-only file system", path)

    monkeypatch.setattr("hybrid_runtime.container.orphans.remove_file", refuse)
    assert collected(system) == []
    assert double.installed() == [OTHER_BOOT]


def test_no_firmware_folder(tmp_path: Path) -> None:
    assert find_orphans(SystemPaths(str(tmp_path)), str(tmp_path / "nowhere")) == []


def test_create_collects(command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path) -> None:
    put(double, OTHER_BOOT, f"{THIS_BOOT}.tmp", "modem.bin")
    command.create(firmware, "motor")
    installed = command.record("motor")["firmware_name"]
    assert double.installed() == sorted(["modem.bin", installed])
    command.run("start", "motor")
    assert core.state == "running"


def test_creates_leave_each_other_s_files(command: Command, double: RemoteprocDouble, firmware: Path) -> None:
    """Eight at once, twice: each lists the folder while the others install into it."""
    cores = [double.add(f"core{number}") for number in range(8)]
    for attempt in range(2):
        put(double, OTHER_BOOT)
        spawned = [
            command.spawn("create", "--processor", core.read("name"), firmware, f"c{number}")
            for number, core in enumerate(cores)
        ]
        assert [process.wait(20) for process, _ in spawned] == [0] * 8, attempt
        assert len(double.installed()) == 8
        for number in range(8):
            command.run("start", f"c{number}")
            command.run("delete", "--force", f"c{number}")
        assert double.leftovers() == []


def test_a_journaled_name_is_never_collected_however_it_is_timed(system: SystemPaths, double: RemoteprocDouble) -> None:
    """One thread journals, installs, removes and clears as create and its undoing do; the collector runs against it."""
    claim = take_claim(system, "remoteproc0")
    assert claim is not None
    stop = threading.Event()
    taken: list[str] = []

    def collect() -> None:
        while not stop.is_set():
            taken.extend(collected(system))

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        for number in range(200):
            journal = Journal("/root", "motor")
            target = double.firmware_folder / f"motor.elf-{TIME}-{BOOT_ID[:8]}{number:08x}"
            journal.firmware_file = str(target)
            claim.write_journal(journal)
            target.with_name(f"{target.name}.tmp").write_bytes(b"firmware")
            target.with_name(f"{target.name}.tmp").rename(target)
            assert target.read_bytes() == b"firmware"
            target.unlink()
            claim.clear_journal()
    finally:
        stop.set()
        collector.join()
    assert taken == []
    assert read_journal(system, "remoteproc0") is None
    claim.close()


def test_empty_folder_of_a_killed_create(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    """SIGKILL between mkdir and the first record: the id is free for the next create."""
    folder = double.root / "motor"
    for leftover in ((), ("record.json.123-0123abcd.tmp",)):
        folder.mkdir(parents=True)
        for name in leftover:
            (folder / name).write_text("{")
        command.create(firmware, "motor")
        assert command.status("motor") == "created"
        command.run("delete", "motor")
    assert core.boots == double.leftovers() == []


def test_folders_with_anything_in_them_are_kept(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    folder = double.root / "motor"
    folder.mkdir(parents=True)
    (folder / "log").write_text("")
    assert "already exists" in command.run("create", firmware, "motor", code=1).stderr
    assert "cannot be read" in command.run("delete", "motor", code=1).stderr
    command.run("delete", "--force", "motor")
    assert core.boots == double.leftovers() == []


@pytest.mark.parametrize("device", ["../../etc", "remoteproc0/..", "remoteproc", "remoteproc²", "cpu0"])
def test_record_with_a_device_that_is_none(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, device: str
) -> None:
    pid = command.create(firmware, "motor")
    path = double.root / "motor/record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"device": device}))
    assert "field `device` is no processor" in command.run("state", "motor", code=1).stderr
    command.run("delete", "--force", "motor")
    assert command.exit_code(pid, 0) == 128 + signal.SIGKILL
    assert core.boots == double.leftovers() == []
