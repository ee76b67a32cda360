"""doctor: containers that run although their engine has lost them."""

import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_runtime.container.engine_bundle import engine_s_folder, loss_of
from hybrid_runtime.setup.doctor import forgotten
from hybrid_runtime.setup.doctor.finding import Check
from hybrid_runtime.system.system_paths import SystemPaths
from tests.unit.runtime.bundle_builder import write_bundle
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

TASKS = "io.containerd.runtime.v2.task/k8s.io"


@pytest.fixture
def system(double: RemoteprocDouble) -> SystemPaths:
    return SystemPaths(str(double.sysroot))


@pytest.fixture
def shim(tmp_path: Path) -> Iterator[socket.socket]:
    """One that listens, as far as a caller can tell."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "shim.sock"))
        listening.listen()
        yield listening


def run_in(command: Command, bundle: Path, firmware: Path) -> int:
    """A container `motor` whose bundle is there; the pid of its supervisor."""
    bundle.parent.mkdir(parents=True)
    shutil.move(write_bundle(bundle.parent / "made", firmware), bundle)
    command.run("create", "--bundle", bundle, "motor")
    command.run("start", "motor")
    pid: int = command.record("motor")["pid"]
    return pid


@pytest.fixture
def bundle(command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path) -> Path:
    """That of a container `motor` of containerd's, which runs."""
    assert core.boots == []
    run_in(command, tmp_path / TASKS / "motor", firmware)
    return tmp_path / TASKS / "motor"


def found(system: SystemPaths) -> list[str]:
    return [finding.title for finding in forgotten.check(system)]


@pytest.mark.parametrize(
    ("bundle", "folder"),
    [
        (f"/run/containerd/{TASKS}/a", f"/run/containerd/{TASKS}"),
        ("/var/lib/containers/storage/overlay-containers/a/userdata", "/var/lib/containers/storage/overlay-containers"),
        ("/run/containers/storage/vfs-containers/a/userdata", "/run/containers/storage/vfs-containers"),
        ("/home/me/bundle", ""),
        ("/srv/robot-containers/arm/userdata", ""),
        ("/userdata", ""),
        ("/", ""),
    ],
)
def test_bundles_of_engines_are_known_by_their_paths(bundle: str, folder: str) -> None:
    assert engine_s_folder(bundle) == folder


@pytest.mark.parametrize(
    ("path", "check"),
    [
        (f"{TASKS}/motor", forgotten.FORGOTTEN),
        ("overlay-containers/motor/userdata", forgotten.FORGOTTEN),
        ("by-hand/motor", forgotten.WITHOUT_BUNDLE),
    ],
)
def test_a_bundle_that_goes(
    command: Command,
    core: ProcessorDouble,
    double: RemoteprocDouble,
    system: SystemPaths,
    firmware: Path,
    tmp_path: Path,
    path: str,
    check: Check,
) -> None:
    bundle = tmp_path / path
    pid = run_in(command, bundle, firmware)
    assert found(system) == []
    shutil.rmtree(bundle)
    if path.startswith("overlay"):
        bundle.parent.rmdir()
    assert found(system) == [check.title]
    repaired = [done.text for done in forgotten.repair(system)]
    if check is forgotten.WITHOUT_BUNDLE:
        assert repaired == []
        assert core.state == "running"
        command.run("delete", "--force", "motor")
    else:
        assert repaired == ["stopped container `motor` on remoteproc0, which its engine had lost"]
    assert command.exit_code(pid, 0) == 137
    assert core.state == "offline"
    assert double.leftovers() == []


def test_an_engine_s_folder_that_is_not_seen_tells_nothing(
    bundle: Path, core: ProcessorDouble, system: SystemPaths
) -> None:
    """As in a container that has other mounts than the engine."""
    shutil.rmtree(bundle.parents[1])
    assert found(system) == []
    assert list(forgotten.repair(system)) == []
    assert core.state == "running"


@pytest.mark.parametrize("kept_in", ["bootstrap.json", "address"])
def test_a_shim_that_is_gone(
    command: Command,
    bundle: Path,
    core: ProcessorDouble,
    system: SystemPaths,
    tmp_path: Path,
    shim: socket.socket,
    kept_in: str,
) -> None:
    pid = command.record("motor")["pid"]
    address = f"unix://{tmp_path}/shim.sock"
    (bundle / kept_in).write_text(json.dumps({"address": address}) if kept_in == "bootstrap.json" else address)
    assert found(system) == []
    shim.close()
    assert found(system) == [forgotten.WITHOUT_SHIM.title]
    outcome = command.run("doctor", "--repair", code=None)
    assert "repaired  stopped container `motor` on remoteproc0, which its engine had lost\n" in outcome.stdout
    assert forgotten.WITHOUT_SHIM.title not in outcome.stdout
    assert command.exit_code(pid, 0) == 137
    assert core.state == "offline"


@pytest.mark.parametrize("content", ["", "{", '{"address": 3}', '{"address": "vsock://3:1"}', "[]", "x" * 5000])
def test_a_shim_that_nothing_tells_of(bundle: Path, core: ProcessorDouble, system: SystemPaths, content: str) -> None:
    (bundle / "bootstrap.json").write_text(content)
    assert found(system) == []
    assert core.state == "running"


def test_a_shim_whose_socket_is_not_seen_tells_nothing(
    bundle: Path, core: ProcessorDouble, system: SystemPaths, tmp_path: Path
) -> None:
    """Engines keep bundles and sockets in different folders, and this process may have other mounts."""
    (bundle / "address").write_text(f"unix://{tmp_path}/elsewhere/shim.sock")
    assert found(system) == []
    assert core.state == "running"


@pytest.mark.parametrize("address", ["unix:///\ud800", "unix:///a\0b", f"unix:///{'a' * 200}"])
def test_an_address_that_can_be_none_tells_nothing(
    bundle: Path, core: ProcessorDouble, system: SystemPaths, address: str
) -> None:
    (bundle / "bootstrap.json").write_text(json.dumps({"address": address}))
    assert found(system) == []
    assert core.state == "running"


@pytest.mark.parametrize("path", ["/a\0b", "/\ud800"])
def test_a_bundle_that_can_be_no_path_tells_nothing(path: str) -> None:
    assert loss_of(path) == ""


@pytest.mark.parametrize("change", ["owner", "mode"])
def test_what_somebody_else_may_have_written_is_left(
    command: Command,
    bundle: Path,
    core: ProcessorDouble,
    double: RemoteprocDouble,
    system: SystemPaths,
    firmware: Path,
    change: str,
) -> None:
    """Who shares the claims can name any folder in a journal, such as /tmp: a hook there would run as root."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to somebody else")
    shutil.rmtree(bundle)
    folder = double.root / "motor"
    if change == "owner":
        os.chown(folder, 65534, 65534)
    else:
        folder.chmod(0o1777)
    assert found(system) == []
    assert list(forgotten.repair(system)) == []
    assert core.state == "running"
    assert (folder / "record.json").exists()
    assert "its engine has lost it" not in command.run("create", firmware, "next", code=1).stderr


@pytest.mark.usefixtures("bundle")
def test_a_pipe_in_the_folder_of_a_stranger_is_not_waited_for(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, system: SystemPaths, firmware: Path
) -> None:
    folder = double.root / "motor"
    (folder / "record.json").rename(folder / "kept")
    os.mkfifo(folder / "record.json")
    folder.chmod(0o777)
    assert found(system) == []
    assert "is held by container `motor`" in command.run("create", firmware, "next", code=1).stderr
    folder.chmod(0o700)
    (folder / "kept").rename(folder / "record.json")
    assert core.state == "running"


def test_a_core_that_does_not_stop_is_told(
    bundle: Path, core: ProcessorDouble, double: RemoteprocDouble, system: SystemPaths
) -> None:
    shutil.rmtree(bundle)
    core.refuses_to_stop = True
    (done,) = forgotten.repair(system)
    assert "does not stop" in done.failure
    assert double.journals() == ["remoteproc0.journal"]
    core.refuses_to_stop = False


@pytest.mark.parametrize("is_lost", [False, True])
def test_the_next_container_is_told_what_helps(
    command: Command, bundle: Path, core: ProcessorDouble, firmware: Path, is_lost: bool
) -> None:
    if is_lost:
        shutil.rmtree(bundle)
    refused = command.run("create", firmware, "next", code=1).stderr
    assert "is held by container `motor`" in refused
    assert ("(its engine has lost it, and `hybrid-runtime doctor --repair` frees the processor)" in refused) is is_lost
    assert core.state == "running"
