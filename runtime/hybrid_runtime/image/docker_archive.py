"""What docker save writes, and podman save by default: manifest.json, configurations and layers in one tar."""

from hybrid_runtime.image.blob import Blob, Digest, damaged
from hybrid_runtime.image.candidate import Candidate, Configuration
from hybrid_runtime.image.document import Documents, Object, strings_of
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.text import listing, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hybrid_runtime.image.file_section import Store

MANIFEST = "manifest.json"
MOST_IMAGES = 256


class DockerArchive:
    """`candidates` are those the selector means, all without one. Raises Failure for a store that holds none."""

    def __init__(self, store: "Store", selector: str) -> None:
        self.store = store
        # Such an archive is written whole.
        self.absent: list[str] = []
        self.candidates: list[Candidate] = []
        names: list[str] = []
        documents = Documents()
        images = documents.read_list(Blob(store, MANIFEST, "list of images"))
        if len(images) > MOST_IMAGES:
            raise damaged(f"the archive has more than {MOST_IMAGES} images")
        for image in images:
            if not isinstance(image, dict):
                raise damaged(f"{MANIFEST} is not a list of objects")
            tags = strings_of(image, "RepoTags", MANIFEST)
            names += tags
            if not selector or familiar(selector) in [familiar(tag) for tag in tags]:
                self.candidates.append(_candidate(documents, store, image, tags))
        if not self.candidates:
            there = listing([quote(name) for name in names]) or "no names"
            raise Failure(f"there is no image {quote(selector)} in the archive", f"there are {there}")


def _candidate(documents: Documents, store: "Store", image: Object, tags: list[str]) -> Candidate:
    path = image.get("Config")
    if not isinstance(path, str):
        raise damaged(f"{MANIFEST} has an image without Config")
    digest = _digest_in(path)
    configuration = documents.once(Blob(store, path, "image's configuration", digest), "", Configuration)
    layers = [Blob(store, layer, "layer") for layer in strings_of(image, "Layers", MANIFEST)]
    candidate = Candidate(tags[0] if tags else path, configuration, layers)
    candidate.digests = [path]
    return candidate


def _digest_in(path: str) -> Digest | None:
    """The configuration is named by its digest: HEX.json, newer blobs/sha256/HEX. Layers are verified by diff_id."""
    name = path.rpartition("/")[2].removesuffix(".json")
    return Digest(f"sha256:{name}") if len(name) == 64 else None


def familiar(name: str) -> str:
    """One spelling for the names that docker and podman take for the same."""
    name = name.removeprefix("docker.io/").removeprefix("library/").removeprefix("localhost/")
    return name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"
