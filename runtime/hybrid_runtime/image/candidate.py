"""One of the images that a layout or archive holds: its configuration, layers and the marks it is chosen by."""

from copy import copy

from hybrid_runtime.bundle.arguments import no_firmware
from hybrid_runtime.image.blob import Blob, Digest, damaged
from hybrid_runtime.image.document import (
    CONFIGURATION_TYPES,
    Descriptor,
    Documents,
    Object,
    object_of,
    objects_of,
    string_map,
    string_of,
    strings_of,
)
from hybrid_runtime.image.layer import Layer
from hybrid_runtime.processor.choice import BOARD, MCU, environment_value
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.text import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from hybrid_runtime.image.blob import ImageFiles
    from hybrid_runtime.image.layer import Entry, Limits

    class Content(Protocol):
        """A layer, or what stands in the place of one."""

        def entries(self, limits: Limits) -> list[Entry]: ...

        def extract(self, offset: int, size: int, write: Callable[[bytes], object]) -> None: ...


MOST_LAYERS = 127
# The short words, and the form that the image spec recommends for annotations.
BOARD_KEYS = ("org.hybrid-runtime.board", "board")
MCU_KEYS = ("org.hybrid-runtime.mcu", "mcu")
_OURS = "remoteproc."
# This runtime knows ten annotations.
MOST_MARKS = 64


def marks(annotations: dict[str, str], what: str) -> dict[str, str]:
    """Those of annotations or labels that mean something here. Raises Failure for more than anybody needs."""
    found = {
        key: value
        for key, value in annotations.items()
        if key.startswith(_OURS) or key in BOARD_KEYS or key in MCU_KEYS
    }
    if len(found) > MOST_MARKS:
        raise Failure(f"the {what} has {len(found)} annotations for this runtime", f"at most {MOST_MARKS} are taken")
    return found


class Configuration:
    """config.md of the OCI image spec, as far as firmware is concerned. Raises Failure for any other shape."""

    def __init__(self, document: Object) -> None:
        what = "image's configuration"
        config = object_of(document, "config", what)
        self.command = strings_of(config, "Entrypoint", what) + strings_of(config, "Cmd", what)
        self.working_folder = string_of(config, "WorkingDir", what)
        self.environment = strings_of(config, "Env", what)
        # All that choosing looks at, once for each image that it may be.
        self.processor_names = [entry for entry in self.environment if entry.partition("=")[0] == "REMOTEPROC_NAME"]
        self.environment_marks = {
            key: environment_value(self.environment, variable) or ""
            for key, variable in (("board", BOARD), ("mcu", MCU))
        }
        self.labels = marks(string_map(config, "Labels", what), what)
        rootfs = object_of(document, "rootfs", what)
        if rootfs.get("type") != "layers":
            raise damaged("the image's configuration has no rootfs of the type layers")
        self.diff_ids = [Digest(text) for text in strings_of(rootfs, "diff_ids", what)]


class Candidate:
    """`name` is what a message calls it; `digests` are its own and those of the indexes it is in."""

    def __init__(self, name: str, configuration: Configuration, layers: list[Blob]) -> None:
        if len(layers) != len(configuration.diff_ids) or len(layers) > MOST_LAYERS:
            raise damaged(
                f"the image {quote(name)} has {len(layers)} layers and {len(configuration.diff_ids)} digests of them "
                f"unpacked; there may be up to {MOST_LAYERS}, one for each"
            )
        self.name = name
        self.digests: list[str] = []
        self.annotations: dict[str, str] = {}
        self.configuration = configuration
        self.layers: Sequence[Content] = [
            Layer(blob, diff_id) for blob, diff_id in zip(layers, configuration.diff_ids, strict=True)
        ]

    def listed(self, annotations: dict[str, str], digests: list[str]) -> "Candidate":
        """The same image as an index lists it: the index speaks of a board, the manifest of the image wherever it is
        used."""
        entry = copy(self)
        entry.annotations = self.annotations | annotations
        entry.digests = digests
        return entry

    @property
    def board(self) -> str:
        return self._mark(BOARD_KEYS)

    @property
    def mcu(self) -> str:
        return self._mark(MCU_KEYS)

    def _mark(self, keys: tuple[str, str]) -> str:
        """Annotations before labels: an index says for which board it means an image that others use as well. ENV comes
        last, and is what engines hand on."""
        for marks in (self.annotations, self.configuration.labels, self.configuration.environment_marks):
            for key in keys:
                if marks.get(key):
                    return marks[key]
        return ""

    def firmware(self) -> str:
        """The path that the command names. Raises Failure unless it is one word."""
        command = self.configuration.command
        if len(command) == 1 and command[0] and "\0" not in command[0]:
            return command[0]
        raise no_firmware(f"ENTRYPOINT and CMD of the image {quote(self.name)} are", command)


def candidate_of_manifest(documents: Documents, files: "ImageFiles", name: str, manifest: Object) -> Candidate | None:
    """None for an artifact, which is no image. Raises Failure."""
    what = "manifest"
    config = Descriptor(object_of(manifest, "config", what))
    if config.media_type not in CONFIGURATION_TYPES:
        return None
    layers = [Descriptor(values) for values in objects_of(manifest, "layers", what)]
    for layer in layers:
        if not layer.is_layer:
            raise Failure(f"the image {quote(name)} has a layer of type {quote(layer.media_type)}", "only tar is read")
    configuration = documents.once(config.blob(files, "image's configuration"), "", Configuration)
    candidate = Candidate(name, configuration, [layer.blob(files, "layer") for layer in layers])
    candidate.annotations = marks(string_map(manifest, "annotations", what), what)
    return candidate
