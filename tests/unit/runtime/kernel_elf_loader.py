"""What drivers/remoteproc/remoteproc_elf_loader.c of Linux 6.12 asks of an ELF file, condition by condition.

Written after the C code and apart from the runtime's own check, which is compared with it. Left out is what depends on
the core: the machine, and whether its memory has the addresses.
"""

import sys
from struct import calcsize, unpack_from

REFUSED = "refused"
# The C code would read behind the end of the file.
UNDEFINED = "undefined"
# No resource table for rproc_elf_load_rsc_table: some drivers go on without.
NO_TABLE = "no table"
TAKEN = "taken"

NATIVE_ORDER = 1 if sys.byteorder == "little" else 2
# Names and formats of struct elf32_hdr and the like, in their order (include/uapi/linux/elf.h).
HEADERS = {
    1: (
        "=16sHHIIIIIHHHHHH",
        "=IIIIIIII",
        ("type", "offset", "vaddr", "paddr", "filesz", "memsz", "flags", "align"),
        "=IIIIIIIIII",
    ),
    2: (
        "=16sHHIQQQIHHHHHH",
        "=IIQQQQQQ",
        ("type", "flags", "offset", "vaddr", "paddr", "filesz", "memsz", "align"),
        "=IIQQQQIIQQ",
    ),
}
HEADER_FIELDS = (
    *("ident", "type", "machine", "version", "entry", "phoff", "shoff"),
    *("flags", "ehsize", "phentsize", "phnum", "shentsize", "shnum", "shstrndx"),
)
SECTION_FIELDS = ("name", "type", "flags", "addr", "offset", "size", "link", "info", "addralign", "entsize")
PT_LOAD = 1
U64 = 1 << 64


class ReadBehindTheEnd(Exception):
    pass


class Image:
    """struct firmware: `data` and its size."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def struct(self, form: str, names: tuple[str, ...], offset: int) -> dict[str, int]:
        if offset + calcsize(form) > self.size:
            raise ReadBehindTheEnd
        return dict(zip(names, unpack_from(form, self.data, offset), strict=True))

    def strcmp(self, offset: int, word: bytes) -> bool:
        """Whether they are equal; reads up to the first difference, as strcmp does."""
        for index, wanted in enumerate(word + b"\0"):
            if offset + index >= self.size:
                raise ReadBehindTheEnd
            if self.data[offset + index] != wanted:
                return False
        return True


def rproc_elf_sanity_check(image: Image) -> bool:
    return _is_elf(image) and _tables_fit(image)


def _is_elf(image: Image) -> bool:
    if image.size < calcsize(HEADERS[1][0]) or image.data[:4] != b"\x7fELF" or image.data[4] not in (1, 2):
        return False
    if image.data[4] == 2 and image.size < calcsize(HEADERS[2][0]):
        return False
    return image.data[5] == NATIVE_ORDER


def _tables_fit(image: Image) -> bool:
    elf_class = image.data[4]
    header = image.struct(HEADERS[elf_class][0], HEADER_FIELDS, 0)
    section_size = calcsize(HEADERS[elf_class][3])
    if header["shoff"] > image.size:
        return False
    if header["shnum"] and section_size * header["shnum"] + header["shoff"] > image.size:
        return False
    if section_size * (header["shstrndx"] + 1) + header["shoff"] > image.size:
        return False
    return header["phnum"] != 0 and header["phoff"] <= image.size


def rproc_elf_load_segments(image: Image) -> bool:
    header_format, segment_format, names, _ = HEADERS[image.data[4]]
    header = image.struct(header_format, HEADER_FIELDS, 0)
    for number in range(header["phnum"]):
        segment = image.struct(segment_format, names, header["phoff"] + number * calcsize(segment_format))
        if segment["type"] != PT_LOAD or not segment["memsz"]:
            continue
        if segment["filesz"] > segment["memsz"]:
            return False
        if (segment["offset"] + segment["filesz"]) % U64 > image.size:
            return False
        if segment["filesz"] and segment["offset"] + segment["filesz"] > image.size:
            # The sum has wrapped around, memcpy has not.
            raise ReadBehindTheEnd
    return True


def find_table(image: Image) -> bool:
    header_format, _, _, section_format = HEADERS[image.data[4]]
    header = image.struct(header_format, HEADER_FIELDS, 0)
    section_size = calcsize(section_format)
    names = image.struct(section_format, SECTION_FIELDS, header["shoff"] + header["shstrndx"] * section_size)
    for number in range(header["shnum"]):
        section = image.struct(section_format, SECTION_FIELDS, header["shoff"] + number * section_size)
        if not image.strcmp(names["offset"] + section["name"], b".resource_table"):
            continue
        end = (section["offset"] + section["size"]) % U64
        if end > image.size or end < section["size"]:
            return False
        if section["size"] < 16:
            return False
        version, count, first, second = unpack_from("=IIII", image.data, section["offset"])
        return version == 1 and not first and not second and 16 + 4 * count <= section["size"]
    return False


def verdict(data: bytes) -> str:
    """In the order of rproc_fw_boot: sanity, resource table, segments. What is undefined outweighs a missing table."""
    image = Image(data)
    try:
        if not rproc_elf_sanity_check(image):
            return REFUSED
        has_table = find_table(image)
        if not rproc_elf_load_segments(image):
            return REFUSED
    except ReadBehindTheEnd:
        return UNDEFINED
    return TAKEN if has_table else NO_TABLE
