"""A stretch of an open file, read by position."""

import os
import stat

from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.text import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol, Self

    class Store(Protocol):
        """Where an image's files lie: a folder or an archive."""

        def open(self, path: str) -> "FileSection | None":
            """None when there is no such file; it is the caller's to close."""


class FileSection:
    """Owns its descriptor. Use as a context manager."""

    def __init__(self, descriptor: int, offset: int, size: int) -> None:
        self.descriptor = descriptor
        self.offset = offset
        self.size = size

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        os.close(self.descriptor)

    def read_at(self, position: int, count: int) -> bytes:
        """Fewer bytes than asked for only at the end. Raises OSError."""
        return os.pread(self.descriptor, max(0, min(count, self.size - position)), self.offset + position)


def open_file(path: str) -> FileSection:
    """The whole of a regular file. Raises Failure for anything else, OSError as open(2)."""
    # Looked at before it is opened: opening a device alone may have effects, a FIFO without a writer blocks.
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise Failure(f"{quote(path)} is not a regular file", "give an archive or a folder with oci-layout")
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        os.close(descriptor)
        raise Failure(f"{quote(path)} is not a regular file any more", "try again")
    return FileSection(descriptor, 0, facts.st_size)
