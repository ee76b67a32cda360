"""Whatever the bytes: a bundle or an error of one line, nothing else and nothing left."""

import gzip
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_runtime.image.reference import parse_reference
from hybrid_runtime.image.unpacking import Unpacking
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.system_paths import SystemPaths
from tests.image_builder import (
    CONFIG,
    INDEX,
    LAYER,
    MANIFEST,
    LayoutBuilder,
    docker_archive,
    dump,
    firmware_layer,
    member,
    tar,
)
from tests.unit.runtime.command_runner import attempt

LAYER_PARTS = tar(
    member("a", kind=tarfile.DIRTYPE),
    member("fw.elf", b"x" * 600),
    member("a/" + "long" * 40, b"y"),
    member("link", kind=tarfile.SYMTYPE, link="fw.elf"),
    member("hard", kind=tarfile.LNKTYPE, link="fw.elf"),
    member(".wh.gone"),
)
Try = Callable[[bytes, str], None]


@pytest.fixture(scope="module")
def try_image(tmp_path_factory: pytest.TempPathFactory) -> Try:
    """Reads the image; anything but success and a Failure of one line fails the test."""
    folder = tmp_path_factory.mktemp("fuzzing")
    system = SystemPaths(str(folder / "machine"))
    container = folder / "container"

    def try_it(content: bytes, prefix: str) -> None:
        image = folder / "image.tar"
        image.write_bytes(content)
        container.mkdir()
        unpacking = Unpacking(system, f"{container}/bundle", {}, "")
        reference = parse_reference(f"{prefix}{image}")
        refusal = attempt(lambda: unpacking.make_bundle(*unpacking.fetch(reference)), Failure)
        if refusal is None:
            json.loads((container / "bundle/config.json").read_bytes())
        else:
            assert str(refusal).isprintable(), refusal
            assert len(str(refusal)) < 4000
        shutil.rmtree(container)
        assert list(folder.iterdir()) == [image]

    return try_it


Edits = list[tuple[int, int]]
EDITS: st.SearchStrategy[Edits] = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=8)


def edited(content: bytes, edits: Edits, cut: int | None = None) -> bytes:
    data = bytearray(content)
    for position, value in edits:
        data[position % len(data)] = value
    return bytes(data if cut is None else data[: cut % len(data)])


def with_checksums(content: bytes) -> bytes:
    """Every block that was a header gets the checksum that it needs to be one again."""
    data = bytearray(content)
    for start in range(0, len(data) - 511, 512):
        if data[start + 257 : start + 262] == b"ustar":
            data[start + 148 : start + 156] = b" " * 8
            data[start + 148 : start + 155] = b"%06o\0" % (sum(data[start : start + 512]) & 0o777777)
    return bytes(data)


# Where ustar headers have name, mode, size, type, link and prefix.
HEADER_FIELDS = st.sampled_from([0, 1, 99, 100, 124, 125, 130, 135, 156, 157, 158, 345])
HEADER_EDITS = st.lists(st.tuples(st.integers(0, 30), HEADER_FIELDS, st.binary(max_size=12)), max_size=6)


@settings(max_examples=250)
@given(edits=HEADER_EDITS, cut=st.none() | st.integers(0, 1 << 14), packed=st.booleans())
def test_layers_that_lie_under_right_digests(
    try_image: Try, edits: list[tuple[int, int, bytes]], cut: int | None, packed: bool
) -> None:
    data = bytearray(LAYER_PARTS)
    for block, offset, value in edits:
        start = (block * 512 + offset) % len(data)
        data[start : start + len(value)] = value[: len(data) - start]
    layer = edited(with_checksums(bytes(data)), [], cut)
    builder = LayoutBuilder()
    builder.add(builder.image(layer, packed=packed))
    try_image(tar(*(member(name, content) for name, content in builder.all_files().items())), "")


NAMES = ["fw.elf", "a", "a/b", "./a", "../a", "/a", ".wh.a", ".wh..wh..opq", "a/.wh..wh..opq", "a/..", ""]
KINDS = [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, b"x", b"g"]
TARGETS = ["", "fw.elf", "a", "../..", "/", "a/b", "x" * 300]
MEMBERS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(KINDS), st.sampled_from(TARGETS)), max_size=5)


@settings(max_examples=150)
@given(layers=st.lists(MEMBERS, min_size=1, max_size=3))
def test_layers_of_any_members(try_image: Try, layers: list[list[tuple[str, bytes, str]]]) -> None:
    made = [tar(*(member(name, kind=kind, link=link) for name, kind, link in members)) for members in layers]
    try_image(docker_archive(made, None), "docker-archive:")


@settings(max_examples=200)
@given(edits=EDITS, cut=st.none() | st.integers(0, 1 << 16), packed=st.booleans(), oci=st.booleans())
def test_archives_with_wrong_bytes(try_image: Try, edits: Edits, cut: int | None, packed: bool, oci: bool) -> None:
    builder = LayoutBuilder()
    builder.add(builder.image())
    files = tar(*(member(name, content) for name, content in builder.all_files().items()))
    content = files if oci else docker_archive([firmware_layer()], ["motor:v1"])
    try_image(edited(gzip.compress(content, mtime=0) if packed else content, edits, cut), "oci-archive:" if oci else "")


@settings(max_examples=100)
@given(content=st.binary(max_size=1500), prefix=st.sampled_from(["oci-archive:", "docker-archive:"]))
def test_any_bytes(try_image: Try, content: bytes, prefix: str) -> None:
    try_image(content, prefix)


WORDS = st.sampled_from([MANIFEST, INDEX, CONFIG, LAYER, "layers", "/fw.elf", "", "sha256:" + "0" * 64, "\x1b\n\ud800"])
INNER_FIELDS = st.sampled_from(["mediaType", "digest", "size", "annotations", "config", "Cmd", "type", "board"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(INNER_FIELDS, inner, max_size=3),
    max_leaves=5,
)
FIELDS = [
    *("schemaVersion", "mediaType", "config", "layers", "manifests", "annotations", "rootfs"),
    *("Config", "Layers", "RepoTags"),
]
CHANGES = st.dictionaries(st.sampled_from(FIELDS), VALUES, min_size=1, max_size=2)


@settings(max_examples=200)
@given(changes=CHANGES, where=st.sampled_from(["configuration", "manifest", "index", "top", "docker"]))
def test_documents_of_any_shape(try_image: Try, changes: dict[str, Any], where: str) -> None:
    builder = LayoutBuilder()
    layer = firmware_layer()
    document = {"config": {"Cmd": ["/fw.elf"]}, "rootfs": {"type": "layers", "diff_ids": []}}
    if where == "docker":
        entry = {"Config": "c", "RepoTags": None, "Layers": []} | changes
        try_image(tar(member("manifest.json", dump([entry])), member("c", dump(document | changes))), "")
        return
    image = builder.image(layer, config=document | changes) if where == "configuration" else builder.image(layer)
    if where == "manifest":
        manifest = json.loads(builder.files["blobs/" + image["digest"].replace(":", "/")])
        image = builder.blob(dump(manifest | changes), MANIFEST)
    if where == "index":
        image = builder.blob(dump({"schemaVersion": 2, "manifests": [image]} | changes), INDEX)
    builder.add(image)
    files = builder.all_files()
    if where == "top":
        files["index.json"] = dump({"schemaVersion": 2, "manifests": [image]} | changes)
    try_image(tar(*(member(name, content) for name, content in files.items())), "oci-archive:")


def test_the_fuzzers_own_seeds_are_good(try_image: Try, tmp_path: Path) -> None:
    """Otherwise they would try refusals alone."""
    builder = LayoutBuilder()
    builder.add(builder.image(with_checksums(LAYER_PARTS)))
    image = builder.archive(tmp_path / "image.tar")
    (tmp_path / "container").mkdir()
    unpacking = Unpacking(SystemPaths(str(tmp_path)), f"{tmp_path}/container/bundle", {}, "")
    reference = parse_reference(str(image))
    unpacking.make_bundle(*unpacking.fetch(reference))
    assert (tmp_path / "container/bundle/rootfs/fw.elf").read_bytes() == b"x" * 600
    try_image(docker_archive([firmware_layer()], ["motor:v1"]), "")
