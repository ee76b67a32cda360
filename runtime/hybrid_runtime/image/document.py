"""JSON documents of images: bounded, of the shape the specifications give them, or refused."""

from hybrid_runtime.image.blob import Blob, Digest, damaged
from hybrid_runtime.json_text import BadJSON, read, read_object, write
from hybrid_runtime.quotation import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hybrid_runtime.image.extent import Store

LARGEST_DOCUMENT = 4 * 1024 * 1024
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


def read_list(blob: Blob) -> list[object]:
    """Raises Failure unless it is one JSON list."""
    try:
        value = read(blob.read(LARGEST_DOCUMENT).decode())
    except (BadJSON, UnicodeDecodeError) as error:
        raise damaged(f"{quote(blob.path)} is no JSON: {error}") from error
    if not isinstance(value, list):
        raise damaged(f"{quote(blob.path)} is not a list")
    return value


def read_document(blob: Blob) -> Object:
    """Raises Failure unless it is one JSON object with the digest and size that were named."""
    try:
        return read_object(blob.read(LARGEST_DOCUMENT))
    except BadJSON as error:
        raise damaged(f"the {blob.what} {quote(blob.path)} is no JSON object: {error}") from error


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
        self.media_type = values.get("mediaType")
        if not isinstance(self.media_type, str):
            raise damaged("a descriptor of the image has no mediaType")
        size = values.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise damaged(f"a descriptor of the image has the size {quote(size)}")
        self.size = size
        self.digest = Digest(values.get("digest"))
        self.annotations = string_map(values, "annotations", "descriptor")

    def blob(self, store: "Store", what: str) -> Blob:
        path = f"blobs/{self.digest.algorithm}/{self.digest.value}"
        return Blob(store, path, what, self.digest, self.size)

    @property
    def is_layer(self) -> bool:
        return str(self.media_type).startswith(_LAYER_TYPES)
