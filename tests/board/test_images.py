"""Firmware images on a board: the right one of several runs, whatever it is packed in, and a damaged one never does."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.image_builder import LayoutBuilder, configuration, docker_archive, firmware_layer, podman_archive
from tests.linux import Linux, WaitForLog, WaitForStatus

PROOF_S = 10.0
FOLDER = "/tmp/images"


def put_files(shell: Shell, files: dict[str, bytes], folder: str) -> str:
    """As one stream; the folder is new."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    shell.run(f"rm -rf {folder} && mkdir -p {folder} && tar -xf - -C {folder}", stdin=stream.getvalue())
    return folder


class Boards:
    """An image for this board's processor, and what else may lie beside it."""

    def __init__(self, shell: Shell, firmware: FirmwareMaker) -> None:
        self.shell = shell
        self.firmware = firmware
        self.model = shell.run("tr -d '\\0' < /proc/device-tree/model").stdout
        self.compatible = shell.run("tr '\\0' '\\n' < /proc/device-tree/compatible").stdout.split()[0]

    def make(self) -> tuple[BuiltFirmware, bytes]:
        built = self.firmware("hello")
        return built, self.shell.get(built.path_on_board)


@pytest.fixture
def boards(shell: Shell, firmware: FirmwareMaker) -> Boards:
    return Boards(shell, firmware)


def prove(
    runtime: DeployedRuntime, witness: Witness, wait_for_log: WaitForLog, built: BuiltFirmware, container: str
) -> None:
    """It is this firmware that runs: the core says its nonce, and so do the logs."""
    runtime.start(container)
    witness.started(built, Deadline(PROOF_S))
    witness.logged(wait_for_log(container, built.nonce), built)


def test_the_image_for_this_board_runs(
    runtime: DeployedRuntime,
    shell: Shell,
    boards: Boards,
    witness: Witness,
    linux: Linux,
    wait_for_log: WaitForLog,
    wait_for_status: WaitForStatus,
) -> None:
    built, ours = boards.make()
    _, theirs = boards.make()
    builder = LayoutBuilder()
    builder.add(
        builder.index(
            builder.labelled(theirs, board="another,board", mcu=built.processor),
            builder.labelled(ours, board=boards.compatible, mcu=built.processor),
        ),
        ref="v1",
    )
    folder = put_files(shell, builder.all_files(), f"{FOLDER}/layout")
    runtime.run("create", f"oci:{folder}:v1", "image")
    assert linux.attribute(built.processor, "state") == "offline"
    assert shell.run("ls /run/hybrid-runtime/image/bundle").stdout.split() == ["config.json"]
    prove(runtime, witness, wait_for_log, built, "image")
    runtime.kill("image")
    wait_for_status("image", "stopped")
    runtime.delete("image")
    linux.assert_untouched()


def test_the_model_is_a_name_of_the_board(runtime: DeployedRuntime, shell: Shell, boards: Boards, linux: Linux) -> None:
    built, ours = boards.make()
    builder = LayoutBuilder()
    ours_too = builder.labelled(ours) | {"annotations": {"board": boards.model, "mcu": built.processor}}
    theirs = builder.labelled(ours + b"other") | {"annotations": {"board": "another,board"}}
    builder.add(builder.index(theirs, ours_too))
    folder = put_files(shell, builder.all_files(), f"{FOLDER}/model")
    runtime.run("create", folder, "image")
    assert runtime.state("image")["annotations"]["remoteproc.name"] == built.processor
    runtime.delete("image")
    refused = runtime.run("create", f"oci:{folder}:{theirs['digest']}", "image", check=False)
    assert refused.exit_status == 1
    assert "is for the board `another,board`" in refused.stderr
    assert boards.model in refused.stderr
    assert boards.compatible in refused.stderr
    linux.assert_untouched()


@pytest.mark.parametrize("shape", ["oci-archive", "podman", "docker", "packed"])
def test_archives(
    runtime: DeployedRuntime,
    shell: Shell,
    boards: Boards,
    witness: Witness,
    linux: Linux,
    wait_for_log: WaitForLog,
    tmp_path: Path,
    shape: str,
) -> None:
    built, content = boards.make()
    environment = [f"REMOTEPROC_NAME={built.processor}"]
    layer = firmware_layer(content=content)
    if shape == "oci-archive":
        builder = LayoutBuilder()
        builder.add(builder.image(layer, config=configuration([layer], Env=environment, Cmd=["/fw.elf"])))
        archive = builder.archive(tmp_path / "image.tar").read_bytes()
    elif shape == "podman":
        archive = podman_archive(layer, "localhost/hello:v1", Env=environment)
    else:
        archive = docker_archive([layer, layer], ["hello:v1"], Env=environment)
    image = f"{FOLDER}/{shape}.tar"
    shell.put(gzip.compress(archive) if shape == "packed" else archive, image)
    prefix = {"oci-archive": "oci-archive:", "docker": "docker-archive:"}.get(shape, "")
    runtime.run("create", f"{prefix}{image}", "image")
    prove(runtime, witness, wait_for_log, built, "image")
    runtime.delete("image", force=True)
    linux.assert_untouched()


def test_a_damaged_image_never_runs(runtime: DeployedRuntime, shell: Shell, boards: Boards, linux: Linux) -> None:
    built, content = boards.make()
    builder = LayoutBuilder()
    layer = firmware_layer(content=content)
    builder.add(builder.image(layer, packed=False))
    files = builder.all_files()
    [name] = [name for name in files if files[name] == layer]
    # The same firmware but for one bit.
    files[name] = bytes([*layer[:-5000], layer[-5000] ^ 1, *layer[-4999:]])
    folder = put_files(shell, files, f"{FOLDER}/damaged")
    refused = runtime.run(
        "create", "--annotation", f"remoteproc.name={built.processor}", f"oci:{folder}", "image", check=False
    )
    assert refused.exit_status == 1
    assert "has the digest `sha256:" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    linux.assert_untouched()


def test_a_name_that_nobody_has(runtime: DeployedRuntime, shell: Shell, linux: Linux) -> None:
    refused = runtime.run("create", "localhost/motor:v1", "image", check=False)
    assert refused.exit_status == 1
    assert "`localhost/motor:v1` is neither a file nor an image of an engine" in refused.stderr
    has_podman = shell.run("command -v podman", check=False).exit_status == 0
    assert ("podman has none" if has_podman else "`podman` is not installed") in refused.stderr
    linux.assert_untouched()
