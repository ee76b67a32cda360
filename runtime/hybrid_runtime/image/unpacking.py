"""From the text that names an image to a bundle that holds its firmware, in one process made for it."""

import os
from resource import RLIM_INFINITY, RLIMIT_AS, RLIMIT_FSIZE, getrlimit, setrlimit

from hybrid_runtime import CONFIG
from hybrid_runtime.bundle.bundle import LARGEST_CONFIG_BYTES
from hybrid_runtime.firmware.installation import LARGEST_BYTES
from hybrid_runtime.image.archive import Archive
from hybrid_runtime.image.blob import FileSection, open_file
from hybrid_runtime.image.engine import engine_of, engine_with, engines
from hybrid_runtime.image.engine_command import Commands
from hybrid_runtime.image.index import DockerArchive, Layout, LayoutFolder
from hybrid_runtime.image.layer import Limits
from hybrid_runtime.image.reference import ARCHIVE, DOCKER_ARCHIVE, NAME, OCI, OCI_ARCHIVE, Reference
from hybrid_runtime.image.selection import Choice, Selection
from hybrid_runtime.image.temporary import TemporaryFiles
from hybrid_runtime.image.tree import File, Tree
from hybrid_runtime.processor.board import this_board
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.json_text import write
from hybrid_runtime.system.path import encoded
from hybrid_runtime.system.system_paths import SystemPaths
from hybrid_runtime.system.text import quote

ENGINE_SECONDS = 60.0
# Address space while an image is read, the interpreter included: a small image takes 24 MiB, the worst seen 54.
MOST_MEMORY = 256 << 20
# Of oom_score_adj (proc(5)): the first to be killed.
_FIRST_TO_GO = b"1000"


class Unpacking:
    """`folder` is the bundle's, made here. Every method raises Failure, and OSError for what the machine refuses."""

    def __init__(self, system: SystemPaths, folder: str, given: dict[str, str], option: str) -> None:
        self.folder = folder
        self.temporary = TemporaryFiles([system.path("/var/tmp"), os.path.dirname(folder)])
        self.selection = Selection(this_board(system), given, option)

    def make_bundle(self, reference: Reference, source: FileSection | None) -> None:
        """Both are what `fetch` has got."""
        if source is None:
            self._unpack(Layout(LayoutFolder(reference.place), reference.selector))
            return
        with Archive(source, self.temporary) as archive:
            is_layout = reference.kind == OCI_ARCHIVE or (
                reference.kind != DOCKER_ARCHIVE and "oci-layout" in archive.files and "index.json" in archive.files
            )
            self._unpack((Layout if is_layout else DockerArchive)(archive, reference.selector))

    def _unpack(self, images: Layout | DockerArchive) -> None:
        choice = self.selection.choose(images.candidates, images.absent)
        limits = Limits()
        tree = Tree(limits.entries)
        for layer in choice.candidate.layers:
            tree.apply(layer.entries(limits))
        firmware = tree.find(choice.candidate.firmware(), choice.candidate.configuration.working_folder)
        if firmware.size > LARGEST_BYTES:
            raise Failure(f"the firmware has {firmware.size} bytes", f"at most {LARGEST_BYTES} are taken")
        os.mkdir(self.folder, 0o700)
        self._extract(choice, firmware)
        self._write_config(choice, "/".join(("", *firmware.path)))

    def fetch(self, reference: Reference) -> tuple[Reference, FileSection | None]:
        """The archive, from an engine where that has the image; None for a folder, which an engine may have as well."""
        if reference.kind == OCI:
            if not os.path.isdir(reference.place):
                raise Failure(f"{quote(reference.place)} is no folder", "oci: takes a folder with an oci-layout")
            return reference, None
        if reference.kind in (OCI_ARCHIVE, DOCKER_ARCHIVE, ARCHIVE):
            return reference, open_file(reference.place)
        _limit_files(self.temporary.largest)
        commands = Commands(self.temporary, Deadline(ENGINE_SECONDS), dict(os.environ))
        named = reference.kind == NAME
        choose = engine_with if named else engine_of
        engine = choose(reference.place if named else reference.kind, engines(commands))
        found = engine.export(reference.place)
        if isinstance(found, Reference):
            return found, None
        return reference, FileSection(found, 0, os.fstat(found).st_size)

    def _extract(self, choice: Choice, firmware: File) -> None:
        """The firmware alone: whatever else the image holds, no core reads it."""
        path = "/".join(firmware.path)
        try:
            encoded(path)
        except UnicodeEncodeError:
            raise Failure(f"the name of the firmware {quote(path)} has no bytes", "give it another one") from None
        rootfs = "/".join((self.folder, "rootfs", *firmware.path[:-1]))
        os.makedirs(rootfs, 0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(f"{rootfs}/{firmware.path[-1]}", flags, 0o600), "wb") as target:
            choice.candidate.layers[firmware.layer].extract(firmware.offset, firmware.size, target.write)
        if os.stat(f"{rootfs}/{firmware.path[-1]}").st_size != firmware.size:
            raise Failure(f"the firmware {quote(path)} is truncated", "build it again")

    def _write_config(self, choice: Choice, path: str) -> None:
        config = {
            "ociVersion": "1.0.2",
            "root": {"path": "rootfs", "readonly": True},
            "process": {"cwd": "/", "args": [path], "env": choice.candidate.configuration.environment},
            "annotations": choice.annotations,
        }
        text = write(config).encode()
        if len(text) > LARGEST_CONFIG_BYTES:
            raise Failure(
                f"ENV and annotations of the image have more than {LARGEST_CONFIG_BYTES} bytes", "a core needs few"
            )
        with open(f"{self.folder}/{CONFIG}", "xb") as target:
            target.write(text)


def confine() -> None:
    """This process, once no engine is to be started any more: what it reads from here on are strangers' bytes."""
    _limit(RLIMIT_AS, MOST_MEMORY)
    try:
        with open("/proc/self/oom_score_adj", "wb") as adjustment:
            adjustment.write(_FIRST_TO_GO)
    except OSError:
        # No /proc, or a kernel that keeps it to itself: the limit holds all the same.
        return


def _limit_files(largest: int) -> None:
    """Of this process and the engines it starts: none of them fills the disk."""
    _limit(RLIMIT_FSIZE, largest)


def _limit(resource: int, largest: int) -> None:
    _, hard = getrlimit(resource)
    limit = largest if hard == RLIM_INFINITY else min(hard, largest)
    setrlimit(resource, (limit, limit))
