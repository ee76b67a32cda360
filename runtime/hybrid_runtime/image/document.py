"""JSON documents of images: bounded, of the shape the specifications give them, or refused."""

from hybrid_runtime.image.blob import Blob, Digest, damaged
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.json_text import BadJSON, read_bytes, read_object, write
from hybrid_runtime.system.text import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from hybrid_runtime.image.blob import ImageFiles

    Made = TypeVar("Made")

LARGEST_DOCUMENT = 4 * 1024 * 1024
MOST_DOCUMENT_BYTES = 16 * 1024 * 1024
INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
CONFIGURATION_TYPES = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
_LAYER_TYPES = (
    "application/vnd.oci.image.layer.",
    "application/vnd.docker.image.rootfs.",
)

Object = dict[str, object]


class Documents:
    """Those of one layout or archive. Each is read once, however often it is named, and all together are bounded."""

    def __init__(self) -> None:
        self.bytes_left = MOST_DOCUMENT_BYTES
        self.made: dict[tuple[object, ...], object] = {}

    def once(self, blob: Blob, media_type: str, make: "Callable[[Object], Made]") -> "Made":
        """What `make` makes of the document, the same for every blob of that name, digest, size and type."""
        key = (blob.path, str(blob.digest), blob.size, media_type)
        if key not in self.made:
            self.made[key] = make(self.read(blob))
        return self.made[key]  # type: ignore[return-value]

    def read(self, blob: Blob) -> Object:
        """Raises Failure unless it is one JSON object with the digest and size that were named."""
        try:
            return read_object(self._bytes(blob))
        except BadJSON as error:
            raise damaged(f"the {blob.what} {quote(blob.path)} is no JSON object: {error}") from error

    def read_list(self, blob: Blob) -> list[object]:
        """Raises Failure unless it is one JSON list."""
        try:
            value = read_bytes(self._bytes(blob))
        except BadJSON as error:
            raise damaged(f"{quote(blob.path)} is no JSON: {error}") from error
        if not isinstance(value, list):
            raise damaged(f"{quote(blob.path)} is not a list")
        return value

    def _bytes(self, blob: Blob) -> bytes:
        data = blob.read(LARGEST_DOCUMENT)
        self.bytes_left -= len(data)
        if self.bytes_left < 0:
            raise Failure(
                f"the documents of the image have more than {MOST_DOCUMENT_BYTES} bytes together",
                "firmware needs few: keep the images for fewer boards in one",
            )
        return data


def object_of(document: Object, field: str, what: str) -> Object:
    """Empty when it is missing or null."""
    value = document.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise damaged(f"{field} of the {what} is not an object")
    return value


def objects_of(document: Object, field: str, what: str) -> list[Object]:
    value = document.get(field)
    if not isinstance(value, list) or any(not isinstance(item, dict) for item in value):
        raise damaged(f"{field} of the {what} is not a list of objects")
    return value


def string_of(document: Object, field: str, what: str) -> str:
    """Empty when it is missing or null."""
    value = document.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise damaged(f"{field} of the {what} is not a string")
    return value


def strings_of(document: Object, field: str, what: str) -> list[str]:
    """Empty when it is missing or null."""
    value = document.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or any(not isinstance(item, str) for item in value):
        raise damaged(f"{field} of the {what} is not a list of strings")
    return value


def string_map(document: Object, field: str, what: str) -> dict[str, str]:
    """Empty when it is missing or null."""
    value = object_of(document, field, what)
    for key, text in value.items():
        if not isinstance(text, str):
            raise damaged(f"{field} of the {what} has {quote(key)} as {quote(write(text))}, not a string")
    return {key: str(text) for key, text in value.items()}


def require_type(document: Object, media_type: str, what: str) -> None:
    """A document says what its descriptor says, and is not two things at once: readers would differ."""
    own = document.get("mediaType", media_type)
    if own != media_type or ("manifests" in document and ("layers" in document or "config" in document)):
        raise damaged(f"the {what} is said to be {quote(media_type)} and says it is {quote(own)}")
    if document.get("schemaVersion") != 2:
        raise damaged(f"the {what} has the schemaVersion {quote(document.get('schemaVersion'))}, not 2")


class Descriptor:
    """descriptor.md of the OCI image spec. Raises Failure for anything else."""

    def __init__(self, values: Object) -> None:
        media_type = values.get("mediaType")
        if not isinstance(media_type, str):
            raise damaged("a descriptor of the image has no mediaType")
        self.media_type = media_type
        size = values.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise damaged(f"a descriptor of the image has the size {quote(size)}")
        self.size = size
        self.digest = Digest(values.get("digest"))
        self.annotations = string_map(values, "annotations", "descriptor")

    def blob(self, files: "ImageFiles", what: str) -> Blob:
        path = f"blobs/{self.digest.algorithm}/{self.digest.value}"
        return Blob(files, path, what, self.digest, self.size)

    @property
    def is_layer(self) -> bool:
        return self.media_type.startswith(_LAYER_TYPES)
