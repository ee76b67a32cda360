"""From layouts and archives to a bundle: every format as the tools write it, verified or refused."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybrid_runtime.image.archive import Archive, is_archive
from hybrid_runtime.image.blob import open_file
from hybrid_runtime.image.reference import parse_reference
from hybrid_runtime.image.temporary import TemporaryFiles
from hybrid_runtime.image.unpacking import Unpacking
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.system_paths import SystemPaths
from tests.elf_builder import build_elf
from tests.image_builder import (
    CONFIG,
    INDEX,
    MANIFEST,
    LayoutBuilder,
    configuration,
    docker_archive,
    dump,
    firmware_layer,
    member,
    podman_archive,
    tar,
)
from tests.unit.runtime.remoteproc_double import RemoteprocDouble

NEWER_LAYOUT = b'{"imageLayoutVersion": "2.0"}'
TEXT = {"mediaType": "text/plain", "size": 1, "digest": f"sha256:{'a' * 64}"}
Bundle = Callable[..., tuple[dict[str, Any], bytes]]


def open_files(folder: Path, but: Path) -> list[str]:
    """Of this process, the double's thread left out."""
    names = []
    for path in Path("/proc/self/fd").iterdir():
        try:
            name = str(path.readlink())
        except FileNotFoundError:
            continue
        names += [name] if name.startswith(str(folder)) and not name.startswith(str(but)) else []
    return names


@pytest.fixture
def bundle(double: RemoteprocDouble, tmp_path: Path) -> Bundle:
    """config.json and the firmware; nothing else may be there."""
    double.add("core0")
    double.add("core1")
    Path(double.sysroot, "proc/device-tree").mkdir(parents=True)
    Path(double.sysroot, "proc/device-tree/compatible").write_bytes(b"vendor,board\0")

    def make(image: str | Path, given: dict[str, str] | None = None) -> tuple[dict[str, Any], bytes]:
        folder = tmp_path / f"container{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        try:
            unpacking = Unpacking(SystemPaths(str(double.sysroot)), f"{folder}/bundle", given or {}, "")
            reference = parse_reference(str(image))
            unpacking.make_bundle(*unpacking.fetch(reference))
        finally:
            assert open_files(tmp_path, double.sysroot) == []
        files = [path for path in folder.rglob("*") if path.is_file()]
        config = json.loads((folder / "bundle/config.json").read_bytes())
        [firmware] = [path for path in files if path.name != "config.json"]
        assert firmware == Path(folder, "bundle/rootfs", *config["process"]["args"][0].split("/"))
        assert firmware.stat().st_mode & 0o777 == 0o600
        return config, firmware.read_bytes()

    return make


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_layouts(bundle: Bundle, tmp_path: Path, algorithm: str, packed: bool) -> None:
    builder = LayoutBuilder(algorithm)
    builder.add(builder.image(packed=packed), ref="v1")
    folder = builder.write(tmp_path / "layout")
    archive = builder.archive(tmp_path / "image.tar")
    Path(f"{archive}.gz").write_bytes(gzip.compress(archive.read_bytes()))
    for image in (folder, f"oci:{folder}", f"oci:{folder}:v1", archive, f"oci-archive:{archive}:v1", f"{archive}.gz"):
        config, firmware = bundle(image)
        assert firmware == build_elf()
        assert config["process"]["args"] == ["/fw.elf"]
        assert config["root"] == {"path": "rootfs", "readonly": True}


def test_archives_of_podman_and_docker(bundle: Bundle, tmp_path: Path) -> None:
    layer = firmware_layer()
    other = tar(member("notes", b"x"))
    for number, content in enumerate(
        (
            podman_archive(layer, "localhost/motor:v1", Env=["REMOTEPROC_NAME=core1"]),
            docker_archive([other, layer, other], ["motor:v1"], Env=["REMOTEPROC_NAME=core1"]),
            docker_archive([gzip.compress(layer)], None, Env=["REMOTEPROC_NAME=core1"]),
        )
    ):
        path = tmp_path / f"{number}.tar"
        path.write_bytes(content)
        assert is_archive(str(path))
        if number == 2:
            # A packed layer whose diff_id is that of the packed bytes.
            with pytest.raises(Failure, match="unpacked layer"):
                bundle(path)
            continue
        for image in (path, f"docker-archive:{path}", f"docker-archive:{path}:motor:v1"):
            config, firmware = bundle(image)
            assert firmware == build_elf()
            assert config["process"]["env"] == ["REMOTEPROC_NAME=core1"]
        with pytest.raises(Failure, match=r"there is no image `motor:v2` in the archive \(there are `"):
            bundle(f"docker-archive:{path}:motor:v2")


def test_newer_docker_archives_are_layouts_as_well(bundle: Bundle, tmp_path: Path) -> None:
    builder = LayoutBuilder()
    layer = firmware_layer()
    image = builder.image(layer)
    named = {"io.containerd.image.name": "docker.io/library/motor:v1", "org.opencontainers.image.ref.name": "v1"}
    attestation = builder.image(listed_with={"vnd.docker.reference.type": "attestation-manifest"})
    builder.add(builder.index(image, attestation, listed_with=named))
    manifest = json.loads(builder.files["blobs/" + image["digest"].replace(":", "/")])
    entry = {
        "Config": "blobs/" + manifest["config"]["digest"].replace(":", "/"),
        "RepoTags": ["motor:v1"],
        "Layers": ["blobs/" + manifest["layers"][0]["digest"].replace(":", "/")],
    }
    builder.files["manifest.json"] = dump([entry])
    path = builder.archive(tmp_path / "image.tar")
    for text in (path, f"oci-archive:{path}:docker.io/library/motor:v1", f"docker-archive:{path}:motor:v1"):
        assert bundle(text)[1] == build_elf()


def test_boards_in_nested_indexes(bundle: Bundle, tmp_path: Path) -> None:
    builder = LayoutBuilder()
    ours = builder.labelled(build_elf(wide=True), board="vendor,board", mcu="core0")
    second = builder.labelled(build_elf(big=True), mcu="core1")
    inner = builder.index(ours | {"annotations": {"remoteproc.recovery": "kernel"}}, second | {})
    theirs = builder.labelled(build_elf(), mcu="core0")
    builder.add(builder.index(inner, theirs | {"annotations": {"board": "other"}}), ref="v1")
    path = builder.archive(tmp_path / "image.tar")
    with pytest.raises(Failure, match=r"2 images are for this board: `sha256:.*mcu `core0`, .*mcu `core1`"):
        bundle(path)
    config, firmware = bundle(path, {"remoteproc.name": "core0"})
    assert firmware == build_elf(wide=True)
    assert config["annotations"] == {"remoteproc.name": "core0", "remoteproc.recovery": "kernel"}
    config, firmware = bundle(f"oci-archive:{path}:{second['digest']}")
    assert (firmware, config["annotations"]) == (build_elf(big=True), {"remoteproc.name": "core1"})
    with pytest.raises(Failure, match=r"is for the board `other` \(this board is ``, compatible `vendor,board`"):
        bundle(f"oci-archive:{path}:{theirs['digest']}")
    with pytest.raises(Failure, match=r"there is no image `v2` in it \(there are `v1`\)"):
        bundle(f"oci-archive:{path}:v2")


def test_an_index_of_which_a_part_was_stored(bundle: Bundle, tmp_path: Path) -> None:
    builder = LayoutBuilder()
    present, missing = builder.image(), builder.image(config=configuration([firmware_layer()], User="x"))
    del builder.files["blobs/" + missing["digest"].replace(":", "/")]
    builder.add(builder.index(present, missing))
    assert bundle(builder.write(tmp_path / "layout"))[1] == build_elf()


def test_firmware_behind_a_link(bundle: Bundle, tmp_path: Path) -> None:
    layer = tar(member("v2/motor.elf", build_elf()), member("fw.elf", kind=b"2", link="/v2/../v2/motor.elf"))
    builder = LayoutBuilder()
    builder.add(builder.image(layer))
    assert bundle(builder.write(tmp_path / "layout"))[0]["process"]["args"] == ["/v2/motor.elf"]


@pytest.mark.parametrize("command", ["motor.elf", "./motor.elf", "fw/motor.elf"])
def test_firmware_below_the_working_folder(bundle: Bundle, tmp_path: Path, command: str) -> None:
    layer = tar(member("fw/motor.elf", build_elf(wide=True)))
    builder = LayoutBuilder()
    builder.add(builder.image(layer, config=configuration([layer], Cmd=[command], WorkingDir="/fw")))
    config, firmware = bundle(builder.write(tmp_path / "layout"))
    assert (config["process"]["args"], firmware) == (["/fw/motor.elf"], build_elf(wide=True))


def test_every_blob_is_verified(bundle: Bundle, tmp_path: Path) -> None:
    builder = LayoutBuilder()
    builder.add(builder.index(builder.image()))
    blobs = [name for name in builder.files if name.startswith("blobs/")]
    assert len(blobs) == 4
    for number, name in enumerate(blobs):
        damaged = builder.write(tmp_path / f"layout{number}")
        content = bytearray(builder.files[name])
        content[-9] ^= 1
        (damaged / name).write_bytes(content)
        with pytest.raises(Failure, match="has the digest"):
            bundle(damaged)
        (damaged / name).write_bytes(content + b" ")
        with pytest.raises(Failure, match="bytes, not"):
            bundle(damaged)
        (damaged / name).unlink()
        with pytest.raises(Failure, match=r"not in the image|not stored"):
            bundle(damaged)


def test_links_and_devices_in_a_layout_lead_nowhere(bundle: Bundle, tmp_path: Path) -> None:
    builder = LayoutBuilder()
    builder.add(builder.image())
    for kind in ("link", "fifo"):
        folder = builder.write(tmp_path / kind)
        (folder / "index.json").unlink()
        if kind == "link":
            (folder / "index.json").symlink_to("/etc/passwd")
        else:
            os.mkfifo(folder / "index.json")
        with pytest.raises((Failure, OSError)):
            bundle(folder)
    os.mkfifo(tmp_path / "alone")
    with pytest.raises(Failure, match="not a regular file"):
        bundle(f"oci-archive:{tmp_path / 'alone'}")


def broken(change: Callable[[LayoutBuilder], object]) -> LayoutBuilder:
    builder = LayoutBuilder()
    change(builder)
    return builder


def with_manifest(**changes: object) -> Callable[[LayoutBuilder], object]:
    def change(builder: LayoutBuilder) -> None:
        image = builder.image()
        manifest = json.loads(builder.files["blobs/" + image["digest"].replace(":", "/")]) | changes
        builder.add(builder.blob(dump(manifest), MANIFEST))

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda builder: builder.files.update({"oci-layout": NEWER_LAYOUT}), "has the version `2.0`"),
        (lambda builder: builder.files.update({"oci-layout": b"[]"}), "no JSON object"),
        (lambda builder: builder.tops.append({}), "no mediaType"),
        (lambda builder: builder.tops.append({"mediaType": MANIFEST, "size": -1}), "the size `-1`"),
        (lambda builder: builder.tops.append({"mediaType": MANIFEST, "size": True}), "the size `True`"),
        (lambda builder: builder.tops.append({"mediaType": MANIFEST, "size": 1, "digest": "md5:00"}), "is no digest"),
        (
            lambda builder: builder.tops.append({"mediaType": MANIFEST, "size": 1, "digest": "sha256:../../etc"}),
            "is no digest",
        ),
        (lambda builder: builder.tops.append(TEXT), "no firmware image"),
        (lambda builder: builder.tops.append(1), "not a list of objects"),
        (with_manifest(schemaVersion=1), "schemaVersion `1`"),
        (with_manifest(mediaType=INDEX), "says it is"),
        (with_manifest(manifests=[]), "says it is"),
        (with_manifest(layers=[]), "0 layers and 1 digests"),
        (with_manifest(layers={}), "not a list of objects"),
        (with_manifest(annotations={"a": 1}), "has `a` as `1`, not a string"),
        (with_manifest(config={}), "no mediaType"),
        (lambda builder: builder.add(builder.image(config={})), "no rootfs"),
        (lambda builder: builder.add(builder.image(config={"config": []})), "config of the image's configuration"),
        (lambda builder: builder.add(builder.image(config={"rootfs": {"type": "layers", "diff_ids": [1]}})), "strings"),
        (lambda builder: builder.add(builder.image(config=configuration([b""]))), "unpacked layer"),
        (lambda builder: builder.add(builder.image(tar(member("x", b"")))), "`fw.elf` is not there"),
        (lambda builder: builder.add(builder.image(tar(member("fw.elf", kind=b"5")))), "it is a folder"),
        (lambda builder: builder.add(builder.blob(b"{" * 100_000, MANIFEST)), "no JSON object"),
        (lambda builder: builder.add(builder.blob(b"[" * 100_000, INDEX)), "no JSON object"),
        (lambda builder: builder.add(builder.blob(b" " * (5 << 20), MANIFEST)), "at most 4194304"),
        (lambda builder: builder.add(*[builder.image()] * 300), "more than 256 images"),
        (lambda builder: builder.add(builder.blob(b"{}", CONFIG)), "no firmware image"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("packed", [False, True])
def test_malformed_images(
    bundle: Bundle, tmp_path: Path, change: Callable[[LayoutBuilder], object], words: str, packed: bool
) -> None:
    builder = broken(change)
    image = builder.archive(tmp_path / "image.tar") if packed else builder.write(tmp_path / "layout")
    with pytest.raises(Failure, match=words) as refused:
        bundle(image)
    assert str(refused.value).isprintable()


def test_indexes_are_not_nested_for_ever(bundle: Bundle, tmp_path: Path) -> None:
    builder = LayoutBuilder()
    descriptor = builder.image()
    for _ in range(20):
        descriptor = builder.index(descriptor)
    builder.add(descriptor)
    with pytest.raises(Failure, match="more than 8 deep"):
        bundle(builder.write(tmp_path / "layout"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (tar(), "`manifest.json` is not in the image"),
        (tar(member("manifest.json", b"{}")), "is not a list"),
        (tar(member("manifest.json", b"[1]")), "is not a list of objects"),
        (tar(member("manifest.json", b"[{}]")), "without Config"),
        (tar(member("manifest.json", b"[]")), "there is no image"),
        (tar(member("manifest.json", b'[{"Config": "../../etc/passwd"}]')), "not in the image"),
        (tar(member("manifest.json", b"[]"), member("./manifest.json", b"[]")), "`manifest.json` twice"),
        (tar(member("manifest.json", kind=b"2", link="manifest.json")), "not in the image"),
        (tar(member("manifest.json", kind=b"6")), "not in the image"),
        (docker_archive([b"x"], None).replace(b"/fw.elf", b"/fw.elv"), "has the digest"),
        (tar(member("x" * 5000)), "too long for Linux"),
        (b"ustar" * 200, "damaged at byte 0"),
        (b"\x1f\x8b" + b"x" * 100, "no gzip"),
        (gzip.compress(b"x" * 5000, mtime=0), "no tar, or damaged at byte 0"),
        (
            gzip.compress(b"\x7fELF" + bytes(5000), mtime=0),
            r"the gzip file holds a firmware and no image \(unpack it with gunzip",
        ),
        (tar(member("manifest.json", b"[]"))[:700], "damaged"),
    ],
)
def test_malformed_archives(bundle: Bundle, tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(content)
    with pytest.raises(Failure, match=words):
        bundle(f"docker-archive:{path}")


def test_a_packed_archive_is_no_bomb(tmp_path: Path) -> None:
    path = tmp_path / "image.tar.gz"
    path.write_bytes(gzip.compress(tar(member("x", bytes(1 << 20)))))
    with pytest.raises(Failure, match="more than 100000 bytes"):
        Archive(open_file(str(path)), TemporaryFiles([str(tmp_path)], 100_000)).__enter__()
    assert [found.name for found in tmp_path.iterdir()] == ["image.tar.gz"]


def test_a_spool_needs_no_tmpfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "O_TMPFILE", os.O_DIRECTORY)
    descriptor = TemporaryFiles(["/no/such/folder", str(tmp_path)]).new_file()
    os.write(descriptor, b"x")
    os.close(descriptor)
    assert list(tmp_path.iterdir()) == []


def test_a_firmware_that_is_too_large(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hybrid_runtime.image import unpacking

    monkeypatch.setattr(unpacking, "LARGEST_BYTES", 10)
    builder = LayoutBuilder()
    builder.add(builder.image())
    with pytest.raises(Failure, match="at most 10 are taken"):
        bundle(builder.write(tmp_path / "layout"))
