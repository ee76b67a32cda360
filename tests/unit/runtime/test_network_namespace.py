"""The supervisor's network: its own, another one's, or the machine's."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_runtime.system.network_namespace import join_network
from tests.unit.runtime.bundle_builder import write_bundle
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble


@pytest.fixture
def other_network() -> Iterator[Path]:
    """Of a process that waits in a network of its own."""
    process = subprocess.Popen(
        ["/usr/bin/env", "unshare", "--net", "cat"], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    path = Path(f"/proc/{process.pid}/ns/net")
    while process.poll() is None and path.readlink() == Path("/proc/self/ns/net").readlink():
        os.sched_yield()
    if process.poll() is not None:
        pytest.skip("this machine lets nobody unshare a network: namespaces are not tried")
    yield path
    process.communicate()


def network(bundle: Path, command: Command) -> Path:
    command.run("create", "-b", bundle, "motor")
    return Path(f"/proc/{command.record('motor')['pid']}/ns/net").readlink()


def namespaces(*entries: dict[str, str]) -> dict[str, object]:
    return {"namespaces": [{"type": "mount"}, {"type": "pid"}, *entries]}


def test_absent(command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "bundle", firmware, linux=namespaces())
    assert network(bundle, command) == Path("/proc/self/ns/net").readlink()
    assert core.state == "offline"


def test_a_new_one(
    command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path, other_network: Path
) -> None:
    """Hooks of create find it, and the core is started from there as from anywhere."""
    program = tmp_path / "hook"
    program.write_text(f"#!/bin/sh\nreadlink /proc/self/ns/net >> {tmp_path}/seen\n")
    program.chmod(0o700)
    hooks = {
        kind: [{"path": str(program), "env": ["PATH=/usr/bin:/bin"]}] for kind in ("createRuntime", "createContainer")
    }
    bundle = write_bundle(tmp_path / "bundle", firmware, linux=namespaces({"type": "network"}), hooks=hooks)
    inside = network(bundle, command)
    outside = Path("/proc/self/ns/net").readlink()
    assert inside not in (outside, other_network.readlink())
    assert (tmp_path / "seen").read_text().split() == [str(outside), str(inside)]
    command.run("start", "motor")
    assert core.state == "running"


def test_that_of_another(
    command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path, other_network: Path
) -> None:
    linux = namespaces({"type": "network", "path": str(other_network)})
    assert network(write_bundle(tmp_path / "bundle", firmware, linux=linux), command) == other_network.readlink()
    assert core.state == "offline"


@pytest.mark.parametrize("path", ["/nowhere", "/dev/null", "/proc/self/ns/uts", "/etc/passwd", "/proc/self/ns"])
def test_no_network(
    *,
    command: Command,
    core: ProcessorDouble,
    double: RemoteprocDouble,
    firmware: Path,
    tmp_path: Path,
    path: str,
) -> None:
    bundle = write_bundle(tmp_path / "bundle", firmware, linux=namespaces({"type": "network", "path": path}))
    outcome = command.run("create", "-b", bundle, "motor", code=1)
    assert f"cannot enter the network namespace `{path}`" in outcome.stderr
    assert double.leftovers() == []
    assert core.state == "offline"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/run/netns/none.such", "file not found (linux.namespaces of config.json must name a network that is there: "),
        ("/proc/self/ns/uts", "invalid argument (linux.namespaces of config.json must name a network that is there: "),
    ],
)
def test_a_network_that_has_vanished(
    command: Command, double: RemoteprocDouble, firmware: Path, tmp_path: Path, path: str, said: str
) -> None:
    """The remedy speaks of the path, not of the kernel's options."""
    double.add("core0")
    bundle = write_bundle(tmp_path / "bundle", firmware, linux=namespaces({"type": "network", "path": path}))
    refused = command.run("create", "-b", bundle, "motor", code=1)
    assert refused.stderr.startswith(f"hybrid-runtime: cannot enter the network namespace `{path}`: {said}")
    assert not (double.root / "motor").exists()


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="not a namespace"):
        join_network(str(tmp_path / "fifo"))


@pytest.mark.parametrize("entry", [{"type": "user"}, {"type": "user", "path": "/proc/1/ns/user"}])
def test_a_user_namespace_is_refused(
    command: Command, core: ProcessorDouble, tmp_path: Path, firmware: Path, entry: dict[str, str]
) -> None:
    """podman --userns, hostUsers of a pod: firmware would not be kept from the machine's root."""
    bundle = write_bundle(tmp_path / "bundle", firmware, linux=namespaces(entry))
    refused = command.run("create", "--bundle", bundle, "motor", code=1)
    assert "a user namespace is asked for (leave `--userns` or `hostUsers: false` away" in refused.stderr
    assert core.state == "offline"
