"""What a firmware's ELF says of itself before any core sees it."""

import io
import struct
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from hybrid_hil.failure import RigError

RESOURCE_TABLE = ".resource_table"
# enum fw_resource_type (include/linux/remoteproc.h)
KINDS = {0: "carveout", 1: "devmem", 2: "trace", 3: "vdev"}
VERSION_SUPPORTED = 1
MOST_ENTRIES = 256


@dataclass(frozen=True)
class FirmwareFacts:
    """`resources` are the kinds of its resource table's entries, None without a table; `loaded` the physical ranges
    [start, end) its segments are loaded to."""

    machine: str
    bits: int
    entry: int
    loaded: tuple[tuple[int, int], ...]
    resources: tuple[str, ...] | None


def read_firmware(path: Path) -> FirmwareFacts:
    """Raises RigError for a file that cannot be read or is no ELF."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RigError(
            f"the firmware `{path}` cannot be read: {error.strerror}", "give an ELF file", exit_code=2
        ) from error
    try:
        elf = ELFFile(io.BytesIO(content))
        segments = [segment.header for segment in elf.iter_segments("PT_LOAD")]
        table = elf.get_section_by_name(RESOURCE_TABLE)
        if not any(head["p_memsz"] for head in segments):
            raise ELFError("it loads nothing")
        return FirmwareFacts(
            machine=elf.get_machine_arch(),
            bits=elf.elfclass,
            entry=elf.header["e_entry"],
            loaded=tuple((head["p_paddr"], head["p_paddr"] + head["p_memsz"]) for head in segments if head["p_memsz"]),
            resources=None if table is None else resources(table.data(), "<" if elf.little_endian else ">"),
        )
    except (ELFError, struct.error, UnicodeDecodeError, OverflowError) as error:
        raise RigError(f"the firmware `{path}` is no sound ELF: {error}", "build it again", exit_code=2) from error


def resources(table: bytes, order: str) -> tuple[str, ...]:
    """The kinds of its entries (struct resource_table).

    Raises:
        struct.error: it is truncated.
        ELFError: no kernel would take it.
    """
    version, count = struct.unpack_from(f"{order}II", table)
    if version != VERSION_SUPPORTED or count > MOST_ENTRIES:
        raise ELFError(f"its resource table has version {version} and {count} entries")
    offsets = struct.unpack_from(f"{order}{count}I", table, 16)
    kinds = [struct.unpack_from(f"{order}I", table, offset)[0] for offset in offsets]
    return tuple(KINDS.get(kind, f"type {kind}") for kind in kinds)
