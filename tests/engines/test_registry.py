"""Firmware for several boards under one name: built and listed by podman, pushed to a registry, pulled by others."""

import json
import posixpath
from collections.abc import Iterator

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Completed, Shell
from tests.engines.daemon import Daemon
from tests.linux import Linux

pytestmark = [pytest.mark.engine(name) for name in ("podman", "docker", "containerd", "registry")]

CALL_S = 240.0
PROOF_S = 30.0
INDEX = "localhost:5000/motor:v1"
EXAMPLES = "/root/examples"
INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")


def call(shell: Shell, command: str) -> Completed:
    return shell.run(command, deadline=Deadline(CALL_S))


@pytest.fixture
def pushed(shell: Shell, firmware: FirmwareMaker, registry: Daemon) -> Iterator[BuiltFirmware]:
    """The firmware of the index's image for this board, after examples/index/build.sh has pushed it."""
    assert registry.serves()
    for path in (checkout_root() / "examples").rglob("*"):
        if path.is_file():
            mode = 0o755 if path.suffix == ".sh" else 0o644
            shell.put(path, f"{EXAMPLES}/{path.relative_to(checkout_root() / 'examples')}", mode)
    heartbeat = firmware("heartbeat")
    shell.run(["cp", heartbeat.path_on_board, f"{EXAMPLES}/motor.elf"])
    call(shell, f"cd {EXAMPLES} && index/build.sh {INDEX} --tls-verify=false")
    yield heartbeat
    call(shell, "podman rmi --all --force")
    shell.run(["rm", "-r", EXAMPLES])


@pytest.mark.parametrize("source", ["containers-storage", "containerd"])
def test_index_holds_an_image_for_each_board_and_this_boards_is_chosen(
    shell: Shell,
    runtime: DeployedRuntime,
    containerd: Daemon,
    pushed: BuiltFirmware,
    witness: Witness,
    linux: Linux,
    source: str,
) -> None:
    """From podman's list, and from the registry through containerd. The label also names the processor."""
    assert containerd.serves()
    accepted = f"--header 'Accept: {', '.join(INDEXES)}'"
    index = json.loads(call(shell, f"wget -q -O - {accepted} http://127.0.0.1:5000/v2/motor/manifests/v1").stdout)
    assert len(index["manifests"]) == 2
    if source == "containerd":
        call(shell, f"ctr images pull --all-platforms --plain-http {INDEX}")
    runtime.run("create", f"{source}:{INDEX}", "motor", deadline=Deadline(CALL_S))
    runtime.start("motor")
    witness.started(pushed, Deadline(PROOF_S))
    assert linux.attribute(pushed.processor, "state") == "running"
    runtime.delete("motor", force=True)
    linux.assert_untouched()


@pytest.mark.usefixtures("dockerd")
def test_docker_pulls_an_image_that_podman_pushed(
    shell: Shell, pushed: BuiltFirmware, witness: Witness, linux: Linux
) -> None:
    name = posixpath.dirname(INDEX) + "/plain:v1"
    call(shell, f"podman tag localhost/motor:{pushed.processor} {name} && podman push --tls-verify=false {name}")
    call(shell, f"docker pull {name}")
    named = f"--env REMOTEPROC_NAME={pushed.processor}"
    call(shell, f"docker run -d --name motor --runtime hybrid-runtime --network none {named} {name}")
    witness.started(pushed, Deadline(PROOF_S))
    call(shell, f"docker rm -f motor && docker rmi {name}")
    linux.assert_untouched()
