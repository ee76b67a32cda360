"""What lists the images: an OCI layout in index.json, what docker save writes in manifest.json.

See image-layout.md and image-index.md of the OCI image spec. podman save writes the latter by default.
"""

import errno
import os

from hybrid_runtime.bundle.rootfs import descriptor_inside
from hybrid_runtime.image.artifact import candidate_of_artifact
from hybrid_runtime.image.blob import Blob, Digest, FileSection, damaged
from hybrid_runtime.image.candidate import Candidate, Configuration, candidate_of_manifest, marks
from hybrid_runtime.image.document import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    Descriptor,
    Documents,
    Object,
    objects_of,
    require_type,
    strings_of,
)
from hybrid_runtime.image.reference import familiar
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.text import listing, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hybrid_runtime.image.blob import ImageFiles

MOST_IMAGES = 256
MANIFEST = "manifest.json"
DEEPEST_INDEX = 8
_NAME_KEYS = ("org.opencontainers.image.ref.name", "io.containerd.image.name")
# Docker's builder puts what it says about an image beside the image.
_ATTESTATION_KEY = "vnd.docker.reference.type"


class LayoutFolder:
    """Links are followed inside, as in a root file system, and nothing but regular files is opened."""

    def __init__(self, path: str) -> None:
        self.path = path

    def open(self, path: str) -> FileSection | None:
        try:
            descriptor = descriptor_inside(self.path, path)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            error.filename = f"{self.path}/{path}"
            raise
        return FileSection(descriptor, 0, os.fstat(descriptor).st_size)


class Layout:
    """Raises Failure for files that hold none. `candidates` are those the selector means, all without one."""

    def __init__(self, files: "ImageFiles", selector: str) -> None:
        self.files = files
        self.documents = Documents()
        self.looked_at = 0
        self.absent: list[str] = []
        version = self.documents.read(Blob(files, "oci-layout", "layout's version")).get("imageLayoutVersion")
        if not isinstance(version, str) or not version.startswith("1."):
            raise Failure(f"the layout has the version {quote(version)}", "only 1.x is understood")
        index = self.documents.read(Blob(files, "index.json", "index"))
        require_type(index, INDEX_TYPES[0], "index")
        tops = objects_of(index, "manifests", "index")
        by_digest = selector.startswith(("sha256:", "sha512:"))
        if selector and not by_digest:
            tops = _named(tops, selector)
        self.candidates = self._all(tops, {}, [])
        if by_digest:
            self.candidates = [candidate for candidate in self.candidates if selector in candidate.digests]

    def _all(self, values: list[Object], inherited: dict[str, str], above: list[str]) -> list[Candidate]:
        """Those of an index. `inherited` are the annotations of the indexes it is in, `above` their digests."""
        found: list[Candidate] = []
        if len(above) > DEEPEST_INDEX:
            raise damaged(f"the image's indexes are nested more than {DEEPEST_INDEX} deep")
        for descriptor in map(Descriptor, values):
            self.looked_at += 1
            if self.looked_at > MOST_IMAGES:
                raise Failure(f"there are more than {MOST_IMAGES} images in it", "name one by REF or digest")
            if (
                descriptor.media_type in (*INDEX_TYPES, *MANIFEST_TYPES)
                and _ATTESTATION_KEY not in descriptor.annotations
            ):
                found += self._of(descriptor, inherited, above)
        return found

    def _of(self, descriptor: Descriptor, inherited: dict[str, str], above: list[str]) -> list[Candidate]:
        is_index = descriptor.media_type in INDEX_TYPES
        blob = descriptor.blob(self.files, "index" if is_index else "manifest")
        section = blob.find()
        if section is None:
            # An engine that pulled an image for one platform has the index, and that platform's manifest alone.
            self.absent.append(str(descriptor.digest))
            return []
        section.close()
        annotations = inherited | marks(descriptor.annotations, "entry of an index")
        digests = [*above, str(descriptor.digest)]
        if is_index:
            entries = self.documents.once(blob, descriptor.media_type, lambda document: _entries(document, descriptor))
            return self._all(entries, annotations, digests)
        candidate = self.documents.once(
            blob, descriptor.media_type, lambda document: self._candidate(document, descriptor)
        )
        return [] if candidate is None else [candidate.listed(annotations, digests)]

    def _candidate(self, manifest: Object, descriptor: Descriptor) -> Candidate | None:
        require_type(manifest, descriptor.media_type, "manifest")
        name = str(descriptor.digest)
        image = candidate_of_manifest(self.documents, self.files, name, manifest)
        return candidate_of_artifact(self.files, name, manifest) if image is None else image


def _entries(index: Object, descriptor: Descriptor) -> list[Object]:
    require_type(index, descriptor.media_type, "index")
    return objects_of(index, "manifests", "index")


def _named(tops: list[Object], selector: str) -> list[Object]:
    """Raises Failure listing the names there are when none is that one."""
    names: list[str] = []
    found = []
    for values in tops:
        annotations = Descriptor(values).annotations
        own = [annotations[key] for key in _NAME_KEYS if key in annotations]
        names += own
        if selector in own:
            found.append(values)
    if not found:
        there = listing([quote(name) for name in dict.fromkeys(names)]) or "no names"
        raise Failure(f"there is no image {quote(selector)} in it", f"there are {there}")
    return found


class DockerArchive:
    """`candidates` are those the selector means, all without one. Raises Failure for files that hold none."""

    def __init__(self, files: "ImageFiles", selector: str) -> None:
        self.files = files
        # Such an archive is written whole.
        self.absent: list[str] = []
        self.candidates: list[Candidate] = []
        names: list[str] = []
        documents = Documents()
        images = documents.read_list(Blob(files, MANIFEST, "list of images"))
        if len(images) > MOST_IMAGES:
            raise damaged(f"the archive has more than {MOST_IMAGES} images")
        for image in images:
            if not isinstance(image, dict):
                raise damaged(f"{MANIFEST} is not a list of objects")
            tags = strings_of(image, "RepoTags", MANIFEST)
            names += tags
            if not selector or familiar(selector) in [familiar(tag) for tag in tags]:
                self.candidates.append(_candidate(documents, files, image, tags))
        if not self.candidates:
            there = listing([quote(name) for name in names]) or "no names"
            raise Failure(f"there is no image {quote(selector)} in the archive", f"there are {there}")


def _candidate(documents: Documents, files: "ImageFiles", image: Object, tags: list[str]) -> Candidate:
    path = image.get("Config")
    if not isinstance(path, str):
        raise damaged(f"{MANIFEST} has an image without Config")
    digest = _digest_in(path)
    configuration = documents.once(Blob(files, path, "image's configuration", digest), "", Configuration)
    layers = [Blob(files, layer, "layer") for layer in strings_of(image, "Layers", MANIFEST)]
    candidate = Candidate(tags[0] if tags else path, configuration, layers)
    candidate.digests = [path]
    return candidate


def _digest_in(path: str) -> Digest | None:
    """The configuration is named by its digest: HEX.json, newer blobs/sha256/HEX. Layers are verified by diff_id."""
    name = path.rpartition("/")[2].removesuffix(".json")
    return Digest(f"sha256:{name}") if len(name) == 64 else None
