"""Whether a file is an ELF that a loader can take, before a core is touched.

The same bounds that rproc_elf_sanity_check and rproc_elf_load_segments check (remoteproc_elf_loader.c), for both
classes and byte orders. Machine and addresses are left to the kernel, which knows the core.
"""

import posix as os
from struct import Struct

from hybrid_runtime.failure import Failure

_LOADABLE = 1
_NO_BITS = 8
LONGEST_NAME = 64
_REMEDY = (
    "build the firmware again, or set the annotation remoteproc.format=raw where the processor takes another format"
)


class _Layout:
    """The fields of elf(5) that matter, per class."""

    def __init__(self, order: str, wide: bool) -> None:
        word = "Q" if wide else "I"
        self.header = Struct(f"{order}16xHHI{word}{word}{word}IHHHHHH")
        # 32 bit: type offset vaddr paddr filesz memsz flags align; 64 bit has flags second
        self.segment = Struct(f"{order}IIQQQQQQ" if wide else f"{order}IIIIIIII")
        self.section = Struct(f"{order}II{word}{word}{word}{word}II{word}{word}")
        self.segment_size_at = (2, 5) if wide else (1, 4)


class ElfFile:
    """Read through a descriptor, which stays the caller's. Every method raises Failure for a malformed file."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        if os.pread(descriptor, 4, 0) != b"\x7fELF":
            raise Failure("the firmware is not an ELF file", _REMEDY)
        identification = self._read(0, 16, "its first 16 bytes")
        if identification[4] not in (1, 2) or identification[5] not in (1, 2):
            raise Failure("the firmware is an ELF of an unknown class or byte order", _REMEDY)
        self.layout = _Layout("<" if identification[5] == 1 else ">", identification[4] == 2)
        header = self.layout.header
        fields = header.unpack(self._read(0, header.size, "its ELF header"))
        self.segments_at, self.sections_at = fields[4], fields[5]
        self.segment_size, self.segments, self.section_size, self.sections, self.names_index = fields[8:13]

    def _read(self, offset: int, count: int, what: str) -> bytes:
        if offset + count > self.size:
            raise Failure(
                f"the firmware is truncated: {what} would end at {offset + count}, the file at {self.size}",
                _REMEDY,
            )
        data = os.pread(self.descriptor, count, offset)
        if len(data) != count:
            raise Failure(f"the firmware became shorter while it was read: {what} is not there any more", "try again")
        return data

    def check_segments(self) -> None:
        if not self.segments:
            raise Failure("the firmware has no program headers: nothing to load", _REMEDY)
        layout = self.layout.segment
        if self.segment_size != layout.size:
            raise Failure(
                f"the firmware has program headers of {self.segment_size} bytes instead of {layout.size}",
                _REMEDY,
            )
        table = self._read(self.segments_at, self.segments * layout.size, "its program headers")
        offset_field, size_field = self.layout.segment_size_at
        for number, fields in enumerate(layout.iter_unpack(table)):
            end = fields[offset_field] + fields[size_field]
            if fields[0] == _LOADABLE and end > self.size:
                raise Failure(
                    f"the firmware is truncated: segment {number} would end at {end}, the file at {self.size}",
                    _REMEDY,
                )

    def section_names(self) -> list[str]:
        """Empty when there is no section table; contents of sections must lie in the file."""
        if not self.sections:
            return []
        layout = self.layout.section
        if self.section_size != layout.size or self.names_index >= self.sections:
            raise Failure("the firmware has a malformed section table", _REMEDY)
        table = list(layout.iter_unpack(self._read(self.sections_at, self.sections * layout.size, "its section table")))
        for number, fields in enumerate(table):
            if fields[1] != _NO_BITS and fields[4] + fields[5] > self.size:
                raise Failure(f"the firmware is truncated: section {number} lies beyond its end", _REMEDY)
        names = table[self.names_index]
        # Name by name, and no more of each than could be one we know: the table's size is the file's own claim.
        return [self._name(names[4] + fields[0], names[4] + names[5]) for fields in table]

    def _name(self, start: int, end: int) -> str:
        text = self._read(start, max(0, min(LONGEST_NAME, end - start)), "its section names")
        return text.partition(b"\0")[0].decode("ascii", "replace")


def check_elf(descriptor: int) -> list[str]:
    """Warnings about a well-formed ELF. Raises Failure for any other file."""
    elf = ElfFile(descriptor)
    elf.check_segments()
    if ".resource_table" in elf.section_names():
        return []
    return ["the firmware has no .resource_table: no trace, and some drivers do not survive it"]
