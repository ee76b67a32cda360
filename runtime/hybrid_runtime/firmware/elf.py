"""Whether a file is an ELF that the kernel takes, before a core is touched.

The bounds are those of drivers/remoteproc/remoteproc_elf_loader.c, no stricter and no looser: rproc_elf_sanity_check,
rproc_elf_load_segments and find_table, each named below where it is followed. Where they would have the kernel read
behind the end of the file, the file is refused. Addresses are left to the kernel, which knows the core. It does not
look at the machine.
"""

import posix as os
import sys
from struct import Struct

from hybrid_runtime.firmware.machine import require_machine
from hybrid_runtime.system.failure import Failure

MAGIC = b"\x7fELF"
_NARROW, _WIDE = 1, 2
_ORDERS = {"little": 1, "big": 2}
_LOADABLE, _INTERPRETER = 1, 3
_TABLE_NAME = b".resource_table\0"
# struct resource_table of include/linux/remoteproc.h: version, number of entries, two words of zeroes; then an offset
# for each entry.
_TABLE = Struct("=IIII")
_TABLE_OFFSET_BYTES = 4
_REMEDY = (
    "build the firmware again, or set the annotation remoteproc.format=raw where the processor takes another format"
)


def _no_elf(start: bytes) -> Failure:
    from hybrid_runtime.firmware.content import recognized

    kind, remedy = recognized(start)
    return Failure(f"the firmware is not an ELF file{kind and f', it is {kind}'}", remedy or _REMEDY)


class _Layout:
    """The fields of elf(5) that the kernel reads, per class. The byte order is this machine's."""

    def __init__(self, *, wide: bool) -> None:
        word = "Q" if wide else "I"
        self.header = Struct(f"=16xHHI{word}{word}{word}IHHHHHH")
        # 32 bit: type offset vaddr paddr filesz memsz flags align; 64 bit has flags second
        self.segment = Struct("=IIQQQQQQ" if wide else "=IIIIIIII")
        self.section = Struct(f"=II{word}{word}{word}{word}II{word}{word}")
        # Where offset, filesz and memsz stand in it.
        self.segment_fields = (2, 5, 6) if wide else (1, 4, 5)


class ElfFile:
    """Read through a descriptor, which stays the caller's. Every method raises Failure for what the kernel refuses."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        self.layout = _Layout(wide=self._identify() == _WIDE)
        header = self.layout.header
        fields = header.unpack(self._read(0, header.size, "its ELF header"))
        self.machine = fields[1]
        self.segments_at, self.sections_at = fields[4], fields[5]
        # The sizes of their entries, fields 8 and 10, are nothing that the kernel looks at.
        self.segments, self.sections, self.names_index = fields[9], fields[11], fields[12]

    def _identify(self) -> int:
        """The class (rproc_elf_sanity_check)."""
        if os.pread(self.descriptor, len(MAGIC), 0) != MAGIC:
            raise _no_elf(os.pread(self.descriptor, 16, 0))
        identification = self._read(0, 16, "its first 16 bytes")
        if identification[4] not in (_NARROW, _WIDE):
            raise Failure("the firmware is an ELF of an unknown class", _REMEDY)
        if identification[5] != _ORDERS[sys.byteorder]:
            raise Failure(f"the firmware is an ELF of another byte order than this machine's, {sys.byteorder}", _REMEDY)
        return identification[4]

    def _read(self, offset: int, count: int, what: str) -> bytes:
        self._require(offset + count, what)
        data = os.pread(self.descriptor, count, offset)
        if len(data) != count:
            raise Failure(f"the firmware became shorter while it was read: {what} is not there any more", "try again")
        return data

    def _require(self, end: int, what: str) -> None:
        if end > self.size:
            raise Failure(f"the firmware is truncated: {what} would end at {end}, the file at {self.size}", _REMEDY)

    def check_tables(self) -> None:
        """rproc_elf_sanity_check: where the tables of sections and segments lie."""
        size = self.layout.section.size
        self._require(self.sections_at + self.sections * size, "its section table")
        # find_table reads this one, also when there are no sections.
        self._require(self.sections_at + (self.names_index + 1) * size, "the section header of its section names")
        if not self.segments:
            raise Failure("the firmware has no program headers: nothing to load", _REMEDY)
        self._require(self.segments_at + self.segments * self.layout.segment.size, "its program headers")

    def check_segments(self) -> None:
        """rproc_elf_load_segments. A segment that takes no memory is passed over, wherever it lies."""
        layout = self.layout.segment
        table = self._read(self.segments_at, self.segments * layout.size, "its program headers")
        for number, fields in enumerate(layout.iter_unpack(table)):
            offset, in_file, in_memory = (fields[index] for index in self.layout.segment_fields)
            if fields[0] != _LOADABLE or not in_memory:
                continue
            if in_file > in_memory:
                raise Failure(
                    f"the firmware's segment {number} has {in_file} bytes in the file and {in_memory} in memory",
                    _REMEDY,
                )
            self._require(offset + in_file, f"segment {number}")

    def has_interpreter(self) -> bool:
        """As programs of Linux have one."""
        layout = self.layout.segment
        table = self._read(self.segments_at, self.segments * layout.size, "its program headers")
        return any(fields[0] == _INTERPRETER for fields in layout.iter_unpack(table))

    def resource_table_fault(self) -> str:
        """Why find_table finds none, "" when it does. That is no fault of the file: drivers decide what it means."""
        layout = self.layout.section
        table = self._read(self.sections_at, self.sections * layout.size, "its section table")
        names_at = self._section(self.names_index)[4]
        for fields in layout.iter_unpack(table):
            if self._is_table_name(names_at + fields[0]):
                return self._table_fault(fields[4], fields[5])
        return "the firmware has no .resource_table"

    def _section(self, index: int) -> tuple[int, ...]:
        """Also one behind the number of sections, as in find_table."""
        layout = self.layout.section
        return layout.unpack(self._read(self.sections_at + index * layout.size, layout.size, "its section table"))

    def _is_table_name(self, offset: int) -> bool:
        """strcmp, which reads until the first difference."""
        self._require(offset + 1, "a section's name")
        found = os.pread(self.descriptor, len(_TABLE_NAME), offset)
        if len(found) < len(_TABLE_NAME) and _TABLE_NAME.startswith(found):
            self._require(offset + len(_TABLE_NAME), "a section's name")
        return found == _TABLE_NAME

    def _table_fault(self, offset: int, size: int) -> str:
        if offset + size > self.size:
            return f"the firmware's .resource_table is truncated: it would end at {offset + size}"
        if size < _TABLE.size:
            return f"the firmware's .resource_table has {size} bytes, too few for its header"
        version, entries, *reserved = _TABLE.unpack(self._read(offset, _TABLE.size, "its .resource_table"))
        if version != 1:
            return f"the firmware's .resource_table has the version {version}, not 1"
        if any(reserved):
            return "the firmware's .resource_table has reserved words that are not zero"
        if _TABLE.size + entries * _TABLE_OFFSET_BYTES > size:
            return f"the firmware's .resource_table has {size} bytes, too few for {entries} entries"
        return ""


def check_elf(descriptor: int, driver: str = "") -> list[str]:
    """Warnings about an ELF that the kernel takes. Raises Failure for any other file, and for one that no core of that
    driver runs."""
    elf = ElfFile(descriptor)
    elf.check_tables()
    require_machine(elf.machine, driver, has_interpreter=elf.has_interpreter())
    elf.check_segments()
    fault = elf.resource_table_fault()
    return [f"{fault}: no trace, and some drivers refuse it or do not survive it"] if fault else []
