"""What has its name is on the disk: each file is synced after the last write to it, and renamed after that."""

import os
import posix
from pathlib import Path

import pytest

from tests.unit.runtime.altered_launcher import altered
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble
from tests.unit.runtime.test_coredump import copy_of, keep_in_kernel

# In each process of the runtime: a line for each rename, of files that were synced and of others.
NOTES_RENAMES = """
import posix
from hybrid_runtime.system.path import on_machine
write, fsync, rename, synced = posix.write, posix.fsync, posix.rename, set()
def identity(facts):
    return facts.st_dev, facts.st_ino
def noting_write(descriptor, data):
    synced.discard(identity(posix.fstat(descriptor)))
    return write(descriptor, data)
def noting_fsync(descriptor):
    fsync(descriptor)
    synced.add(identity(posix.fstat(descriptor)))
def noting_rename(source, target):
    how = "synced" if identity(posix.stat(source)) in synced else "at risk"
    with open(on_machine({notes!r}), "a") as notes:
        notes.write(f"{{how}} {{target.rpartition('/')[2]}}\\n")
    rename(source, target)
posix.write, posix.fsync, posix.rename = noting_write, noting_fsync, noting_rename
"""


def test_every_file_of_a_life(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, tmp_path: Path
) -> None:
    notes = double.root / "notes"
    launcher = altered(command.launcher, "notes-renames", NOTES_RENAMES.format(notes=str(notes)))
    noting = Command(launcher, double, tmp_path)
    double.root.mkdir()
    pid = noting.create(firmware, "motor", "--pid-file", str(tmp_path / "pid"))
    [installed] = double.installed()
    noting.run("start", "motor")
    noting.run("kill", "motor")
    assert command.exit_code(pid) == 0
    files = ("record.json", "config.json", "remoteproc0.journal", installed, "pid")
    assert set(notes.read_text().splitlines()) == {f"synced {name}" for name in files}
    assert core.boots == [installed]


def test_a_core_dump(double: RemoteprocDouble, core: ProcessorDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit by bit, so that no single wait for the disk is long, and the rest before it has its name."""
    synced: list[int] = []
    fsync, rename = posix.fsync, posix.rename

    def noted_fsync(descriptor: int) -> None:
        fsync(descriptor)
        synced.append(os.fstat(descriptor).st_size)

    def noted_rename(source: str, target: str) -> None:
        assert synced == [4 << 20, 8 << 20, (9 << 20) + 1]
        rename(source, target)

    monkeypatch.setattr(posix, "fsync", noted_fsync)
    monkeypatch.setattr(posix, "rename", noted_rename)
    keep_in_kernel(double, core, "devcd1", bytes((9 << 20) + 1))
    copy = copy_of(double, core)
    while not copy.step():
        assert not Path(copy.path).exists()
    assert Path(copy.path).stat().st_size == (9 << 20) + 1
