"""docs/engines.md, typed as it stands: every command of its console blocks."""

import re
from collections.abc import Iterator

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import Witness
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.engines.daemon import Daemon
from tests.engines.firmware_image import archive
from tests.engines.kept_file import kept_file
from tests.linux import Linux

CALL_S = 120.0
PROOF_S = 30.0
PAGE = checkout_root() / "docs/engines.md"
FOLDER = "/root/documents"
SETTINGS = "/etc/containerd/config.toml"
IMAGE = "docker.io/library/motor:latest"
CONTAINERFILE = b'FROM scratch\nCOPY motor.elf /motor.elf\nCMD ["/motor.elf"]\n'


def commands(title: str) -> list[str]:
    """Those of one section."""
    section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert section, title
    found = [
        line for block in re.findall(r"```console\n(.*?)```", section[1], re.DOTALL) for line in block.splitlines()
    ]
    assert found, title
    return found


@pytest.fixture
def folder(shell: Shell, firmware: FirmwareMaker) -> Iterator[BuiltFirmware]:
    """What the page takes for granted: a firmware, how an image is made of it, and the image as a file."""
    heartbeat = firmware("heartbeat")
    content = shell.get(heartbeat.path_on_board)
    shell.put(content, f"{FOLDER}/motor.elf")
    shell.put(CONTAINERFILE, f"{FOLDER}/Containerfile")
    shell.put(archive(IMAGE, "/motor.elf", content, ["/motor.elf"]), f"{FOLDER}/motor.tar")
    yield heartbeat
    shell.run(["rm", "-r", FOLDER])


def type_all(shell: Shell, title: str, firmware: BuiltFirmware, witness: Witness) -> None:
    for command in commands(title):
        told = shell.run(f"cd {FOLDER} && {command}", deadline=Deadline(CALL_S))
        if " run --detach " in command:
            witness.started(firmware, Deadline(PROOF_S))
        if command.split()[1] == "logs":
            witness.logged(told.stdout.splitlines(), firmware)


@pytest.mark.engine("podman")
def test_podman(shell: Shell, folder: BuiltFirmware, witness: Witness, linux: Linux) -> None:
    type_all(shell, "podman", folder, witness)
    linux.assert_untouched()


@pytest.mark.engine("docker")
@pytest.mark.usefixtures("dockerd")
def test_docker(shell: Shell, folder: BuiltFirmware, witness: Witness, linux: Linux) -> None:
    type_all(shell, "Docker", folder, witness)
    linux.assert_untouched()


@pytest.mark.engine("containerd")
@pytest.mark.parametrize("title", ["containerd", "Coming from the Go runtime"])
def test_containerd(
    shell: Shell, folder: BuiltFirmware, containerd: Daemon, witness: Witness, linux: Linux, title: str
) -> None:
    assert containerd.serves()
    with kept_file(shell, SETTINGS):
        shell.run(f"mkdir -p {SETTINGS.rpartition('/')[0]} && touch {SETTINGS}")
        if title != "containerd":
            shell.run(f"ctr images import {FOLDER}/motor.tar", deadline=Deadline(CALL_S))
        type_all(shell, title, folder, witness)
    linux.assert_untouched()
