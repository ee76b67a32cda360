"""Records of the kernel's log about one processor, read from a file in place of /dev/kmsg."""

import os
import posix
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_runtime.machine import Machine
from hybrid_runtime.processor.kernel_log import KernelLog, crash_type, message, names_device, tells_of_boot

RECORD = (
    b"3,1203,84713042,-;remoteproc remoteproc0: crash detected in 10000.r5f: type watchdog\n"
    b" SUBSYSTEM=remoteproc\n DEVICE=+remoteproc:remoteproc0\n"
)


def test_message() -> None:
    assert message(RECORD) == "remoteproc remoteproc0: crash detected in 10000.r5f: type watchdog"
    assert message(b"6,1,2,-;a;b\n X=y\n") == "a;b"


@given(st.binary(max_size=80))
def test_any_record_is_one_line(record: bytes) -> None:
    assert "\n" not in message(record)
    message(record).encode()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("remoteproc remoteproc0: crash detected in 10000.r5f: type watchdog", "watchdog"),
        ("remoteproc remoteproc0: crash detected in x: type mmufault", "mmufault"),
        ("remoteproc remoteproc0: crash detected in type a: type fatal error", "fatal error"),
        ("remoteproc remoteproc0: handling crash #1 in 10000.r5f", None),
        ("remoteproc remoteproc0: remote processor 10000.r5f is now up", None),
    ],
)
def test_crash_types(text: str, kind: str | None) -> None:
    assert crash_type(text) == kind


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("remoteproc remoteproc1: powering up", True),
        ("remoteproc remoteproc10: powering up", False),
        ("remoteproc1: powering up", False),
        ("user says remoteproc remoteproc1: powering up", False),
    ],
)
def test_which_processor_is_meant(text: str, named: bool) -> None:
    assert names_device(text, "remoteproc1") is named


def test_only_what_comes_after_opening_or_skipping(tmp_path: Path) -> None:
    path = tmp_path / "dev/kmsg"
    path.parent.mkdir()
    path.write_bytes(RECORD)
    log = KernelLog(Machine(str(tmp_path)), "remoteproc0")
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
    assert KernelLog(Machine(str(tmp_path)), "remoteproc0").descriptor is None
    (tmp_path / "dev").mkdir()
    os.mkfifo(tmp_path / "dev/kmsg")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    assert KernelLog(Machine(str(tmp_path)), "remoteproc0").descriptor is None
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_records_that_were_overwritten_and_a_log_that_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/kmsg").write_bytes(b"")
    log = KernelLog(Machine(str(tmp_path)), "remoteproc0")
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
