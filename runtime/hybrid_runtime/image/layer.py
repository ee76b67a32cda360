"""A layer: a tar of changes to the file system below it (OCI image spec, layer.md), unpacked without a disk."""

import hashlib
import sys

from hybrid_runtime.image.blob import CHUNK, Blob, Digest, damaged
from hybrid_runtime.image.tar_stream import DAMAGES, GZIP, EntryCount, TarStream, members
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.path import components
from hybrid_runtime.system.text import printable, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from tarfile import TarInfo
    from typing import Protocol, TypeVar

    from hybrid_runtime.image.blob import BlobReader

    Found = TypeVar("Found")

    class Unpacker(Protocol):
        def read(self, count: int, /) -> bytes: ...


LARGEST_UNPACKED = 512 * 1024 * 1024
_ZSTD = b"\x28\xb5\x2f\xfd"
DEEPEST = 64

FOLDER, FILE, LINK, HARD_LINK = "folder", "file", "symbolic link", "hard link"


class Entry:
    """`path` holds the names from the root on. `target` is a link's, `offset` and `size` a file's in the layer."""

    def __init__(self, kind: str, path: tuple[str, ...], *, target: str = "", offset: int = 0, size: int = 0) -> None:
        self.kind = kind
        self.path = path
        self.target = target
        self.offset = offset
        self.size = size


class Limits:
    """What all layers of an image may unpack to."""

    def __init__(self) -> None:
        self.bytes = LARGEST_UNPACKED
        self.entries = EntryCount()

    def take(self, count: int) -> None:
        self.bytes -= count
        if self.bytes < 0:
            raise Failure(
                f"the layers of the image unpack to more than {LARGEST_UNPACKED} bytes",
                "firmware is smaller: build the image FROM scratch with the firmware alone",
            )


class Layer:
    """`diff_id` is the digest of the unpacked tar, as the image's configuration names it."""

    def __init__(self, blob: Blob, diff_id: Digest) -> None:
        self.blob = blob
        self.diff_id = diff_id

    def entries(self, limits: Limits) -> "list[Entry]":
        """Every entry, verified to the last byte. Raises Failure for those that no firmware image needs."""
        return self._verified(limits, lambda content: [*_entries(content, limits)])

    def extract(self, offset: int, size: int, write: "Callable[[bytes], object]") -> None:
        """Bytes of one file, in pieces. Raises Failure afterwards when the layer is not the verified one any more."""

        def copy(content: _Content) -> None:
            content.pass_over(offset)
            left = size
            while left and (data := content.take(min(CHUNK, left))):
                write(data)
                left -= len(data)

        self._verified(Limits(), copy)

    def _verified(self, limits: Limits, act: "Callable[[_Content], Found]") -> "Found":
        with self.blob.open() as reader:
            content = _Content(reader, limits, self.diff_id.algorithm)
            try:
                found = act(content)
                content.pass_over(LARGEST_UNPACKED)
            except Failure:
                # A wrong digest tells more than what went wrong because of it.
                reader.finish()
                raise
            except content.damages as error:
                reader.finish()
                raise damaged(
                    f"the {self.blob.what} {quote(self.blob.path)} is no tar: {printable(str(error))}"
                ) from error
            finally:
                content.close()
            reader.finish()
        self.diff_id.check(content.hash.hexdigest(), f"unpacked {self.blob.what} {quote(self.blob.path)}")
        return found


class _Content:
    """A tar_stream.Source: the layer unpacked, counted and hashed."""

    def __init__(self, packed: "BlobReader", limits: Limits, algorithm: str) -> None:
        self.source, self.damages = _unpacker(packed)
        self.limits = limits
        self.hash = hashlib.new(algorithm)

    def take(self, count: int) -> bytes:
        pieces = []
        while count and (data := self.source.read(min(CHUNK, count))):
            self.limits.take(len(data))
            self.hash.update(data)
            pieces.append(data)
            count -= len(data)
        return b"".join(pieces)

    def close(self) -> None:
        """Ends a program that unpacks. A file in memory needs no end."""
        end = getattr(self.source, "close", None)
        if end is not None:
            end()

    def pass_over(self, count: int) -> None:
        while count and (data := self.take(min(CHUNK, count))):
            count -= len(data)


def _unpacker(packed: "BlobReader") -> "tuple[Unpacker, tuple[type[Exception], ...]]":
    """By content, whatever the media type says: the unpacked bytes have a digest of their own. With it comes what
    is raised for damaged bytes."""
    start = packed.section.read_at(0, 4)
    if start.startswith(GZIP):
        from gzip import GzipFile

        return GzipFile(mode="rb", fileobj=packed), DAMAGES  # type: ignore[call-overload]
    if start == _ZSTD:
        return _zstd_unpacker(packed)
    return packed, DAMAGES


def _zstd_unpacker(packed: "BlobReader") -> "tuple[Unpacker, tuple[type[Exception], ...]]":
    name = "compression.zstd"
    try:
        __import__(name)
    except ImportError:
        return _zstd_program(packed)
    zstd = sys.modules[name]
    return zstd.ZstdFile(packed), (*DAMAGES, zstd.ZstdError)


def _zstd_program(packed: "BlobReader") -> "tuple[Unpacker, tuple[type[Exception], ...]]":
    from hybrid_runtime.image.zstd_program import ZstdProgram, ZstdProgramError, find_program

    program = find_program()
    if program is None:
        version = sys.version.split()[0]
        raise Failure(
            f"the {packed.blob.what} is compressed with zstd, and neither Python {version} nor a program reads that",
            "install zstd, use Python 3.14, or push the image with --compression-format gzip",
        )
    return ZstdProgram(program, packed), (*DAMAGES, ZstdProgramError)


def _entries(content: _Content, limits: Limits) -> "Iterator[Entry]":
    for member in members(TarStream(content, "layer"), limits.entries):
        path = _path(member.name, "entry")
        if not path and not member.isdir():
            raise Failure(f"the layer replaces the root folder by {quote(member.name)}", _REMEDY)
        if path:
            yield _entry(member, path)


_REMEDY = "such an entry has no place in a firmware image: build it FROM scratch with COPY and CMD"


def _entry(member: "TarInfo", path: tuple[str, ...]) -> Entry:
    if member.isdir():
        return Entry(FOLDER, path)
    if member.isreg():
        return Entry(FILE, path, offset=member.offset_data, size=member.size)
    if member.issym():
        return Entry(LINK, path, target=member.linkname)
    if member.islnk():
        return Entry(HARD_LINK, path, target="/".join(_path(member.linkname, "hard link to")))
    kind = "device" if member.ischr() or member.isblk() else "FIFO" if member.isfifo() else "entry of unknown type"
    raise Failure(f"the layer has the {kind} {quote(member.name)}", _REMEDY)


def _path(name: str, what: str) -> tuple[str, ...]:
    """The names from the root on; empty for the root itself. A name that begins with a slash is one below the image's
    root, as engines have it. Raises Failure for a path that leads out."""
    path = tuple(components(name))
    if "\0" in name or ".." in path:
        raise Failure(f"the layer has the {what} {quote(name)}, which leads out of the image", _REMEDY)
    if len(path) > DEEPEST:
        raise Failure(f"the layer has the {what} {quote(name)}, more than {DEEPEST} folders deep", _REMEDY)
    return path
