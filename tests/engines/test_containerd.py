"""containerd's own settings: which configurations `install` mends, who may bring images, what it asks of a runtime."""

import json
from collections.abc import Iterator

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.engines.containerd_client import IMAGE, ctr, put_image, remove, wait_until_stopped
from tests.engines.daemon import Daemon
from tests.engines.kept_file import kept_file
from tests.engines.version import skip_before, version_of
from tests.linux import Linux

pytestmark = pytest.mark.engine("containerd")

PROOF_S = 30.0
CALL_S = 120.0
CONFIGURATION = "/etc/containerd/config.toml"
DROP_INS = "/etc/containerd/conf.d"
IMPORTS = f'imports = ["{DROP_INS}/*.toml"]\n'
CRI = {1: "cri", 2: "io.containerd.grpc.v1.cri", 3: "io.containerd.cri.v1.runtime"}
VERIFIERS = "/root/verifiers"
REGISTRY_IMAGE = "localhost:5000/motor:verified"


@pytest.fixture
def settings(shell: Shell) -> Iterator[None]:
    """Nobody's at first, and the image's again afterwards."""
    with kept_file(shell, CONFIGURATION):
        shell.run(f"rm -rf {CONFIGURATION} {DROP_INS}")
        yield
        shell.run(["rm", "-rf", DROP_INS])


def configurations(release: tuple[int, int]) -> dict[str, str]:
    """By what they are, all that this release of containerd reads."""
    table = '[plugins."{}"]\n  max_container_log_line_size = 4096\n'
    found = {
        "none": "",
        "version 2": "version = 2\n" + table.format(CRI[2]),
        "version 2, imports": "version = 2\n" + IMPORTS,
        "version 2, imports and settings": "version = 2\n" + IMPORTS + table.format(CRI[2]),
    }
    if release < (2, 0):
        found["version 1"] = "[plugins.cri]\n  max_container_log_line_size = 4096\n"
    else:
        found["version 3"] = "version = 3\n" + table.format(CRI[3])
        found["version 3, imports and settings"] = "version = 3\n" + IMPORTS + table.format(CRI[3])
    return found


@pytest.mark.usefixtures("settings")
def test_every_configuration_knows_the_runtime_after_install(shell: Shell, runtime: DeployedRuntime) -> None:
    """containerd itself says what it has read, and that our lines took nothing away."""
    for name, text in configurations(version_of(shell, "containerd")).items():
        shell.run(["rm", "-rf", CONFIGURATION, DROP_INS])
        if text:
            shell.put(text.encode(), CONFIGURATION)
        runtime.run("install", "containerd")
        dump = shell.run("containerd config dump", deadline=Deadline(CALL_S)).stdout
        assert "runtimes.hybrid-runtime" in dump, name
        if "4096" in text:
            assert "max_container_log_line_size = 4096" in dump, name
        runtime.run("uninstall", "containerd")
        assert shell.run(f"cat {CONFIGURATION}", check=False).stdout == text, name
        assert shell.run(f"ls {DROP_INS}", check=False).stdout == "", name


def test_what_the_runtime_can(shell: Shell, containerd: Daemon) -> None:
    """containerd 2 asks a runtime for its features, and hands them on to kubelets."""
    assert containerd.serves()
    skip_before(shell, "containerd", 2, 0)
    told = ctr(shell, "plugins", "inspect-runtime", "--runc-binary", "/usr/bin/hybrid-runtime").stdout
    features = json.loads(told)["Features"]
    assert "hybrid-runtime.version" in features["annotations"]
    assert features["linux"]["cgroup"]["systemd"] is True


@pytest.mark.engine("registry")
def test_an_image_verifier(
    shell: Shell, containerd: Daemon, registry: Daemon, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    """A program of the owner decides which images of a registry come to the device."""
    skip_before(shell, "containerd", 2, 0)
    assert registry.serves()
    heartbeat = firmware("heartbeat")
    put_image(shell, heartbeat)
    ctr(shell, "images", "tag", IMAGE, REGISTRY_IMAGE)
    ctr(shell, "images", "push", "--plain-http", REGISTRY_IMAGE)
    ctr(shell, "images", "rm", REGISTRY_IMAGE)
    before = shell.get(CONFIGURATION)
    table = f'\n[plugins."io.containerd.image-verifier.v1.bindir"]\nbin_dir = "{VERIFIERS}"\n'
    shell.put(before + table.encode(), CONFIGURATION)
    try:
        containerd.kill("TERM")
        containerd.ensure()
        pull = ("images", "pull", "--plain-http", REGISTRY_IMAGE)
        shell.put(b"#!/bin/sh\necho unsigned\nexit 1\n", f"{VERIFIERS}/signatures", 0o755)
        refused = ctr(shell, *pull, check=False)
        assert refused.exit_status != 0
        assert "unsigned" in refused.stderr
        shell.put(b"#!/bin/sh\nexit 0\n", f"{VERIFIERS}/signatures", 0o755)
        ctr(shell, *pull)
        naming = ("--annotation", f"remoteproc.name={heartbeat.processor}")
        binary = ("--runc-binary", "/usr/bin/hybrid-runtime")
        ctr(shell, "run", "--detach", *binary, *naming, REGISTRY_IMAGE, "motor")
        witness.started(heartbeat, Deadline(PROOF_S))
        ctr(shell, "task", "kill", "motor")
        wait_until_stopped(shell)
        assert remove(shell) == 0
        linux.assert_untouched()
    finally:
        shell.put(before, CONFIGURATION)
        shell.run(["rm", "-rf", VERIFIERS])
        containerd.kill("TERM")
        containerd.ensure()
