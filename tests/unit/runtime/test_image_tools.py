"""Images that real tools make, read as they are. Needs buildah and skopeo; without them it says so and is skipped."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.elf_builder import build_elf
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

CONTAINERFILE = """FROM scratch
LABEL board="vendor,board"
COPY fw.elf /firmware/fw.elf
ENV REMOTEPROC_NAME=core0
CMD ["/firmware/fw.elf"]
"""


class Tools:
    """buildah and skopeo with a storage of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        configuration = folder / "storage.conf"
        configuration.write_text(
            f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/storage"\nrunroot = "{folder}/running"\n'
        )
        (folder / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        self.environment = {
            **os.environ,
            "CONTAINERS_STORAGE_CONF": str(configuration),
            "BUILDAH_ISOLATION": "chroot",
            "STORAGE_DRIVER": "vfs",
        }

    def run(self, *words: str) -> None:
        made = subprocess.run(words, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False)
        assert made.returncode == 0, f"{words}: {made.stderr}"

    def copy(self, *words: str) -> None:
        self.run("skopeo", "--policy", f"{self.folder}/policy.json", "copy", "--quiet", *words)


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    missing = [name for name in ("buildah", "skopeo") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed: images of real tools are not tried")
    tools = Tools(tmp_path)
    (tmp_path / "fw.elf").write_bytes(build_elf())
    (tmp_path / "Containerfile").write_text(CONTAINERFILE)
    policy = f"--signature-policy={tmp_path}/policy.json"
    probe = subprocess.run(
        ["buildah", "bud", "--quiet", policy, "-t", "localhost/motor:v1", "."],
        cwd=tmp_path,
        env=tools.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if probe.returncode:
        pytest.skip(f"buildah cannot build here: images of real tools are not tried: {probe.stderr[-200:]}")
    tools.run("buildah", "push", "--quiet", policy, "localhost/motor:v1", f"oci:{tmp_path}/layout:v1")
    tools.run("buildah", "manifest", "create", "both")
    tools.run("buildah", "manifest", "add", "--annotation", "mcu=core0", "both", "localhost/motor:v1")
    tools.run("buildah", "manifest", "push", "--all", "--quiet", policy, "both", f"oci-archive:{tmp_path}/both.tar:v1")
    return tools


def test_images_of_real_tools(
    tools: Tools, command: Command, double: RemoteprocDouble, core: ProcessorDouble, tmp_path: Path
) -> None:
    (double.sysroot / "proc/device-tree").mkdir(parents=True)
    (double.sysroot / "proc/device-tree/compatible").write_bytes(b"vendor,board\0")
    tools.copy("oci:layout:v1", "oci-archive:oci.tar:v1")
    tools.copy("oci:layout:v1", "docker-archive:docker.tar:motor:v1")
    tools.run("gzip", "-k", "docker.tar")
    images = ["layout", "oci:layout:v1", "oci.tar", "docker.tar", "docker-archive:docker.tar:motor:v1", "docker.tar.gz"]
    for image in [*images, "both.tar"]:
        command.run("create", image, "motor", cwd=tmp_path)
        config = json.loads((double.root / "motor/bundle/config.json").read_bytes())
        assert config["process"]["args"] == ["/firmware/fw.elf"]
        assert "REMOTEPROC_NAME=core0" in config["process"]["env"]
        [installed] = double.installed()
        assert (double.firmware_folder / installed).read_bytes() == build_elf()
        command.run("delete", "motor")
    tools.copy("--dest-compress-format", "zstd", "--dest-compress", "oci:layout:v1", "oci:zstd:v1")
    outcome = command.run("create", "zstd", "motor", cwd=tmp_path, code=None)
    if outcome.code:
        assert "compressed with zstd" in outcome.stderr
    else:
        command.run("delete", "motor")
    (double.sysroot / "proc/device-tree/compatible").write_bytes(b"other,board\0")
    assert "is for the board `vendor,board`" in command.run("create", "oci.tar", "motor", cwd=tmp_path, code=1).stderr
    assert core.boots == []
    assert double.leftovers() == []
