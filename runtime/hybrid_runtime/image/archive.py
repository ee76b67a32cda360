"""An archive as the files of an image: where each member's bytes lie, without unpacking anything."""

import os

from hybrid_runtime.firmware.elf import MAGIC
from hybrid_runtime.image.blob import CHUNK, FileSection, damaged, open_file
from hybrid_runtime.image.tar_stream import DAMAGES, GZIP, EntryCount, TarStream, members
from hybrid_runtime.image.temporary import TemporaryFiles
from hybrid_runtime.system.durable_file import write_all
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.text import printable, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

# Old docker save has a link from each repeated layer to the first; none leads to another link.
_MOST_LINKS = 2
_USTAR_AT = 257


class _ArchiveFile:
    """A tar_stream.Source that passes over content without reading it."""

    def __init__(self, section: FileSection) -> None:
        self.section = section
        self.position = 0

    def take(self, count: int) -> bytes:
        data = self.section.read_at(self.position, count)
        self.position += len(data)
        return data

    read = take

    def pass_over(self, count: int) -> None:
        self.position += count


class Archive:
    """A tar, plain or gzip. Owns the section. A context manager, which raises Failure for anything else."""

    def __init__(self, section: FileSection, temporary: TemporaryFiles) -> None:
        self.section = section
        self.temporary = temporary
        self.files: dict[str, tuple[int, int]] = {}
        self.links: dict[str, str] = {}
        self.repeated: set[str] = set()

    def __enter__(self) -> "Self":
        try:
            if self.section.read_at(0, 2) == GZIP:
                self.section = _unzipped(self.section, self.temporary)
                if self.section.read_at(0, len(MAGIC)) == MAGIC:
                    raise Failure("the gzip file holds a firmware and no image", "unpack it with gunzip, and give that")
            self._index()
        except BaseException:
            self.section.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.section.close()

    def _index(self) -> None:
        try:
            self._find_members()
        except DAMAGES as error:
            raise damaged(f"the archive is no tar: {printable(str(error))}") from error

    def _find_members(self) -> None:
        for member in members(TarStream(_ArchiveFile(self.section), "archive"), EntryCount()):
            name = os.path.normpath(member.name)
            if name in self.files or name in self.links:
                self.repeated.add(name)
            if member.isreg():
                self.files[name] = (member.offset_data, member.size)
            elif member.issym():
                self.links[name] = os.path.normpath(os.path.join(os.path.dirname(name), member.linkname))
            elif member.islnk():
                self.links[name] = os.path.normpath(member.linkname)

    def open(self, path: str) -> FileSection | None:
        """Raises Failure for a file that is there twice: two readers could take different ones."""
        for _ in range(_MOST_LINKS):
            if path in self.repeated:
                raise damaged(f"the archive has {quote(path)} twice")
            path = self.links.get(path, path)
        if path not in self.files:
            return None
        offset, size = self.files[path]
        if offset + size > self.section.size:
            raise damaged(f"the archive is truncated: {quote(path)} would end at byte {offset + size}")
        return FileSection(os.dup(self.section.descriptor), offset, size)


def is_archive(path: str) -> bool:
    """Whether a regular file begins as a tar or a gzip does."""
    with open_file(path) as section:
        start = section.read_at(0, 512)
    return start.startswith(GZIP) or start[_USTAR_AT : _USTAR_AT + 5] == b"ustar"


def _unzipped(section: FileSection, temporary: TemporaryFiles) -> FileSection:
    """As `docker save NAME | gzip` makes it: members are found by position, so it is unpacked first."""
    target = FileSection(temporary.new_file(), 0, 0)
    try:
        _unzip(section, target, temporary.largest)
    except BaseException:
        target.close()
        raise
    section.close()
    return target


def _unzip(section: FileSection, target: FileSection, largest: int) -> None:
    from gzip import GzipFile

    with GzipFile(mode="rb", fileobj=_ArchiveFile(section)) as source:  # type: ignore[call-overload]
        try:
            while data := source.read(CHUNK):
                target.size += len(data)
                if target.size > largest:
                    raise Failure(f"the archive unpacks to more than {largest} bytes", "firmware images are smaller")
                write_all(target.descriptor, data)
        except DAMAGES as error:
            raise damaged(f"the archive is no gzip: {printable(str(error))}") from error
