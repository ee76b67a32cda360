"""Control groups, on plain folders that stand for them: which are made, and which are removed. No kernel moves a
process here; the tests on a board have one that does."""

import os
from pathlib import Path

import pytest

from hybrid_runtime.container import cgroup
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.system_paths import SystemPaths
from tests.unit.runtime.bundle_builder import write_bundle
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble


@pytest.fixture
def groups(double: RemoteprocDouble) -> Path:
    """The root of all groups."""
    root = double.sysroot / "sys/fs/cgroup"
    root.mkdir(parents=True)
    (root / "cgroup.controllers").write_text("cpu memory pids\n")
    (root / "cgroup.subtree_control").write_text("")
    (root / "cgroup.procs").write_text("")
    return root


@pytest.fixture
def system(double: RemoteprocDouble) -> SystemPaths:
    return SystemPaths(str(double.sysroot))


def test_missing_folders(system: SystemPaths, groups: Path) -> None:
    assert cgroup.missing_folders(system, "/engine/pod/one") == ["engine", "engine/pod", "engine/pod/one"]
    (groups / "engine").mkdir()
    assert cgroup.missing_folders(system, "engine//./pod") == ["engine/pod"]


@pytest.mark.parametrize("path", ["", "/", "machine.slice:libpod:one"])
def test_what_cannot_be_joined(system: SystemPaths, groups: Path, path: str) -> None:
    assert groups.is_dir()
    assert not cgroup.can_be_joined(system, path)


def test_version_1_is_left_alone(system: SystemPaths, groups: Path) -> None:
    assert cgroup.can_be_joined(system, "/one")
    (groups / "cgroup.controllers").unlink()
    assert not cgroup.can_be_joined(system, "/one")


def test_made_and_removed(system: SystemPaths, groups: Path) -> None:
    (groups / "engine").mkdir()
    folders = cgroup.missing_folders(system, "/engine/pod/one")
    cgroup.make(system, folders)
    assert (groups / "engine/pod/one").is_dir()
    (groups / "engine/pod/one/cgroup.procs").write_text("")
    cgroup.join(system, "/engine/pod/one", 4711)
    assert (groups / "engine/pod/one/cgroup.procs").read_text() == "4711"
    (groups / "engine/pod/one/cgroup.procs").unlink()
    (groups / "engine/pod/cgroup.subtree_control").unlink(missing_ok=True)
    cgroup.leave_and_remove(system, folders, "/")
    assert list((groups / "engine").iterdir()) == []
    cgroup.leave_and_remove(system, folders, "/")


def test_what_others_have_put_there_stays(system: SystemPaths, groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "_EMPTY_SECONDS", 0.05)
    cgroup.make(system, ["engine", "engine/one"])
    (groups / "engine/other").mkdir()
    cgroup.leave_and_remove(system, ["engine", "engine/one"], "/")
    assert [path.name for path in (groups / "engine").iterdir()] == ["other"]


def test_links_are_not_followed(system: SystemPaths, groups: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "one").mkdir(parents=True)
    (groups / "link").symlink_to(outside)
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        cgroup.make(system, ["link/two"])
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        cgroup.leave_and_remove(system, ["link/one"], "/")
    with pytest.raises(OSError, match="Invalid argument"):
        cgroup.make(system, ["../escaped"])
    assert os.listdir(outside) == ["one"]  # noqa: PTH208


def test_a_container_whose_group_cannot_be_joined_is_told_and_created(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, groups: Path, firmware: Path, tmp_path: Path
) -> None:
    """Plain folders have no cgroup.procs."""
    bundle = write_bundle(tmp_path / "bundle", firmware, linux={"cgroupsPath": "/engine/motor"})
    assert "warning: cannot join the control group" in command.run("create", "-b", bundle, "motor").stderr
    assert (groups / "engine/motor").is_dir()
    pid = command.record("motor")["pid"]
    command.run("kill", "motor", "KILL")
    command.exit_code(pid)
    assert not (groups / "engine").exists()
    command.run("delete", "motor")
    assert double.leftovers() == []
    assert core.state == "offline"


def test_upwards_is_refused(command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "bundle", firmware, linux={"cgroupsPath": "/engine/../../x"})
    assert "leads upwards" in command.run("create", "-b", bundle, "motor", code=1).stderr
    assert core.state == "offline"


def test_a_group_that_cannot_be_left_is_a_failure(system: SystemPaths, groups: Path, double: RemoteprocDouble) -> None:
    (double.sysroot / "proc/self").mkdir(parents=True)
    (double.sysroot / "proc/self/cgroup").write_text("0::/engine\n")
    cgroup.make(system, ["engine"])
    with pytest.raises(Failure, match="cannot leave the control group `engine`"):
        cgroup.leave_and_remove(system, ["engine"], "/former")
    assert (groups / "cgroup.procs").read_text() == str(os.getpid())
    assert (groups / "engine").is_dir()
