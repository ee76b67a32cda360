"""Firmware as an OCI artifact: a manifest whose blobs are files as they are, such as `oras push` makes.

See manifest.md of the OCI image spec, Guidelines for Artifact Usage. An artifact has no command, so its firmware is the
one file that is an ELF. Its manifest's annotations are those of an image.
"""

from hybrid_runtime.firmware.elf import MAGIC
from hybrid_runtime.image.blob import CHUNK, Blob, damaged
from hybrid_runtime.image.candidate import MOST_LAYERS, Candidate, Configuration, marks
from hybrid_runtime.image.document import Descriptor, Object, object_of, objects_of, string_map
from hybrid_runtime.image.layer import FILE, Entry, Limits
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.path import components
from hybrid_runtime.system.text import listing, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from hybrid_runtime.image.blob import ImageFiles

_TITLE = "org.opencontainers.image.title"
_FALLBACK_NAME = "firmware.elf"


class ArtifactFile:
    """One file, in the place of a layer that holds it. `size` in bytes."""

    def __init__(self, blob: Blob, name: str, size: int) -> None:
        self.blob = blob
        self.name = name
        self.size = size

    def entries(self, limits: Limits) -> list[Entry]:
        limits.take(self.size)
        return [Entry(FILE, (self.name,), size=self.size)]

    def extract(self, offset: int, size: int, write: "Callable[[bytes], object]") -> None:  # noqa: ARG002  a layer's
        """Raises Failure afterwards when it is not what was named."""
        with self.blob.open() as reader:
            while data := reader.read(CHUNK):
                write(data)
            reader.finish()


def candidate_of_artifact(files: "ImageFiles", name: str, manifest: Object) -> Candidate | None:
    """None for what says something of an image, as a signature does, and for an artifact without firmware. Raises
    Failure for several firmwares."""
    if object_of(manifest, "subject", "manifest"):
        return None
    descriptors = [Descriptor(values) for values in objects_of(manifest, "layers", "manifest")]
    if len(descriptors) > MOST_LAYERS:
        raise damaged(f"the artifact {quote(name)} has {len(descriptors)} files, more than {MOST_LAYERS}")
    found = [file for descriptor in descriptors if (file := _firmware(files, descriptor)) is not None]
    if not found:
        return None
    if len(found) > 1:
        names = listing([quote(file.name) for file in found])
        raise Failure(f"the artifact {quote(name)} has several firmwares: {names}", "push one artifact for each")
    command = {"config": {"Cmd": [f"/{found[0].name}"]}, "rootfs": {"type": "layers"}}
    candidate = Candidate(name, Configuration(command), [])
    candidate.layers = found
    candidate.annotations = marks(string_map(manifest, "annotations", "manifest"), "manifest")
    return candidate


def _firmware(files: "ImageFiles", descriptor: Descriptor) -> ArtifactFile | None:
    """None for a file that is no ELF, or is not here."""
    blob = descriptor.blob(files, "file")
    section = blob.find()
    if section is None:
        return None
    with section:
        if section.read_at(0, len(MAGIC)) != MAGIC:
            return None
    return ArtifactFile(blob, _name(descriptor.annotations.get(_TITLE, "")), descriptor.size)


def _name(title: str) -> str:
    """The last part of a path that somebody has pushed."""
    parts = [part for part in components(title) if part != ".." and "\0" not in part]
    return parts[-1] if parts else _FALLBACK_NAME
