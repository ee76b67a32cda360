"""Content of an image, named by its digest, and read only as long as it is what was named (descriptor.md of the OCI
image spec)."""

import hashlib
import os
import stat

from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.text import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol, Self

    class ImageFiles(Protocol):
        """Where an image's files lie: a folder or an archive."""

        def open(self, path: str) -> "FileSection | None":
            """None when there is no such file; it is the caller's to close."""


CHUNK = 1 << 16
_HEXADECIMAL = frozenset("0123456789abcdef")
_LENGTHS = {"sha256": 64, "sha512": 128}
REMEDY = "the image is damaged or not what it claims to be: build, pull or copy it again"


def damaged(message: str) -> Failure:
    return Failure(message, REMEDY)


class FileSection:
    """A stretch of an open file, read by position. Owns its descriptor. Use as a context manager."""

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


class Digest:
    """`text` is ALGORITHM:HEX. Raises Failure for any other text and for algorithms nobody should trust."""

    def __init__(self, text: object) -> None:
        algorithm, _, value = text.partition(":") if isinstance(text, str) else ("", "", "")
        if len(value) != _LENGTHS.get(algorithm) or not set(value) <= _HEXADECIMAL:
            raise damaged(f"{quote(text)} is no digest: sha256 and sha512 are understood, in lower case")
        self.algorithm = algorithm
        self.value = value

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"

    def check(self, computed: str, what: str) -> None:
        """Raises Failure unless that hexadecimal text is this digest."""
        if computed != self.value:
            raise damaged(f"the {what} has the digest `{self.algorithm}:{computed}`, not `{self}`")


class Blob:
    """`size` and `digest` are None where the format of the image does not tell them."""

    def __init__(
        self, files: "ImageFiles", path: str, what: str, digest: Digest | None = None, size: int | None = None
    ) -> None:
        self.files = files
        self.path = path
        self.what = what
        self.digest = digest
        self.size = size

    def find(self) -> "FileSection | None":
        """Raises Failure when its size is not the one that was named."""
        section = self.files.open(self.path)
        if section is not None and self.size is not None and section.size != self.size:
            with section:
                raise damaged(f"the {self.what} {quote(self.path)} has {section.size} bytes, not {self.size}")
        return section

    def open(self) -> "BlobReader":
        """Raises Failure when it is not there."""
        section = self.find()
        if section is None:
            raise damaged(f"the {self.what} {quote(self.path)} is not in the image")
        return BlobReader(self, section)

    def read(self, largest: int) -> bytes:
        """All of it, verified. Raises Failure, also when it is larger than `largest` bytes."""
        with self.open() as reader:
            if reader.section.size > largest:
                raise Failure(
                    f"the {self.what} {quote(self.path)} has {reader.section.size} bytes",
                    f"at most {largest} are taken",
                )
            data = b"".join(iter(lambda: reader.read(CHUNK), b""))
            reader.finish()
        return data


class BlobReader:
    """From the beginning to the end, hashing on the way. Owns the section; use as a context manager."""

    def __init__(self, blob: Blob, section: "FileSection") -> None:
        self.blob = blob
        self.section = section
        self.position = 0
        self.hash = hashlib.new(blob.digest.algorithm) if blob.digest else None

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.section.close()

    def read(self, count: int) -> bytes:
        data = self.section.read_at(self.position, count)
        self.position += len(data)
        if self.hash is not None:
            self.hash.update(data)
        return data

    def finish(self) -> None:
        """What was not read yet is read. Raises Failure unless all of it has the digest."""
        while self.read(CHUNK):
            pass
        if self.position != self.section.size:
            raise Failure(f"the {self.blob.what} {quote(self.blob.path)} became shorter while it was read", "try again")
        if self.blob.digest is not None and self.hash is not None:
            self.blob.digest.check(self.hash.hexdigest(), f"{self.blob.what} {quote(self.blob.path)}")
