"""Paths of the machine, the default root, single attributes of a processor and its character device."""

import errno
import os
import posix
from functools import partial
from pathlib import Path

import pytest

from hybrid_runtime.processor.remoteproc import ProcessorGone, Remoteproc, StopRefused
from hybrid_runtime.processor.shutdown_on_release import arm, disarm_device
from hybrid_runtime.system import system_paths as module
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure, errno_meaning
from hybrid_runtime.system.system_paths import SystemPaths, default_root
from tests.unit.runtime.command_runner import attempt
from tests.unit.runtime.remoteproc_double import BOOT_ID, ProcessorDouble, RemoteprocDouble


@pytest.mark.parametrize(
    ("user", "mapping", "root"),
    [
        (0, [[0, 0, 1 << 32]], "/run/hybrid-runtime"),
        (0, [[0, 4321000, 1], [1, 100000, 65536]], "/tmp/hybrid-runtime-4321000"),
        (5, [[0, 4321000, 1], [1, 4400000, 65536]], "/tmp/hybrid-runtime-4400004"),
        (4321000, [[0, 0, 1 << 32]], "/tmp/hybrid-runtime-4321000"),
        (70000, [[0, 4321000, 1]], "/tmp/hybrid-runtime-70000"),
    ],
)
def test_default_root_comes_from_ids(
    monkeypatch: pytest.MonkeyPatch, user: int, mapping: list[list[int]], root: str
) -> None:
    monkeypatch.setattr(posix, "geteuid", lambda: user)
    monkeypatch.setattr(module, "_uid_map", lambda: mapping)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/elsewhere")
    assert default_root(SystemPaths()) == root


def test_default_root_of_a_logged_in_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posix, "geteuid", lambda: 1000)
    monkeypatch.setattr(module, "is_folder", lambda path: path == "/run/user/1000")
    assert default_root(SystemPaths()) == "/run/user/1000/hybrid-runtime"


def test_everything_lies_below_the_sysroot(double: RemoteprocDouble) -> None:
    system = SystemPaths(f"{double.sysroot}/")
    for path in (system.claims, system.kernel_log, system.remoteproc_class, default_root(system)):
        assert path.startswith(f"{double.sysroot}/")
        assert "//" not in path
    assert system.boot_id() == BOOT_ID[:8]
    assert SystemPaths("/nowhere").boot_id() == "00000000"


def test_attributes(double: RemoteprocDouble, core: ProcessorDouble) -> None:
    remoteproc = Remoteproc(SystemPaths(str(double.sysroot)), "remoteproc0")
    assert (remoteproc.name, remoteproc.state, remoteproc.firmware) == ("core0", "offline", "unknown")
    assert remoteproc.resolved_path == str(core.folder)
    (core.folder / "coredump").unlink()
    assert remoteproc.read_or("coredump", "absent") == "absent"
    (core.folder / "firmware").write_bytes(b"odd \xff name\n")
    assert remoteproc.firmware == os.fsdecode(b"odd \xff name")
    assert not remoteproc.runs_firmware("")
    core.vanish()
    for act in (lambda: remoteproc.state, lambda: remoteproc.write("state", "stop")):
        with pytest.raises(ProcessorGone, match="has vanished"):
            act()


@pytest.mark.parametrize(
    ("call", "number", "is_gone"),
    [
        ("open", errno.ENOENT, True),
        ("open", errno.ENODEV, True),
        ("open", errno.EMFILE, False),
        ("open", errno.EROFS, False),
        ("write", errno.ENODEV, True),
        # "start" without its firmware: the kernel's answer, and no word about the processor.
        ("write", errno.ENOENT, False),
        ("write", errno.EIO, False),
        ("read", errno.ENODEV, True),
        ("read", errno.ENOMEM, False),
    ],
)
def test_what_tells_that_a_processor_has_vanished(
    double: RemoteprocDouble,
    core: ProcessorDouble,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    number: int,
    is_gone: bool,
) -> None:
    remoteproc = Remoteproc(SystemPaths(str(double.sysroot)), core.device)

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(f"posix.{call}", refuse)
    act = partial(remoteproc.write, "recovery", "enabled") if call == "write" else partial(remoteproc.read, "state")
    error = attempt(act, Exception)
    monkeypatch.undo()
    assert isinstance(error, ProcessorGone) is is_gone
    assert is_gone or (isinstance(error, OSError) and error.errno == number)


def test_stop_until_offline(double: RemoteprocDouble, core: ProcessorDouble) -> None:
    remoteproc = Remoteproc(SystemPaths(str(double.sysroot)), "remoteproc0")
    remoteproc.stop_until_offline(Deadline(5))
    assert core.stops == 0
    (double.firmware_folder / "fw").write_bytes(b"")
    core.write("firmware", "fw")
    for _ in range(5):
        core.start_from_outside()
    remoteproc.stop_until_offline(Deadline(5))
    assert (core.state, core.stops) == ("offline", 5)


@pytest.mark.parametrize("error", [1, 5, 16, 22])
def test_stop_that_the_kernel_refuses(
    double: RemoteprocDouble, core: ProcessorDouble, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    """Whatever the errno, it is tried until the deadline, and then told."""
    core.set_state("running")
    core.write("recovery", "disabled")
    remoteproc = Remoteproc(SystemPaths(str(double.sysroot)), "remoteproc0")
    tried = []

    def refuse(*words: str) -> None:
        tried.append(words)
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(remoteproc, "write", refuse)
    with pytest.raises(StopRefused, match=errno_meaning(OSError(error, os.strerror(error)))):
        remoteproc.stop_until_offline(Deadline(0.3))
    assert 2 <= len(tried) <= 4

    def relent(*_: str) -> None:
        core.set_state("offline")
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(remoteproc, "write", relent)
    remoteproc.stop_until_offline(Deadline(0.3))


class Restarting:
    """A core in the middle of a recovery: sysfs shows it offline, and who takes the kernel's lock waits for its end."""

    def __init__(self, remoteproc: Remoteproc, *, recovery: str) -> None:
        self.values = {"state": "offline", "recovery": recovery}
        self.written: list[tuple[str, str]] = []
        self.references = 1
        remoteproc.read = self.read  # type: ignore[method-assign]
        remoteproc.write = self.write  # type: ignore[method-assign]

    def read(self, attribute: str) -> str:
        return self.values[attribute]

    def write(self, attribute: str, word: str) -> None:
        self.written.append((attribute, word))
        if attribute != "state":
            self.values[attribute] = word
        elif not self.references:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        else:
            self.references -= 1
            self.values["state"] = "offline"


def test_a_core_that_the_kernel_restarts_is_not_taken_for_stopped(
    double: RemoteprocDouble, core: ProcessorDouble
) -> None:
    """Else it would run on without its container."""
    remoteproc = Remoteproc(SystemPaths(str(double.sysroot)), core.device)
    restarting = Restarting(remoteproc, recovery="enabled")
    remoteproc.stop_until_offline(Deadline(1))
    assert restarting.references == 0
    assert restarting.values["recovery"] == "enabled"
    assert restarting.written[0] == ("recovery", "disabled")


def test_a_core_that_nobody_restarts_is_off_when_it_is_seen_off(
    double: RemoteprocDouble, core: ProcessorDouble
) -> None:
    remoteproc = Remoteproc(SystemPaths(str(double.sysroot)), core.device)
    restarting = Restarting(remoteproc, recovery="disabled")
    remoteproc.stop_until_offline(Deadline(1))
    assert restarting.written == []


class CrashedAndRefused:
    """A crashed core on Linux before 6.12.110: it is stopped after it was brought back, and may crash again by then."""

    def __init__(self, remoteproc: Remoteproc, *, crashes_again: int) -> None:
        self.state = "crashed"
        self.crashes_again = crashes_again
        self.written: list[tuple[str, str]] = []
        remoteproc.read = self.read  # type: ignore[method-assign]
        remoteproc.write = self.write  # type: ignore[method-assign]

    def read(self, attribute: str) -> str:
        return self.state if attribute == "state" else "disabled"

    def write(self, attribute: str, word: str) -> None:
        self.written.append((attribute, word))
        if (attribute, word) == ("recovery", "recover"):
            self.state = "crashed" if self.crashes_again else "running"
            self.crashes_again -= 1
        elif self.state == "crashed":
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        else:
            self.state = "offline"


@pytest.mark.parametrize("crashes_again", [0, 2])
def test_a_crashed_core_that_the_kernel_does_not_stop_is_brought_back_first(
    double: RemoteprocDouble, core: ProcessorDouble, crashes_again: int
) -> None:
    remoteproc = Remoteproc(SystemPaths(str(double.sysroot)), core.device)
    crashed = CrashedAndRefused(remoteproc, crashes_again=crashes_again)
    remoteproc.stop_until_offline(Deadline(2))
    stop, recover = ("state", "stop"), ("recovery", "recover")
    assert crashed.written == [stop, recover, stop] * (crashes_again + 1)
    assert crashed.state == "offline"


def test_a_crashed_core_that_stays_crashed_is_told(double: RemoteprocDouble, core: ProcessorDouble) -> None:
    remoteproc = Remoteproc(SystemPaths(str(double.sysroot)), core.device)
    CrashedAndRefused(remoteproc, crashes_again=1000)
    with pytest.raises(StopRefused, match="does not stop: invalid argument"):
        remoteproc.stop_until_offline(Deadline(0.3))


def test_device_that_is_none(tmp_path: Path) -> None:
    """A plain file refuses the flag as a foreign device would; an absent one means a kernel without it."""
    assert arm(str(tmp_path / "absent")) is None
    disarm_device(str(tmp_path / "absent"))
    (tmp_path / "file").write_bytes(b"")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with pytest.raises(Failure, match="refuses shutdown-on-release"):
        arm(str(tmp_path / "file"))
    with pytest.raises(OSError, match="ioctl"):
        disarm_device(str(tmp_path / "file"))
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_deadline() -> None:
    over = Deadline(0)
    assert over.expired
    assert over.remaining() == 0
    assert not over.look_again()
    soon = Deadline(0.02)
    looks = 0
    while soon.look_again():
        looks += 1
    assert soon.expired
    assert 1 <= looks <= 5
