"""Minimal well-formed ELF files, one loaded segment and the sections asked for."""

from struct import pack

CODE = b"firmware code...."


def build_elf(
    *, wide: bool = False, big: bool = False, sections: tuple[str, ...] = (".text", ".resource_table")
) -> bytes:
    """elf(5): header, one PT_LOAD program header, the code and a resource table, the section names, the section table.

    The resource table has version 1 and no entries (struct resource_table of include/linux/remoteproc.h).
    """
    order = ">" if big else "<"
    header_size, segment_size, section_size = (64, 56, 64) if wide else (52, 32, 40)
    word = "Q" if wide else "I"
    code_at = header_size + segment_size
    names = b"\0" + b"".join(name.encode() + b"\0" for name in (*sections, ".shstrtab"))
    table = pack(f"{order}IIII", 1, 0, 0, 0)
    content = CODE + table
    names_at = code_at + len(content)
    headers_at = names_at + len(names)
    count = len(sections) + 2
    identification = b"\x7fELF" + bytes((2 if wide else 1, 2 if big else 1, 1)) + bytes(9)
    header = identification + pack(
        f"{order}HHI{word}{word}{word}IHHHHHH",
        *(2, 40, 1, 0, header_size, headers_at, 0, header_size, segment_size, 1, section_size, count, count - 1),
    )
    numbers = (code_at, 0, 0, len(content), len(content))
    segment = pack(f"{order}IIQQQQQQ", 1, 5, *numbers, 4) if wide else pack(f"{order}IIIIIIII", 1, *numbers, 5, 4)

    def section(name: str, kind: int, offset: int, size: int) -> bytes:
        start = names.index(b"\0" + name.encode() + b"\0") + 1 if name else 0
        return pack(f"{order}II{word}{word}{word}{word}II{word}{word}", start, kind, 0, 0, offset, size, 0, 0, 1, 0)

    headers = section("", 0, 0, 0)
    for name in sections:
        is_table = name == ".resource_table"
        headers += section(name, 1, code_at + is_table * len(CODE), len(table if is_table else CODE))
    headers += section(".shstrtab", 3, names_at, len(names))
    return header + segment + content + names + headers
