"""What Docker has since the releases that Debian 12 came with: annotations, images in containerd, BuildKit."""

import json

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.engines.daemon import Daemon
from tests.engines.engine import FIRMWARE, Engine
from tests.engines.version import skip_before
from tests.linux import Linux

pytestmark = pytest.mark.parametrize(
    "engine", [pytest.param("docker", marks=pytest.mark.engine("docker"))], indirect=True
)

PROOF_S = 30.0
BUILD_S = 300.0
UNHEALTHY_S = 60.0
SETTINGS = "/etc/docker/daemon.json"
CONTEXT = "/root/context"
CONTAINERFILE = f'FROM scratch\nCOPY fw.elf {FIRMWARE}\nCMD ["{FIRMWARE}"]\n'
ATTESTED = "localhost/attested:latest"


def assert_life(engine: Engine, image: str, firmware: BuiltFirmware, witness: Witness, linux: Linux) -> None:
    engine.run("motor", image, processor=firmware.processor)
    witness.started(firmware, Deadline(PROOF_S))
    engine.call("stop", "motor")
    witness.silent(firmware)
    engine.call("rm", "motor")
    linux.assert_untouched()


def test_an_annotation_names_the_processor(
    engine: Engine, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    skip_before(shell, "docker", 24, 0)
    heartbeat = firmware("heartbeat")
    engine.run("motor", engine.image_of(heartbeat), "--annotation", f"remoteproc.name={heartbeat.processor}")
    witness.started(heartbeat, Deadline(PROOF_S))
    engine.call("rm", "--force", "motor")
    witness.silent(heartbeat)
    linux.assert_untouched()


def test_images_that_containerd_keeps(
    engine: Engine,
    dockerd: Daemon,
    shell: Shell,
    runtime: DeployedRuntime,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
) -> None:
    """Docker's containerd image store, the default of new installations from 29 on. The runtime itself takes such an
    image through either of the two."""
    skip_before(shell, "docker", 24, 0)
    heartbeat = firmware("heartbeat")
    with dockerd.with_settings(SETTINGS, {"features": {"containerd-snapshotter": True}}):
        image = engine.image_of(heartbeat)
        assert "containerd" in engine.call("info", "--format", "{{.DriverStatus}}").stdout
        assert_life(engine, image, heartbeat, witness, linux)
        for source in ("docker-daemon", "containerd"):
            runtime.run("create", "--processor", heartbeat.processor, f"{source}:{image}", "motor")
            runtime.start("motor")
            witness.started(heartbeat, Deadline(PROOF_S))
            runtime.delete("motor", force=True)
        engine.remove_everything()
    linux.assert_untouched()


@pytest.mark.engine("buildx")
def test_an_image_with_attestations(
    engine: Engine,
    dockerd: Daemon,
    shell: Shell,
    runtime: DeployedRuntime,
    firmware: FirmwareMaker,
    witness: Witness,
    linux: Linux,
) -> None:
    """BuildKit makes an index of the image and of a manifest that says how it was built."""
    heartbeat = firmware("heartbeat")
    shell.put(shell.get(heartbeat.path_on_board), f"{CONTEXT}/fw.elf")
    shell.put(CONTAINERFILE.encode(), f"{CONTEXT}/Dockerfile")
    with dockerd.with_settings(SETTINGS, {"features": {"containerd-snapshotter": True}}):
        words = ("buildx", "build", "--provenance", "mode=max", "--network", "none", "--tag", ATTESTED, CONTEXT)
        engine.call(*words, deadline=Deadline(BUILD_S))
        engine.images.append(ATTESTED)
        engine.call("save", "--output", f"{CONTEXT}/image.tar", ATTESTED)
        index = json.loads(shell.run(f"tar -xOf {CONTEXT}/image.tar index.json").stdout)
        assert_attested(shell, index["manifests"][0]["digest"])
        assert_life(engine, ATTESTED, heartbeat, witness, linux)
        runtime.run("create", "--processor", heartbeat.processor, f"oci-archive:{CONTEXT}/image.tar", "motor")
        runtime.start("motor")
        witness.started(heartbeat, Deadline(PROOF_S))
        runtime.delete("motor", force=True)
        engine.remove_everything()
    shell.run(["rm", "-r", CONTEXT])
    linux.assert_untouched()


def assert_attested(shell: Shell, digest: str) -> None:
    """The image's index has a manifest that is no image."""
    blob = f"blobs/{digest.replace(':', '/')}"
    inner = json.loads(shell.run(f"tar -xOf {CONTEXT}/image.tar {blob}").stdout)
    kinds = [entry.get("annotations", {}).get("vnd.docker.reference.type", "") for entry in inner["manifests"]]
    assert sorted(kinds) == ["", "attestation-manifest"]


def test_a_start_interval_changes_nothing(
    engine: Engine, shell: Shell, firmware: FirmwareMaker, witness: Witness, linux: Linux
) -> None:
    """Health checks that come more often while a container starts cannot be executed either."""
    skip_before(shell, "docker", 25, 0)
    heartbeat = firmware("heartbeat")
    health = ("--health-cmd", "true", "--health-interval", "2s", "--health-retries", "1")
    start = ("--health-start-period", "3s", "--health-start-interval", "1s")
    engine.run("motor", engine.image_of(heartbeat), *health, *start, processor=heartbeat.processor)
    witness.started(heartbeat, Deadline(PROOF_S))
    engine.wait_for("motor", lambda found: found["State"]["Health"]["Status"] == "unhealthy", UNHEALTHY_S)
    assert engine.state("motor")[0] == "running"
    witness.beating(heartbeat, Deadline(PROOF_S))
    engine.call("rm", "--force", "motor")
    linux.assert_untouched()
