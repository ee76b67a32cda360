"""OCI layouts, and archives of the shapes that podman, Docker and containerd write, made from tar and JSON."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.elf_builder import build_elf

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
Descriptor = dict[str, Any]


def member(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content)
    return info, content


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def firmware_layer(name: str = "fw.elf", content: bytes | None = None) -> bytes:
    return tar(member(name, build_elf() if content is None else content))


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def dump(document: object) -> bytes:
    return json.dumps(document).encode()


def configuration(layers: Iterable[bytes], algorithm: str = "sha256", /, **config: object) -> dict[str, Any]:
    diff_ids = [digest_of(layer, algorithm) for layer in layers]
    values = {"Cmd": ["/fw.elf"]} | config
    return {"os": "linux", "config": values, "rootfs": {"type": "layers", "diff_ids": diff_ids}}


class LayoutBuilder:
    """`files` are those of the layout by path."""

    def __init__(self, algorithm: str = "sha256") -> None:
        self.algorithm = algorithm
        self.files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
        self.tops: list[Descriptor] = []

    def blob(self, content: bytes, media_type: str, annotations: Mapping[str, str] | None = None) -> Descriptor:
        digest = digest_of(content, self.algorithm)
        self.files["blobs/" + digest.replace(":", "/")] = content
        descriptor: Descriptor = {"mediaType": media_type, "digest": digest, "size": len(content)}
        return descriptor | ({"annotations": dict(annotations)} if annotations else {})

    def image(
        self,
        *layers: bytes,
        annotations: Mapping[str, str] | None = None,
        listed_with: Mapping[str, str] | None = None,
        packed: bool = True,
        config: Mapping[str, Any] | None = None,
    ) -> Descriptor:
        """`annotations` are the manifest's, `listed_with` the descriptor's; `config` replaces the whole document."""
        layers = layers or (firmware_layer(),)
        document = config if config is not None else configuration(layers)
        pressed = [gzip.compress(layer, mtime=0) for layer in layers] if packed else layers
        media_type = f"{LAYER}+gzip" if packed else LAYER
        manifest: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(dump(document), CONFIG),
            "layers": [self.blob(content, media_type) for content in pressed],
        }
        if annotations:
            manifest["annotations"] = dict(annotations)
        return self.blob(dump(manifest), MANIFEST, listed_with)

    def labelled(self, firmware: bytes, **labels: str) -> Descriptor:
        """An image of one firmware, with labels and a command."""
        layer = firmware_layer(content=firmware)
        return self.image(layer, config=configuration([layer], Labels=labels))

    def index(self, *manifests: Descriptor, listed_with: Mapping[str, str] | None = None) -> Descriptor:
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(manifests)}
        return self.blob(dump(document), INDEX, listed_with)

    def add(self, *descriptors: Descriptor, ref: str = "") -> "LayoutBuilder":
        for descriptor in descriptors:
            named = {"org.opencontainers.image.ref.name": ref} if ref else {}
            annotations = descriptor.get("annotations", {}) | named
            self.tops.append(descriptor | ({"annotations": annotations} if annotations else {}))
        return self

    def all_files(self) -> dict[str, bytes]:
        return {"index.json": dump({"schemaVersion": 2, "manifests": self.tops})} | self.files

    def write(self, folder: Path) -> Path:
        for name, content in self.all_files().items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder

    def archive(self, path: Path) -> Path:
        """As podman save --format oci-archive and ctr images export write it."""
        path.write_bytes(tar(*(member(name, content) for name, content in self.all_files().items())))
        return path


def podman_archive(layer: bytes, tag: str, **config: object) -> bytes:
    """As podman save: layers named by their digest, a link from the place where Docker once had them."""
    document = dump(configuration([layer], **config))
    blob, name = f"{hashlib.sha256(layer).hexdigest()}.tar", f"{hashlib.sha256(document).hexdigest()}.json"
    return tar(
        member(blob, layer),
        member(name, document),
        member("5f73/layer.tar", kind=tarfile.SYMTYPE, link=f"../{blob}"),
        member("5f73/VERSION", b"1.0"),
        member("manifest.json", dump([{"Config": name, "RepoTags": [tag], "Layers": [blob]}])),
        member("repositories", b"{}"),
    )


def docker_archive(layers: list[bytes], tags: list[str] | None, **config: object) -> bytes:
    """As docker save up to 24: a folder per layer, and a link where a layer comes again."""
    document = dump(configuration(layers, **config))
    name = f"{hashlib.sha256(document).hexdigest()}.json"
    places: dict[bytes, str] = {}
    paths, members = [], []
    for number, layer in enumerate(layers):
        path = f"{number:064x}/layer.tar"
        if layer in places:
            members.append(member(path, kind=tarfile.SYMTYPE, link=f"../{places[layer]}"))
        else:
            members.append(member(path, layer))
        places.setdefault(layer, path)
        paths.append(path)
    manifest = [{"Config": name, "RepoTags": tags, "Layers": paths}]
    return tar(*members, member(name, document), member("manifest.json", dump(manifest)))
