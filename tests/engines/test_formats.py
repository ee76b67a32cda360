"""Images and artifacts as today's tools make them: other compressions, files without an image around them."""

from collections.abc import Iterator

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.engines.daemon import Daemon
from tests.engines.version import skip_before
from tests.linux import Linux

CALL_S = 240.0
PROOF_S = 30.0
FOLDER = "/root/formats"
REGISTRY = "localhost:5000"
CONTAINERFILE = b'FROM scratch\nCOPY motor.elf /motor.elf\nCMD ["/motor.elf"]\n'


def call(shell: Shell, command: str) -> str:
    return shell.run(f"cd {FOLDER} && {command}", deadline=Deadline(CALL_S)).stdout


@pytest.fixture
def heartbeat(shell: Shell, firmware: FirmwareMaker) -> Iterator[BuiltFirmware]:
    """In a folder with the Containerfile for it."""
    found = firmware("heartbeat")
    shell.put(shell.get(found.path_on_board), f"{FOLDER}/motor.elf")
    shell.put(CONTAINERFILE, f"{FOLDER}/Containerfile")
    yield found
    shell.run(["rm", "-r", FOLDER])


def assert_runs(runtime: DeployedRuntime, source: str, firmware: BuiltFirmware, witness: Witness, linux: Linux) -> None:
    runtime.run("create", "--processor", firmware.processor, source, "motor", deadline=Deadline(CALL_S))
    runtime.start("motor")
    witness.started(firmware, Deadline(PROOF_S))
    runtime.delete("motor", force=True)
    witness.silent(firmware)
    linux.assert_untouched()


@pytest.mark.engine("buildah")
@pytest.mark.engine("skopeo")
@pytest.mark.parametrize("compression", ["gzip", "zstd", "zstd:chunked"])
def test_compressions(
    shell: Shell,
    runtime: DeployedRuntime,
    heartbeat: BuiltFirmware,
    witness: Witness,
    linux: Linux,
    compression: str,
) -> None:
    """Built by buildah, stored by skopeo. Python reads zstd from 3.14 on, before that a program does."""
    call(shell, "buildah build --tag localhost/motor .")
    try:
        # skopeo 1.9 has no option for a layer's format in a folder: a registry's client would decide.
        known = "--dest-compress-format" in call(shell, "skopeo copy --help")
        chosen = f"--dest-compress --dest-compress-format {compression}" if known else ""
        call(shell, f"skopeo copy {chosen} containers-storage:localhost/motor:latest oci:{FOLDER}/layout:v1")
        kinds = call(shell, "cat layout/blobs/sha256/* | grep -ao 'layer.v1.tar[+a-z]*' | sort -u").split()
        wanted = "gzip" if compression == "gzip" or not known else "zstd"
        assert kinds == [f"layer.v1.tar+{wanted}"]
        assert_runs(runtime, f"oci:{FOLDER}/layout:v1", heartbeat, witness, linux)
    finally:
        call(shell, "buildah rmi localhost/motor")


@pytest.mark.engine("oras")
@pytest.mark.engine("registry")
@pytest.mark.engine("containerd")
def test_an_artifact_of_oras(
    shell: Shell,
    runtime: DeployedRuntime,
    registry: Daemon,
    containerd: Daemon,
    heartbeat: BuiltFirmware,
    witness: Witness,
    linux: Linux,
) -> None:
    """Pushed as docs/firmware-images.md has it; brought to the device by oras, and by containerd under its name."""
    assert registry.serves()
    assert containerd.serves()
    name = f"{REGISTRY}/motor:v1"
    annotation = f"--annotation org.hybrid-runtime.mcu={heartbeat.processor}"
    call(shell, f"oras push --plain-http {name} {annotation} motor.elf")
    call(shell, f"oras copy --from-plain-http --to-oci-layout {name} artifact:v1")
    assert_runs(runtime, f"oci:{FOLDER}/artifact:v1", heartbeat, witness, linux)
    call(shell, f"ctr content fetch --plain-http {name}")
    assert_runs(runtime, f"containerd:{name}", heartbeat, witness, linux)
    call(shell, f"ctr images rm {name}")


@pytest.mark.engine("podman")
@pytest.mark.engine("registry")
def test_an_artifact_of_podman(
    shell: Shell,
    runtime: DeployedRuntime,
    registry: Daemon,
    heartbeat: BuiltFirmware,
    witness: Witness,
    linux: Linux,
) -> None:
    """podman keeps artifacts in a layout beside its images."""
    skip_before(shell, "podman", 5, 4)
    assert registry.serves()
    name = f"{REGISTRY}/motor:v2"
    annotation = f"--annotation org.hybrid-runtime.mcu={heartbeat.processor}"
    call(shell, f"podman artifact add {annotation} {name} motor.elf")
    call(shell, f"podman artifact push --tls-verify=false {name}")
    call(shell, f"podman artifact rm {name}")
    call(shell, f"podman artifact pull --tls-verify=false {name}")
    place = call(shell, "podman info --format '{{.Store.GraphRoot}}'").strip() + "/artifacts"
    assert_runs(runtime, f"oci:{place}:{name}", heartbeat, witness, linux)
    assert_runs(runtime, name, heartbeat, witness, linux)
    call(shell, f"podman artifact rm {name}")
