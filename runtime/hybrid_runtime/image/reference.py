"""What the text that names a firmware image means. The prefixes are those of skopeo (containers-transports(5))."""

import os

from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.text import quote

OCI = "oci"
OCI_ARCHIVE = "oci-archive"
DOCKER_ARCHIVE = "docker-archive"
# A file without a prefix: its content tells which of the two it is.
ARCHIVE = "archive"
STORAGE = "containers-storage"
DAEMON = "docker-daemon"
CONTAINERD = "containerd"
# A name without a prefix: whichever engine has it.
NAME = "name"

_PATH_KINDS = (OCI, OCI_ARCHIVE, DOCKER_ARCHIVE)
ENGINE_KINDS = (STORAGE, DAEMON, CONTAINERD)
# What compilers call firmware, and archivers archives.
_FILE_ENDINGS = (".elf", ".axf", ".out", ".bin", ".hex", ".fw", ".img", ".tar", ".tgz", ".gz")
LONGEST_NAME = 512
_IN_NAMES = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/:@+-")


class Reference:
    """`place` is a path or an engine's name; `selector` picks one of the images of a layout or archive."""

    def __init__(self, text: str, kind: str, place: str, selector: str = "") -> None:
        self.text = text
        self.kind = kind
        self.place = place
        self.selector = selector


def parse_reference(text: str) -> Reference:
    """Raises Failure for what is neither a path nor can be a name."""
    kind, colon, rest = text.partition(":")
    if colon and kind in _PATH_KINDS:
        # As skopeo splits: a path has no colon, what follows the first one may have.
        path, _, selector = rest.partition(":")
        if not path:
            raise Failure(f"{quote(text)} names no path", f"write {kind}:PATH or {kind}:PATH:REF")
        return Reference(text, kind, path, selector)
    if colon and kind in ENGINE_KINDS:
        return Reference(text, kind, _checked_name(text, rest))
    if os.path.isfile(text):
        return Reference(text, ARCHIVE, text)
    if os.path.isdir(text):
        if os.path.isfile(os.path.join(text, "oci-layout")):
            return Reference(text, OCI, text)
        raise Failure(f"{quote(text)} is a folder without an oci-layout", "an OCI bundle is given with --bundle")
    if os.path.lexists(text):
        raise Failure(
            f"{quote(text)} is neither a firmware file nor an image",
            "give a file, an archive or a folder with oci-layout",
        )
    if _is_path(text):
        raise Failure(f"{quote(text)}: file not found", "correct the path")
    if _looks_like_file(text):
        engines = " or ".join(f"{kind}:{text}" for kind in ENGINE_KINDS)
        raise Failure(f"{quote(text)}: file not found", f"correct the path; an image of that name is {engines}")
    return Reference(text, NAME, _checked_name(text, text))


def _is_path(text: str) -> bool:
    return text.startswith(("/", "./", "../"))


def _looks_like_file(text: str) -> bool:
    """A mistyped one is not to be looked for in three engines. What has a tag or a digest is an image's name."""
    return ":" not in text and "@" not in text and text.endswith(_FILE_ENDINGS)


def _checked_name(text: str, name: str) -> str:
    """Names reach other programs: one that could be an option, a path or a pattern there is none."""
    if not name or len(name) > LONGEST_NAME or not name[0].isascii() or not name[0].isalnum() or set(name) - _IN_NAMES:
        raise Failure(
            f"{quote(text)} is neither a file nor the name of an image",
            "a name begins with a letter or digit, then come letters, digits and ._/:@+-",
        )
    return name


def familiar(name: str) -> str:
    """One spelling for the names that docker and podman take for the same."""
    name = name.removeprefix("docker.io/").removeprefix("library/").removeprefix("localhost/")
    return name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"
