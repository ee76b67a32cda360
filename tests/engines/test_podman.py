"""What podman has since the release that Debian 12 came with, and what it can do with its logs."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.engines.daemon import Daemon
from tests.engines.engine import RUNTIME, Engine
from tests.linux import Linux

pytestmark = pytest.mark.parametrize(
    "engine", [pytest.param("podman", marks=pytest.mark.engine("podman"))], indirect=True
)

PROOF_S = 30.0
SOCKET = "unix:///run/podman-test.sock"
LOG = "/tmp/motor.log"
FILE = "/tmp/pod.yaml"


@contextmanager
def running(
    engine: Engine, firmware: FirmwareMaker, witness: Witness, linux: Linux, *options: str
) -> Iterator[BuiltFirmware]:
    """A container `motor` with these options of `run`, gone with all traces afterwards."""
    heartbeat = firmware("heartbeat")
    engine.run("motor", engine.image_of(heartbeat), *options, processor=heartbeat.processor)
    witness.started(heartbeat, Deadline(PROOF_S))
    yield heartbeat
    engine.call("rm", "--force", "motor")
    witness.silent(heartbeat)
    linux.assert_untouched()


def test_logs_as_a_file(engine: Engine, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux) -> None:
    options = ("--log-driver", "k8s-file", "--log-opt", f"path={LOG}")
    with running(engine, firmware, witness, linux, *options) as heartbeat:
        engine.wait_for_log("motor", heartbeat.nonce)
        # Time, stream, whether the line is whole, text; the last one may be in the making.
        *lines, _ = shell.run(["cat", LOG]).stdout.split("\n")
        witness.logged([line.split(" ", 3)[3] for line in lines], heartbeat)
    shell.run(["rm", "-f", LOG])


def test_users_of_its_own(engine: Engine, firmware: FirmwareMaker, linux: Linux) -> None:
    """Firmware would not be kept from the machine's root, so it is refused."""
    hello = firmware("hello")
    mapping = ("--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536")
    refused = engine.run("motor", engine.image_of(hello), *mapping, processor=hello.processor, check=False)
    assert refused.exit_status != 0
    assert "a user namespace is asked for" in refused.stderr
    engine.remove_everything()
    linux.assert_untouched()


def test_no_logs(engine: Engine, firmware: FirmwareMaker, witness: Witness, linux: Linux) -> None:
    """The runtime's own log has what the firmware said."""
    with running(engine, firmware, witness, linux, "--log-driver", "none") as heartbeat:
        assert engine.call("logs", "motor", check=False).exit_status != 0
        witness.beating(heartbeat, Deadline(PROOF_S))


def test_logs_on_the_terminal_of_the_caller(
    engine: Engine, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    """`passthrough`: nobody is between the supervisor and where podman's caller wants it, as under a unit."""
    heartbeat = firmware("heartbeat")
    image = engine.image_of(heartbeat)
    naming = f"--annotation remoteproc.name={heartbeat.processor}"
    options = f"--log-driver passthrough --network none --runtime {RUNTIME} {naming}"
    shell.run(f"podman run --name motor {options} {image} >{LOG} 2>&1 </dev/null &")
    witness.started(heartbeat, Deadline(PROOF_S))
    for _ in Deadline(PROOF_S).ticks(0.2):
        if heartbeat.nonce in shell.run(["cat", LOG]).stdout:
            break
    witness.logged(shell.run(["cat", LOG]).stdout.splitlines(), heartbeat)
    engine.call("stop", "motor")
    witness.silent(heartbeat)
    assert engine.state("motor") == ("exited", 0)
    engine.call("rm", "motor")
    shell.run(["rm", "-f", LOG])
    linux.assert_untouched()


def test_a_service_of_podman_s(
    engine: Engine, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    """As podman-remote and Docker's clients use it: the caller is on another machine, or in another account."""
    daemon = Daemon(
        shell,
        "podman-service",
        f"podman --runtime {RUNTIME} system service --time 0 {SOCKET}",
        f"podman --url {SOCKET} info",
    )
    daemon.ensure()
    try:
        heartbeat = firmware("heartbeat")
        image = engine.image_of(heartbeat)
        remote = ("--url", SOCKET)
        naming = ("--annotation", f"remoteproc.name={heartbeat.processor}")
        create = ("create", "--name", "motor", "--network", "none", *naming, image)
        assert engine.call(*remote, *create, check=False).exit_status == 0
        engine.call(*remote, "start", "motor")
        witness.started(heartbeat, Deadline(PROOF_S))
        assert "motor" in engine.call(*remote, "ps").stdout
        engine.call(*remote, "stop", "motor")
        assert engine.state("motor") == ("exited", 0)
        engine.call(*remote, "rm", "motor")
        linux.assert_untouched()
    finally:
        daemon.kill()


def test_generate_tells_what_play_takes(
    engine: Engine, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    """A container becomes a pod's description, and that a container again: its processor is among what is kept."""
    with running(engine, firmware, witness, linux) as heartbeat:
        told = engine.call("generate", "kube", "motor").stdout
    # podman ties annotations to the container's name, and `play` does not untie them.
    shell.put(told.replace("remoteproc.name/motor", "remoteproc.name").encode(), FILE)
    try:
        play = ("--runtime", RUNTIME, "play", "kube")
        engine.call(*play, "--network", "none", FILE)
        witness.started_again(heartbeat, 2, Deadline(PROOF_S))
        engine.call(*play, "--down", FILE)
        witness.silent(heartbeat)
    finally:
        shell.run(["rm", "-f", FILE])
    linux.assert_untouched()
