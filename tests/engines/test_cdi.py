"""Processors as devices of the Container Device Interface: what a device plugin answers, and a person names."""

import json
from collections.abc import Iterator

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.engines.containerd_client import IMAGE, ctr, put_image, remove, wait_until_stopped
from tests.engines.daemon import Daemon
from tests.engines.engine import Engine
from tests.engines.version import skip_before
from tests.linux import Linux

PROOF_S = 30.0
SPECIFICATION = "/etc/cdi/hybrid-runtime.json"
DEVICE = "hybrid-runtime.io/r5f=second"
SETTINGS = "/etc/docker/daemon.json"

pytestmark = pytest.mark.processors(2)


@pytest.fixture
def second(shell: Shell, firmware: FirmwareMaker) -> Iterator[BuiltFirmware]:
    """Firmware for the second core, which only the device names."""
    heartbeat = firmware("heartbeat", core=1)
    edits = {"env": [f"REMOTEPROC_NAME={heartbeat.processor}"]}
    specification = {
        "cdiVersion": "0.5.0",
        "kind": DEVICE.partition("=")[0],
        "devices": [{"name": DEVICE.partition("=")[2], "containerEdits": edits}],
    }
    shell.put(json.dumps(specification).encode(), SPECIFICATION)
    yield heartbeat
    shell.run(["rm", SPECIFICATION])


def assert_life(engine: Engine, second: BuiltFirmware, witness: Witness, linux: Linux) -> None:
    engine.run("motor", engine.image_of(second), "--device", DEVICE)
    witness.started(second, Deadline(PROOF_S))
    engine.call("stop", "motor")
    witness.silent(second)
    engine.call("rm", "motor")
    linux.assert_untouched()


@pytest.mark.parametrize("engine", [pytest.param("podman", marks=pytest.mark.engine("podman"))], indirect=True)
def test_a_device_of_podman(engine: Engine, second: BuiltFirmware, witness: Witness, linux: Linux) -> None:
    assert_life(engine, second, witness, linux)


@pytest.mark.parametrize("engine", [pytest.param("docker", marks=pytest.mark.engine("docker"))], indirect=True)
def test_a_device_of_docker(
    engine: Engine, dockerd: Daemon, shell: Shell, second: BuiltFirmware, witness: Witness, linux: Linux
) -> None:
    skip_before(shell, "docker", 25, 0)
    with dockerd.with_settings(SETTINGS, {"features": {"cdi": True}}):
        assert_life(engine, second, witness, linux)


@pytest.mark.engine("containerd")
def test_a_device_of_containerd(
    shell: Shell, containerd: Daemon, second: BuiltFirmware, witness: Witness, linux: Linux
) -> None:
    assert containerd.serves()
    skip_before(shell, "containerd", 2, 0)
    put_image(shell, second)
    ctr(shell, "run", "--detach", "--runc-binary", "/usr/bin/hybrid-runtime", "--device", DEVICE, IMAGE, "motor")
    witness.started(second, Deadline(PROOF_S))
    ctr(shell, "task", "kill", "motor")
    wait_until_stopped(shell)
    assert remove(shell) == 0
    linux.assert_untouched()
