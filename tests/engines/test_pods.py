"""Pods of podman: their first container is no firmware, and is held by the runtime for Linux programs."""

import re
from collections.abc import Iterator

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.engines.engine import RUNTIME, Engine
from tests.engines.version import skip_before
from tests.linux import Linux

PODMAN = pytest.param("podman", marks=pytest.mark.engine("podman"))
pytestmark = pytest.mark.parametrize("engine", [PODMAN], indirect=True)

PROOF_S = 30.0
YAML = checkout_root() / "runtime/engines/kubernetes"
# By the first podman that plays them.
KINDS = {"pod": (4, 0), "deployment": (4, 0), "daemonset": (5, 0)}
FILE = "/tmp/pod.yaml"


@pytest.fixture
def pods(engine: Engine) -> Iterator[Engine]:
    """With none before and after."""
    engine.call("pod", "rm", "--all", "--force")
    yield engine
    engine.call("pod", "rm", "--all", "--force")


@pytest.fixture
def heart(firmware: FirmwareMaker) -> BuiltFirmware:
    return firmware("heartbeat")


def test_a_pod_and_its_infra_container(pods: Engine, heart: BuiltFirmware, witness: Witness, linux: Linux) -> None:
    image = pods.image_of(heart)
    runtime = ("--runtime", RUNTIME)
    pods.call(*runtime, "pod", "create", "--name", "pod", "--network", "none")
    naming = ("--annotation", f"remoteproc.name={heart.processor}")
    pods.call(*runtime, "run", "--detach", "--pod", "pod", "--name", "motor", *naming, image)
    witness.started(heart, Deadline(PROOF_S))
    assert pods.call("pod", "inspect", "--format", "{{.State}}", "pod").stdout == "Running\n"
    pods.call(*runtime, "pod", "stop", "pod")
    witness.silent(heart)
    pods.call(*runtime, "pod", "start", "pod")
    witness.started(heart, Deadline(PROOF_S))
    pods.call(*runtime, "pod", "rm", "--force", "pod")
    witness.silent(heart)
    linux.assert_untouched()


def test_a_pod_without_infra(pods: Engine, heart: BuiltFirmware, witness: Witness, linux: Linux) -> None:
    """Nothing holds the pod together, and no runtime for Linux programs is needed."""
    pods.call("pod", "create", "--name", "pod", "--infra=false")
    naming = ("--annotation", f"remoteproc.name={heart.processor}")
    run = ("--runtime", RUNTIME, "run", "--detach", "--pod", "pod", "--name", "motor", "--network", "none", *naming)
    pods.call(*run, pods.image_of(heart))
    witness.started(heart, Deadline(PROOF_S))
    pods.call("pod", "stop", "pod")
    witness.silent(heart)
    pods.call("pod", "rm", "--force", "pod")
    linux.assert_untouched()


@pytest.mark.parametrize("kind", KINDS)
def test_kube_play(pods: Engine, shell: Shell, heart: BuiltFirmware, witness: Witness, linux: Linux, kind: str) -> None:
    """What is shipped, with the processor and the image of this board."""
    skip_before(shell, "podman", *KINDS[kind])
    image = pods.image_of(heart)
    text = re.sub(r"1[01]000\.r5f", heart.processor, (YAML / f"{kind}.yaml").read_text())
    lines = [
        f"{line.partition('image:')[0]}image: {image}" if " image:" in line else line for line in text.splitlines()
    ]
    shell.put("\n".join(lines).encode(), FILE)
    try:
        # podman drops the annotations of a template.
        naming = () if kind == "pod" else ("--annotation", f"remoteproc.name={heart.processor}")
        pods.call("--runtime", RUNTIME, "kube", "play", "--network", "none", *naming, FILE)
        witness.started(heart, Deadline(PROOF_S))
        pods.call("--runtime", RUNTIME, "kube", "down", FILE)
        witness.silent(heart)
    finally:
        shell.run(["rm", "-f", FILE])
    linux.assert_untouched()
