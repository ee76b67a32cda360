"""Pods of podman: their first container is no firmware, and is held by the runtime for Linux programs."""

import re

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
def heart(firmware: FirmwareMaker) -> BuiltFirmware:
    return firmware("heartbeat")


def test_a_pod_and_its_infra_container(engine: Engine, heart: BuiltFirmware, witness: Witness, linux: Linux) -> None:
    image = engine.image_of(heart)
    runtime = ("--runtime", RUNTIME)
    engine.call(*runtime, "pod", "create", "--name", "pod", "--network", "none")
    naming = ("--annotation", f"remoteproc.name={heart.processor}")
    engine.call(*runtime, "run", "--detach", "--pod", "pod", "--name", "motor", *naming, image)
    witness.started(heart, Deadline(PROOF_S))
    assert engine.call("pod", "inspect", "--format", "{{.State}}", "pod").stdout == "Running\n"
    engine.call(*runtime, "pod", "stop", "pod")
    witness.silent(heart)
    engine.call(*runtime, "pod", "start", "pod")
    witness.started(heart, Deadline(PROOF_S))
    engine.call(*runtime, "pod", "rm", "--force", "pod")
    witness.silent(heart)
    linux.assert_untouched()


def test_a_pod_without_infra(engine: Engine, heart: BuiltFirmware, witness: Witness, linux: Linux) -> None:
    """Nothing holds the pod together, and no runtime for Linux programs is needed."""
    engine.call("pod", "create", "--name", "pod", "--infra=false")
    naming = ("--annotation", f"remoteproc.name={heart.processor}")
    run = ("--runtime", RUNTIME, "run", "--detach", "--pod", "pod", "--name", "motor", "--network", "none", *naming)
    engine.call(*run, engine.image_of(heart))
    witness.started(heart, Deadline(PROOF_S))
    engine.call("pod", "stop", "pod")
    witness.silent(heart)
    engine.call("pod", "rm", "--force", "pod")
    linux.assert_untouched()


@pytest.mark.parametrize("kind", KINDS)
def test_kube_play(
    engine: Engine, shell: Shell, heart: BuiltFirmware, witness: Witness, linux: Linux, kind: str
) -> None:
    """What is shipped, with the processor and the image of this board."""
    skip_before(shell, "podman", *KINDS[kind])
    image = engine.image_of(heart)
    text = re.sub(r"1[01]000\.r5f", heart.processor, (YAML / f"{kind}.yaml").read_text())
    lines = [
        f"{line.partition('image:')[0]}image: {image}" if " image:" in line else line for line in text.splitlines()
    ]
    shell.put("\n".join(lines).encode(), FILE)
    try:
        engine.call("--runtime", RUNTIME, "kube", "play", "--network", "none", FILE)
        witness.started(heart, Deadline(PROOF_S))
        engine.call("--runtime", RUNTIME, "kube", "down", FILE)
        witness.silent(heart)
    finally:
        shell.run(["rm", "-f", FILE])
    linux.assert_untouched()
