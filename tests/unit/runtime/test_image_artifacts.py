"""Firmware pushed as an OCI artifact, as oras does it: no configuration, and files as they are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.elf_builder import build_elf
from tests.image_builder import MANIFEST, Descriptor, LayoutBuilder, dump
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import RemoteprocDouble

pytestmark = pytest.mark.usefixtures("core")

EMPTY = "application/vnd.oci.empty.v1+json"
# What oras calls a file whose type nobody has named: it is no tar.
ORAS = "application/vnd.oci.image.layer.v1.tar"
TITLE = "org.opencontainers.image.title"


def artifact(
    builder: LayoutBuilder,
    files: Mapping[str, bytes],
    annotations: Mapping[str, str] | None = None,
    subject: Descriptor | None = None,
    media_type: str = ORAS,
) -> Descriptor:
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/vnd.unknown.artifact.v1",
        "config": builder.blob(b"{}", EMPTY),
        "layers": [builder.blob(data, media_type, {TITLE: name}) for name, data in files.items()],
        "annotations": dict(annotations or {}),
    }
    return builder.blob(dump(manifest | ({"subject": subject} if subject else {})), MANIFEST)


@pytest.mark.parametrize("media_type", [ORAS, "application/octet-stream", "application/x-elf"])
@pytest.mark.parametrize("kind", ["oci", "oci-archive"])
def test_its_only_elf_is_the_firmware(
    command: Command, double: RemoteprocDouble, tmp_path: Path, kind: str, media_type: str
) -> None:
    builder = LayoutBuilder()
    files = {"README.md": b"# motor\n", "build/motor.elf": build_elf()}
    builder.add(artifact(builder, files, {"remoteproc.recovery": "kernel"}, media_type=media_type), ref="v1")
    place = builder.write(tmp_path / "layout") if kind == "oci" else builder.archive(tmp_path / "motor.tar")
    command.run("create", f"{kind}:{place}:v1", "motor")
    [installed] = double.installed()
    assert installed.startswith("motor.elf-")
    assert (double.firmware_folder / installed).read_bytes() == build_elf()
    assert command.state("motor")["annotations"]["remoteproc.recovery"] == "kernel"
    command.run("delete", "--force", "motor")
    assert double.leftovers() == []


def test_the_one_for_this_board(command: Command, double: RemoteprocDouble, tmp_path: Path) -> None:
    """Marks choose among artifacts as among images, and also between both."""
    builder = LayoutBuilder()
    other = build_elf(sections=(".text",))
    builder.add(
        artifact(builder, {"motor.elf": build_elf()}, {"org.hybrid-runtime.mcu": "core0"}),
        artifact(builder, {"other.elf": other}, {"org.hybrid-runtime.board": "acme,other"}),
        builder.labelled(other, board="acme,third"),
    )
    command.run("create", f"oci:{builder.write(tmp_path / 'layout')}", "motor")
    [installed] = double.installed()
    assert installed.startswith("motor.elf-")


@pytest.mark.parametrize(
    ("title", "name"),
    [("", "firmware.elf"), ("../../etc/motor.elf", "motor.elf"), ("/", "firmware.elf"), ("..", "firmware.elf")],
)
def test_a_title_leads_nowhere(
    command: Command, double: RemoteprocDouble, tmp_path: Path, title: str, name: str
) -> None:
    builder = LayoutBuilder()
    builder.add(artifact(builder, {title: build_elf()}))
    command.run("create", f"oci:{builder.write(tmp_path / 'layout')}", "motor")
    [installed] = double.installed()
    assert installed.startswith(f"{name}-")


def test_what_speaks_of_an_image_is_none(command: Command, tmp_path: Path) -> None:
    """As a signature does, whatever is in it."""
    builder = LayoutBuilder()
    image = builder.image()
    builder.add(image, artifact(builder, {"motor.elf": build_elf()}, subject=image), artifact(builder, {"a.md": b"x"}))
    command.run("create", f"oci:{builder.write(tmp_path / 'layout')}", "motor")
    command.run("delete", "motor")
    alone = LayoutBuilder()
    alone.add(artifact(alone, {"a.md": b"x"}))
    refused = command.run("create", f"oci:{alone.write(tmp_path / 'alone')}", "motor", code=1)
    assert "there is no firmware image in it" in refused.stderr


def test_two_firmwares_are_none(command: Command, double: RemoteprocDouble, tmp_path: Path) -> None:
    builder = LayoutBuilder()
    builder.add(artifact(builder, {"a.elf": build_elf(), "b.elf": build_elf(sections=(".text",))}))
    refused = command.run("create", f"oci:{builder.write(tmp_path / 'layout')}", "motor", code=1)
    assert "has several firmwares: `a.elf`, `b.elf` (push one artifact for each)" in refused.stderr
    assert double.leftovers() == []


def test_another_content_than_its_digest_says(command: Command, double: RemoteprocDouble, tmp_path: Path) -> None:
    builder = LayoutBuilder()
    builder.add(artifact(builder, {"motor.elf": build_elf()}))
    content = build_elf()
    path = next(name for name, data in builder.files.items() if data == content)
    builder.files[path] = content[:-1] + bytes([content[-1] ^ 1])
    refused = command.run("create", f"oci:{builder.write(tmp_path / 'layout')}", "motor", code=1)
    assert "has the digest `sha256:" in refused.stderr
    assert double.leftovers() == []
