"""A firmware in its core's memory before Linux starts, as a boot loader puts it there."""

from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

RESOURCE_TABLE = ".resource_table"
# Where the STM32 board's boot loader notes the table's address (st,syscfg-rsc-tbl of stm32mp1.dts).
RESOURCE_TABLE_NOTE = 0xFFFC1208


@dataclass(frozen=True)
class EarlyFirmware:
    """`resource_table` is the address of the table in the core's memory, 0 without one."""

    file: Path
    resource_table: int


def early_firmware(file: Path) -> EarlyFirmware:
    """Of one of the tests' own firmwares."""
    with file.open("rb") as content:
        section = ELFFile(content).get_section_by_name(RESOURCE_TABLE)
        return EarlyFirmware(file, section["sh_addr"] if section else 0)
