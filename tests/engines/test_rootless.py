"""podman for a caller who is not root, in a user namespace of its own: the service user has the processors."""

from collections.abc import Iterator

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Completed, Shell
from tests.engines.engine import FIRMWARE, RUNTIME
from tests.engines.firmware_image import archive
from tests.linux import Linux
from tests.service_account import HOME, USER, service_account
from tests.system_files import NUMBER

pytestmark = [pytest.mark.engine("podman"), pytest.mark.engine("rootless")]

CALL_S = 180.0
PROOF_S = 30.0
IMAGE = "localhost/motor:latest"
FILE = "/tmp/image.tar"
RUNTIME_FOLDER = f"/run/user/{NUMBER}"
SUBORDINATES = ("/etc/subuid", "/etc/subgid")
ENVIRONMENT = f"cd / && HOME={HOME}/home XDG_RUNTIME_DIR={RUNTIME_FOLDER}"


class Rootless:
    """podman as that user calls it."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell

    def call(self, words: str, *, check: bool = True) -> Completed:
        command = f"su -s /bin/sh -c '{ENVIRONMENT} podman {words}' {USER}"
        return self.shell.run(command, check=check, deadline=Deadline(CALL_S))


@pytest.fixture
def rootless(shell: Shell, runtime: DeployedRuntime, linux: Linux) -> Iterator[Rootless]:
    runtime.run("install", "podman")
    with service_account(shell, linux):
        for path in SUBORDINATES:
            shell.run(f"echo {USER}:100000:65536 > {path}")
        shell.run(f"install -d -m 700 -o {NUMBER} -g {NUMBER} {HOME}/home {RUNTIME_FOLDER}")
        # As the rules of udev have it everywhere: pasta makes an interface of its own.
        shell.run(["chmod", "666", "/dev/net/tun"])
        found = Rootless(shell)
        yield found
        found.call("rm --all --force", check=False)
        found.call("system migrate", check=False)
        shell.run(["chmod", "600", "/dev/net/tun"])
        shell.run(["rm", "-rf", RUNTIME_FOLDER, *SUBORDINATES])


@pytest.mark.parametrize("network", ["none", "pasta"])
def test_life(
    rootless: Rootless, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux, network: str
) -> None:
    heartbeat = firmware("heartbeat")
    shell.put(archive(IMAGE, FIRMWARE, shell.get(heartbeat.path_on_board), [FIRMWARE]), FILE, 0o644)
    rootless.call(f"load --input {FILE}")
    options = f"--runtime {RUNTIME} --network {network} --annotation remoteproc.name={heartbeat.processor}"
    rootless.call(f"run --detach --name motor {options} {IMAGE}")
    witness.started(heartbeat, Deadline(PROOF_S))
    assert rootless.call("ps --format {{.Names}}").stdout == "motor\n"
    rootless.call("stop motor")
    witness.silent(heartbeat)
    assert rootless.call("inspect --format {{.State.ExitCode}} motor").stdout == "0\n"
    rootless.call("rm motor")
    shell.run(["rm", FILE])
    linux.assert_untouched()
