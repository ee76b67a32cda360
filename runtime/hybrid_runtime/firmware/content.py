"""What a file is that is no ELF, as far as its first bytes tell, and how an ELF is got from it."""

_BUILD = "give the ELF that the linker makes"
_SIGNATURES = (
    (b"\x1f\x8b", "a gzip file", "unpack it with gunzip"),
    (b"\xfd7zXZ\0", "an xz file", "unpack it with unxz"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "unpack it with unzstd"),
    (b"BZh", "a bzip2 file", "unpack it with bunzip2"),
    (b"PK\x03\x04", "a zip file", "unpack it with unzip"),
    (b"!<arch>\n", "an archive of objects", _BUILD),
    (b":0", "an Intel HEX file", _BUILD),
    (b":1", "an Intel HEX file", _BUILD),
    (b":2", "an Intel HEX file", _BUILD),
    (b"S0", "a file of S-records", _BUILD),
    (b"UF2\n", "a UF2 file", _BUILD),
    (b"\x27\x05\x19\x56", "an image for U-Boot", _BUILD),
    (b"#!", "a script", "the first of process.args must be the firmware: shells and scripts do not run on a core"),
)


def recognized(start: bytes) -> tuple[str, str]:
    """Its kind and the remedy, both "" for a file of no kind known here."""
    if not start:
        return "an empty file", _BUILD
    for signature, kind, remedy in _SIGNATURES:
        if start.startswith(signature):
            return kind, remedy
    return "", ""
