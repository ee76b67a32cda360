"""Members of a tar written by a stranger: tarfile reads the headers, and may read no more than headers need.

tarfile trusts sizes: a header may ask it for gigabytes of memory, send it backwards for ever, or end the archive
silently where it is damaged. The stream it is given here goes forward only and gives out a bounded amount per member.
"""

import tarfile
import zlib
from gzip import BadGzipFile

from hybrid_runtime.image.blob import damaged
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.text import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    class Source(Protocol):
        """Bytes in order."""

        def take(self, count: int) -> bytes:
            """The next bytes; fewer than asked for only at the end."""

        def pass_over(self, count: int) -> None:
            """Skips bytes; the end may be passed."""


LARGEST_HEADER = 1 << 20
GZIP = b"\x1f\x8b"
MOST_ENTRIES = 1 << 14
MOST_NAME_BYTES = 4 << 20
# PATH_MAX of linux/limits.h
LONGEST_PATH = 4096
# What tarfile, gzip and zlib raise for bytes that are not theirs; zstd's own error joins in the module layer.
DAMAGES = (
    tarfile.TarError,
    zlib.error,
    BadGzipFile,
    EOFError,
    ValueError,
    LookupError,
    ArithmeticError,
    RecursionError,
)


class TarStream:
    """What tarfile sees of a source: a file that only goes forward."""

    def __init__(self, source: "Source", what: str) -> None:
        self.source = source
        self.what = what
        self.position = 0
        self.header_bytes = 0

    def read(self, count: int) -> bytes:
        self.header_bytes += count
        if count < 0 or self.header_bytes > LARGEST_HEADER:
            raise damaged(f"the {self.what} has a header of more than {LARGEST_HEADER} bytes")
        data = self.source.take(count)
        self.position += len(data)
        return data

    def tell(self) -> int:
        return self.position

    def seek(self, position: int) -> None:
        if position < self.position:
            raise damaged(f"the {self.what} has a header that leads backwards")
        self.source.pass_over(position - self.position)
        self.position = position


class _StrictMember(tarfile.TarInfo):
    """tarfile takes a damaged header for the end of the archive."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> "_StrictMember":
        try:
            return super().fromtarfile(archive)
        except (tarfile.EOFHeaderError, tarfile.EmptyHeaderError):  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            what = "damaged" if archive.offset else "no tar, or damaged"
            raise damaged(f"the archive is {what} at byte {archive.offset}: {error}") from error


class EntryCount:
    """How many members there may still be, and how long their names may be together: they are kept in memory."""

    def __init__(self) -> None:
        self.left = MOST_ENTRIES
        self.name_bytes_left = MOST_NAME_BYTES

    def another(self, what: str, name_bytes: int = 0) -> None:
        self.left -= 1
        self.name_bytes_left -= name_bytes
        if self.left < 0:
            raise Failure(f"the {what} has more than {MOST_ENTRIES} entries", "firmware needs few")
        if self.name_bytes_left < 0:
            raise Failure(f"the names in the {what} are longer than {MOST_NAME_BYTES} bytes", "firmware needs few")


def members(stream: TarStream, count: EntryCount) -> "Iterator[tarfile.TarInfo]":
    """Raises Failure, and any of DAMAGES."""
    with tarfile.TarFile(
        fileobj=stream,  # type: ignore[arg-type]
        mode="r",
        tarinfo=_StrictMember,
    ) as archive:
        while (member := archive.next()) is not None:
            count.another(stream.what, len(member.name) + len(member.linkname))
            stream.header_bytes = 0
            # Nobody asks for them again.
            archive.members.clear()  # type: ignore[attr-defined]
            if max(len(member.name), len(member.linkname)) >= LONGEST_PATH:
                raise Failure(f"the {stream.what} has {quote(member.name)}, a path too long for Linux", "shorten it")
            if member.issparse() or member.size < 0:
                raise Failure(f"the {stream.what} has the sparse file {quote(member.name)}", "do without tar --sparse")
            yield member
