"""Engines on the board, each told of the runtime by `hybrid-runtime install`, as docs/engines.md has it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.engines.daemon import CONTAINERD_SOCKET, Daemon
from tests.engines.engine import NAMING, Engine
from tests.linux import Linux

PROOF_S = 30.0
REGISTRY = """\
version: 0.1
storage: {filesystem: {rootdirectory: /root/registry}}
http: {addr: "127.0.0.1:5000"}
"""
# Daemons live from one test to the next, and what they set up for all containers of a board lives with them.
DAEMONS = ("process containerd", "process dockerd", "cgroup", "mounted", "link", "address")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.leaves(*DAEMONS))


@pytest.fixture
def linux(shell: Shell) -> Linux:
    """Linux on the board, looked at from outside engines and runtime."""
    return Linux(shell)


@pytest.fixture
def containerd(shell: Shell) -> Daemon:
    """Serving; without a setting for the runtime, which `ctr` and Docker do without."""
    daemon = Daemon(shell, "containerd", "containerd", "ctr version")
    daemon.ensure()
    return daemon


@pytest.fixture
def dockerd(shell: Shell, runtime: DeployedRuntime, containerd: Daemon) -> Daemon:  # noqa: ARG001  serves first
    runtime.run("install", "docker")
    daemon = Daemon(shell, "dockerd", f"dockerd --containerd {CONTAINERD_SOCKET}", "docker version")
    daemon.ensure()
    return daemon


@pytest.fixture
def registry(shell: Shell) -> Iterator[Daemon]:
    shell.put(REGISTRY.encode(), "/root/registry.yml")
    ready = "wget -q -O - http://127.0.0.1:5000/v2/"
    daemon = Daemon(shell, "registry", "docker-registry serve /root/registry.yml", ready)
    daemon.ensure()
    yield daemon
    daemon.kill()
    shell.run("rm -rf /root/registry /root/registry.yml")


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.engine(name)) for name in NAMING])
def engine(request: pytest.FixtureRequest, shell: Shell, runtime: DeployedRuntime) -> Iterator[Engine]:
    """Each of both, with nothing in it before and after."""
    if request.param == "docker":
        request.getfixturevalue("dockerd")
    else:
        runtime.run("install", "podman")
    found = Engine(request.param, shell, usual=("--network", "none"))
    found.remove_everything()
    yield found
    found.remove_everything()


@pytest.fixture
def heartbeat(engine: Engine, firmware: FirmwareMaker, witness: Witness) -> BuiltFirmware:
    """The firmware of a container `motor` that has been seen to start."""
    found = firmware("heartbeat")
    engine.run("motor", engine.image_of(found), processor=found.processor)
    witness.started(found, Deadline(PROOF_S))
    return found
