"""Entries of the kernel's log about one processor, read from a file in place of /dev/kmsg."""

import os
import posix
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_runtime.lifecycle.starting import telling
from hybrid_runtime.processor.kernel_log import KernelLog, crash_type, devices_above, message, tells_of_boot
from hybrid_runtime.system.system_paths import SystemPaths

RECORD = (
    b"3,1203,84713042,-;remoteproc remoteproc0: crash detected in 10000.r5f: type watchdog\n"
    b" SUBSYSTEM=remoteproc\n DEVICE=+remoteproc:remoteproc0\n"
)
DRIVER = (
    b"3,712,9182736,-;qcom_q6v5_pas 20c00000.remoteproc: error -22 initializing firmware\n"
    b" SUBSYSTEM=platform\n DEVICE=+platform:20c00000.remoteproc\n"
)


def test_message() -> None:
    assert message(RECORD) == "remoteproc remoteproc0: crash detected in 10000.r5f: type watchdog"
    assert message(b"6,1,2,-;a;b\n X=y\n") == "a;b"


@given(st.binary(max_size=80))
def test_any_entry_is_one_line(entry: bytes) -> None:
    assert "\n" not in message(entry)
    message(entry).encode()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("remoteproc remoteproc0: crash detected in 10000.r5f: type watchdog", "watchdog"),
        ("remoteproc remoteproc0: crash detected in x: type mmufault", "mmufault"),
        ("remoteproc remoteproc0: crash detected in type a: type fatal error", "fatal error"),
        ("remoteproc remoteproc0: handling crash #1 in 10000.r5f", None),
        ("remoteproc remoteproc0: remote processor 10000.r5f is now up", None),
        # Only the remoteproc core reports crashes; a driver may speak of another's.
        ("some_driver 10000.cluster: crash detected in x: type watchdog", None),
    ],
)
def test_crash_types(text: str, kind: str | None) -> None:
    assert crash_type(text) == kind


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        (b"6,1,2,-;remoteproc remoteproc1: powering up\n SUBSYSTEM=remoteproc\n DEVICE=c240:1\n", True),
        (b"6,1,2,-;remoteproc remoteproc1: powering up\n", True),
        (b"6,1,2,-;remoteproc remoteproc10: powering up\n", False),
        (b"6,1,2,-;remoteproc1: powering up\n", False),
        (b"6,1,2,-;user says remoteproc remoteproc1: powering up\n", False),
        # Recorded: Qualcomm's driver says why under the name of its own device.
        (DRIVER, True),
        (DRIVER.replace(b"3,", b"6,", 1), True),
        # With the facility of a daemon: 3 << 3 | 3.
        (DRIVER.replace(b"3,", b"27,", 1), True),
        (DRIVER.replace(b"3,", b"7,", 1), False),
        (DRIVER.replace(b"20c00000", b"20c00001"), False),
        (DRIVER.replace(b"20c00000.remoteproc\n", b"20c00000.remoteproc:glink-edge\n"), False),
        # The bus above speaks of all its devices.
        (b"4,1,2,-;simple-pm-bus soc@0: late\n SUBSYSTEM=platform\n DEVICE=+platform:soc@0\n", False),
        # Written by a program: the kernel escapes the line ends of a text.
        (b"12,1,2,-;x\\x0a DEVICE=+platform:20c00000.remoteproc\n", False),
        (b"", False),
        (b"\n DEVICE=+platform:20c00000.remoteproc", False),
    ],
)
def test_which_processor_is_meant(tmp_path: Path, entry: bytes, named: bool) -> None:
    make_device(tmp_path, "soc@0/20c00000.remoteproc", "remoteproc1", ("soc@0", "soc@0/20c00000.remoteproc"))
    assert KernelLog(SystemPaths(str(tmp_path)), "remoteproc1").concerns_us(entry) is named


@pytest.mark.parametrize(
    ("path", "drivers", "above"),
    [
        ("soc@0/20c00000.remoteproc", ("soc@0", "soc@0/20c00000.remoteproc"), ["platform:20c00000.remoteproc"]),
        # One core of a cluster: the core's device has no driver, the cluster's has.
        ("bus@0/r5fss@0/r5f@0", ("bus@0", "bus@0/r5fss@0"), ["platform:r5f@0", "platform:r5fss@0"]),
        ("bus@0/r5f@0", (), []),
    ],
    ids=["driver", "cluster", "none"],
)
def test_who_speaks_for_a_processor(tmp_path: Path, path: str, drivers: tuple[str, ...], above: list[str]) -> None:
    make_device(tmp_path, path, "remoteproc0", drivers)
    assert devices_above(SystemPaths(str(tmp_path)), "remoteproc0") == above
    assert devices_above(SystemPaths(str(tmp_path)), "remoteproc1") == []


def make_device(sysroot: Path, path: str, device: str, drivers: tuple[str, ...]) -> None:
    """As in sysfs: each platform device has a link to its subsystem, some to a driver."""
    platform = sysroot / "sys/devices/platform"
    folder = platform / path / "remoteproc" / device
    folder.mkdir(parents=True)
    (sysroot / "sys/class/remoteproc").mkdir(parents=True)
    (sysroot / "sys/class/remoteproc" / device).symlink_to(folder)
    for each in folder.parents[1:]:
        if each == platform:
            return
        (each / "subsystem").symlink_to("../../../bus/platform")
        if str(each.relative_to(platform)) in drivers:
            (each / "driver").symlink_to("../../../bus/platform/drivers/x")


def test_what_start_says_of_a_driver() -> None:
    """In few words: without the device that the message names already."""
    assert telling([message(DRIVER), "remoteproc remoteproc0: Boot failed: -22"]) == ["error -22 initializing firmware"]


def test_only_what_comes_after_opening_or_skipping(tmp_path: Path) -> None:
    path = tmp_path / "dev/kmsg"
    path.parent.mkdir()
    path.write_bytes(RECORD)
    log = KernelLog(SystemPaths(str(tmp_path)), "remoteproc0")
    assert log.lines() == []
    with path.open("ab") as file:
        file.write(RECORD.replace(b"watchdog", b"mmufault"))
    assert log.lines() == ["remoteproc remoteproc0: crash detected in 10000.r5f: type mmufault"]
    with path.open("ab") as file:
        file.write(RECORD)
    log.skip()
    assert log.lines() == []
    log.close()
    assert log.descriptor is None
    log.skip()
    assert log.lines() == []


def test_without_access(tmp_path: Path) -> None:
    assert KernelLog(SystemPaths(str(tmp_path)), "remoteproc0").descriptor is None
    (tmp_path / "dev").mkdir()
    os.mkfifo(tmp_path / "dev/kmsg")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    assert KernelLog(SystemPaths(str(tmp_path)), "remoteproc0").descriptor is None
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_entries_that_were_overwritten_and_a_log_that_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/kmsg").write_bytes(b"")
    log = KernelLog(SystemPaths(str(tmp_path)), "remoteproc0")
    answers: Iterator[bytes | OSError] = iter([BrokenPipeError(32, "EPIPE"), RECORD, BlockingIOError(11, "EAGAIN")])

    def read(*_: object) -> bytes:
        answer = next(answers, OSError(22, "EINVAL"))
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(posix, "read", read)
    assert len(log.lines()) == 1
    # A log that cannot be read any more is given up, not the container.
    assert log.lines() == []
    assert log.descriptor is None


def test_boots() -> None:
    assert tells_of_boot("remoteproc remoteproc0: remote processor 10000.r5f is now up")
    assert not tells_of_boot("remoteproc remoteproc0: remote processor 10000.r5f is now attached")
    assert not tells_of_boot("remoteproc remoteproc0: powering up 10000.r5f")
