"""A bundle around a firmware file, for people: engines bring bundles of their own, and never load this."""

import posix as os

from hybrid_runtime import CONFIG
from hybrid_runtime.bundle.bundle import Bundle
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.json_text import write
from hybrid_runtime.system.path import is_file


def is_surely_firmware(image: str) -> bool:
    """Told without any of the modules that read images: `file:PATH`, or the path of an ELF without a colon.

    Raises Failure for a `file:` that is no regular file.
    """
    path = image.removeprefix("file:")
    if path != image:
        if not is_file(path):
            raise Failure(f"`{image}` is not a firmware file", "give the path of an ELF, or a bundle with --bundle")
        return True
    if ":" in image or not is_file(image):
        return False
    with open(image, "rb") as source:
        return source.read(4) == b"\x7fELF"


def bundle_of_file(folder: str, firmware: str, annotations: dict[str, str]) -> Bundle:
    """A bundle for a firmware file: its root file system is the folder the file lies in. `folder` is made."""
    root, _, name = firmware.rpartition("/")
    config = {
        "ociVersion": "1.0.2",
        "root": {"path": root or "/", "readonly": True},
        "process": {"cwd": "/", "args": [name]},
        "annotations": annotations,
    }
    data = write(config).encode()
    os.mkdir(folder, 0o700)
    with open(f"{folder}/{CONFIG}", "xb", opener=_open_private) as target:
        target.write(data)
    return Bundle(folder, data)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
