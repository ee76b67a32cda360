"""Core dumps over plain files: from the kernel's folder into ours, and only whole."""

import errno
import os
from pathlib import Path

import pytest

from hybrid_runtime.container.log import ContainerLog, LogReader, parse_line
from hybrid_runtime.container.record import Record
from hybrid_runtime.processor import coredump
from hybrid_runtime.processor.coredump import MOST_KEPT, DumpCopy, find_dump
from hybrid_runtime.processor.remoteproc import Remoteproc
from hybrid_runtime.supervisor import crash_dump
from hybrid_runtime.supervisor.crash_dump import CrashDumps
from hybrid_runtime.supervisor.engine_stream import EngineStream
from hybrid_runtime.supervisor.output import Output
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.process_identity import start_time
from hybrid_runtime.system.system_paths import SystemPaths
from tests.unit.runtime.command_runner import eventually
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble, link


def keep_in_kernel(double: RemoteprocDouble, core: ProcessorDouble, name: str, content: bytes) -> Path:
    """A dump as the kernel shows it."""
    folder = double.sysroot / "sys/devices/virtual/devcoredump" / name
    folder.mkdir(parents=True)
    (folder / "data").write_bytes(content)
    link(folder / "failing_device", core.folder)
    listed = double.sysroot / "sys/class/devcoredump"
    listed.mkdir(parents=True, exist_ok=True)
    (listed / "disabled").write_text("0\n")
    link(listed / name, folder)
    return folder


def machine_of(double: RemoteprocDouble) -> SystemPaths:
    return SystemPaths(str(double.sysroot))


def kept(double: RemoteprocDouble) -> list[Path]:
    folder = Path(machine_of(double).coredumps)
    return sorted(folder.iterdir()) if folder.is_dir() else []


def copy_of(double: RemoteprocDouble, core: ProcessorDouble, identifier: str = "motor") -> DumpCopy:
    dump = find_dump(machine_of(double), core.device)
    assert dump is not None
    return DumpCopy(machine_of(double), dump, identifier)


def test_only_the_processor_s_own_dump(double: RemoteprocDouble, core: ProcessorDouble) -> None:
    assert find_dump(machine_of(double), core.device) is None
    other = double.add("core1")
    keep_in_kernel(double, other, "devcd1", b"other")
    assert find_dump(machine_of(double), core.device) is None
    folder = keep_in_kernel(double, core, "devcd2", b"ours")
    found = find_dump(machine_of(double), core.device)
    assert found is not None
    assert found.data == str(folder / "data")
    found.free()
    assert (folder / "data").read_bytes() == b"1urs"


def test_a_copy_has_its_name_when_it_is_whole(double: RemoteprocDouble, core: ProcessorDouble) -> None:
    content = os.urandom(5 << 20)
    keep_in_kernel(double, core, "devcd1", content)
    copy = copy_of(double, core, "m" * 255)
    assert not copy.step()
    (half,) = kept(double)
    assert half.suffix == ".tmp"
    while not copy.step():
        assert kept(double) == [half]
    (whole,) = kept(double)
    assert str(whole) == copy.path
    assert whole.name.startswith("m" * 200 + "-2")
    assert (whole.suffix, whole.read_bytes()) == (".elf", content)
    assert (whole.stat().st_mode & 0o777, whole.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_the_oldest_go(double: RemoteprocDouble, core: ProcessorDouble) -> None:
    keep_in_kernel(double, core, "devcd1", b"dump")
    paths = []
    for number in range(MOST_KEPT + 3):
        copy = copy_of(double, core, f"{9 - number}")
        assert copy.step()
        os.utime(copy.path, ns=(0, number))
        paths.append(copy.path)
    assert sorted(paths[-MOST_KEPT:]) == [str(path) for path in kept(double)]


def test_the_newest_stays_after_the_clock_was_set_back(double: RemoteprocDouble, core: ProcessorDouble) -> None:
    keep_in_kernel(double, core, "devcd1", b"dump")
    for number in range(MOST_KEPT):
        copy = copy_of(double, core, f"later-{number}")
        assert copy.step()
        os.utime(copy.path, ns=(0, (4_000_000_000 + number) * 10**9))
    copy = copy_of(double, core, "now")
    assert copy.step()
    left = [path.name.rpartition("-")[0] for path in kept(double)]
    assert left == [*(f"later-{number}" for number in range(1, MOST_KEPT)), "now"]


def test_what_the_killed_have_left_is_taken_away(double: RemoteprocDouble, core: ProcessorDouble) -> None:
    keep_in_kernel(double, core, "devcd1", b"dump")
    folder = Path(machine_of(double).coredumps)
    folder.mkdir(parents=True)
    living = f"{os.getppid()}-{start_time(os.getppid())}.tmp"
    for name in (living, f"{os.getppid()}-1.tmp", "somebody's.tmp"):
        (folder / name).touch()
    copy = copy_of(double, core)
    copy.cancel()
    assert sorted(path.name for path in kept(double)) == sorted([living, "somebody's.tmp"])


@pytest.mark.parametrize("content", [b"", b"x" * 1001])
def test_too_little_and_too_much(
    double: RemoteprocDouble, core: ProcessorDouble, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(coredump, "LARGEST_BYTES", 1000)
    keep_in_kernel(double, core, "devcd1", content)
    with pytest.raises(Failure):
        copy_of(double, core).step()
    assert kept(double) == []


class Container:
    """A container that keeps dumps, with its output in a log."""

    def __init__(self, double: RemoteprocDouble, core: ProcessorDouble) -> None:
        self.record = Record("motor", "", "")
        self.record.device = core.device
        self.record.firmware_name = "fw"
        self.record.firmware_file = str(double.firmware_folder / "fw")
        (double.firmware_folder / "fw").write_bytes(b"firmware")
        core.write("firmware", "fw")
        self.log = str(double.sysroot / "log")
        output = Output(ContainerLog(self.log))
        output.streams = {"stdout": EngineStream(-1), "stderr": EngineStream(-1)}
        self.dumps = CrashDumps(machine_of(double), self.record, output)
        self.remoteproc = Remoteproc(machine_of(double), core.device)

    def said(self) -> list[str]:
        return [line.text for line in map(parse_line, LogReader(self.log).new_lines()) if line]


@pytest.fixture
def container(double: RemoteprocDouble, core: ProcessorDouble) -> Container:
    return Container(double, core)


def test_a_dump_is_copied_freed_and_told(double: RemoteprocDouble, core: ProcessorDouble, container: Container) -> None:
    container.dumps.begin(container.remoteproc)
    container.dumps.look()
    assert container.dumps.copy is None
    folder = keep_in_kernel(double, core, "devcd1", b"dump")
    container.dumps.look()
    assert container.dumps.step()
    path = container.record.coredump_path
    assert Path(path).read_bytes() == b"dump"
    assert (folder / "data").read_bytes() == b"1ump"
    assert container.said() == [f"hybrid-runtime: core dump of 4 bytes in `{path}`"]
    # The kernel takes its own away a moment later.
    container.dumps.look()
    assert not container.dumps.step()
    assert kept(double) == [Path(path)]


def test_a_dump_of_an_earlier_run_is_not_ours(
    double: RemoteprocDouble, core: ProcessorDouble, container: Container
) -> None:
    folder = keep_in_kernel(double, core, "devcd1", b"dump")
    container.dumps.begin(container.remoteproc)
    container.dumps.finish()
    assert kept(double) == []
    (said,) = container.said()
    assert "earlier run is in the way" in said
    assert str(folder) in said


def test_a_kernel_without_the_setting(core: ProcessorDouble, container: Container) -> None:
    (core.folder / "coredump").unlink()
    container.dumps.begin(container.remoteproc)
    assert container.said() == ["hybrid-runtime: no core dumps: this kernel has no setting `coredump`"]


def test_a_full_disk_is_told_once(
    double: RemoteprocDouble, core: ProcessorDouble, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = keep_in_kernel(double, core, "devcd1", b"dump")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(coredump, "write_all", full)
    for _ in range(3):
        container.dumps.look()
        assert not container.dumps.step()
    assert kept(double) == []
    assert container.record.coredump_path == ""
    (said,) = container.said()
    assert f"no core dump: no space left on device; the kernel keeps it in `{folder}/data` for five minutes" in said
    assert (folder / "data").read_bytes() == b"dump"


def test_a_folder_that_cannot_be_made(double: RemoteprocDouble, core: ProcessorDouble, container: Container) -> None:
    keep_in_kernel(double, core, "devcd1", b"dump")
    (double.sysroot / "var").touch()
    container.dumps.finish()
    (said,) = container.said()
    assert "no core dump: " in said


def test_a_slow_disk_ends_at_the_deadline(
    double: RemoteprocDouble, core: ProcessorDouble, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_in_kernel(double, core, "devcd1", b"x" * (1 << 20))
    monkeypatch.setattr(crash_dump, "LAST_DUMP_SECONDS", 0.0)
    container.dumps.finish()
    assert kept(double) == []
    (said,) = container.said()
    assert "it was not written in 0 s" in said


def test_only_our_crashed_core_is_recovered(
    double: RemoteprocDouble, core: ProcessorDouble, container: Container
) -> None:
    def provoked() -> bool:
        core.write("recovery", "disabled")
        container.dumps.provoke(container.remoteproc)
        return core.read("recovery") == "recover"

    for state in ("offline", "running", "attached"):
        core.set_state(state)
        assert not provoked()
    core.set_state("crashed")
    assert provoked()
    core.write("firmware", "theirs")
    assert not provoked()
    core.write("firmware", "fw")
    assert container.said() == []
    # Without its file the recovery would fail, and leave a reference that nobody can give back.
    (double.firmware_folder / "fw").unlink()
    assert not provoked()
    assert container.said() == ["hybrid-runtime: no core dump: file not found"]


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_link_in_the_place_of_the_folder(
    double: RemoteprocDouble, core: ProcessorDouble, tmp_path: Path, kind: str
) -> None:
    """The folder above may be a service user's: root writes and removes nowhere else at that user's word."""
    victim = tmp_path / "victim"
    victim.mkdir()
    for number in range(MOST_KEPT + 1):
        (victim / f"{number}.elf").touch()
    (victim / "1-1.tmp").touch()
    place = Path(machine_of(double).coredumps)
    place.parent.mkdir(parents=True)
    place.symlink_to(victim) if kind == "link" else place.touch()
    keep_in_kernel(double, core, "devcd1", b"memory")
    before = sorted(victim.iterdir())
    descriptors = set(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        copy_of(double, core)
    assert sorted(victim.iterdir()) == before
    # The double's thread opens and closes files meanwhile.
    eventually(lambda: set(os.listdir("/proc/self/fd")) <= descriptors)  # noqa: PTH208
