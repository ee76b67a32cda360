"""Firmware for a board's cores, with a nonce in it that nobody could have known before."""

import io
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from hybrid_hil.board.processor import Processor
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError
from hybrid_hil.shell import Shell

SECTION = ".nonce"
SECTION_SIZE = 32
UPLOADS = "/tmp/hybrid-hil-firmware"
# files that are wrong on purpose have no nonce: no core can ever say it
NONCE_FREE = frozenset({"truncated", "wrong-machine", "out-of-range", "not-elf"})


@dataclass(frozen=True)
class BuiltFirmware:
    """A firmware file on a board. `nonce` is empty for files without one; `speaker` is the word with which
    its lines begin on the cores' console."""

    path_on_board: str
    name: str
    core: int
    processor: str
    nonce: str
    speaker: str


class MissingFirmwareError(RigError):
    """A core has no firmware of that name."""


def firmware_file(processor: Processor, name: str | Path, own: Path | None = None) -> Path:
    """The file of that path, or the one of that name that was built for this core.

    `own` is a folder of the user's, which comes before the board's: `PROCESSOR/NAME.elf` in it, then `NAME.elf`.

    Raises:
        MissingFirmwareError: there is none.
    """
    if isinstance(name, Path):
        if not name.is_file():
            raise MissingFirmwareError(f"there is no file `{name}`", "build the firmware, or correct the path")
        return name
    folders = [*([own / processor.name, own] if own else []), processor.firmware]
    files = [folder / f"{name}.elf" for folder in folders]
    if name == "not-elf":
        files.append(processor.firmware.parent / "not-elf.bin")
    found = next((file for file in files if file.is_file()), None)
    if found is None:
        known = sorted({path.stem for folder in folders for path in folder.glob("*.elf")})
        raise MissingFirmwareError(f"there is no firmware `{name}`", f"choose one of {', '.join([*known, 'not-elf'])}")
    return found


def nonce_section(nonce: str) -> bytes:
    """The section's content: the text, padded with NULs.

    Raises:
        RigError: it is too long to leave a NUL at its end.
    """
    text = nonce.encode("ascii")
    if len(text) >= SECTION_SIZE:
        raise RigError(f"the nonce `{nonce}` is longer than {SECTION_SIZE - 1} bytes")
    return text.ljust(SECTION_SIZE, b"\0")


def with_nonce(file: Path, nonce: str) -> bytes | None:
    """The ELF with that text in its nonce section; None where it has no such section.

    Raises:
        RigError: the file cannot be read, is no ELF, or the section has no room.
    """
    content = read_content(file)
    try:
        section = ELFFile(io.BytesIO(content)).get_section_by_name(SECTION)
    except (ELFError, struct.error, UnicodeDecodeError, OverflowError) as error:
        raise RigError(f"the firmware `{file}` is no sound ELF: {error}", "build it again") from error
    if section is None:
        return None
    begin, size = section["sh_offset"], section["sh_size"]
    if section["sh_type"] == "SHT_NOBITS" or size != SECTION_SIZE or begin + size > len(content):
        remedy = f"make it {SECTION_SIZE} initialized bytes, as docs/rig.md shows"
        raise RigError(f"the section {SECTION} of `{file}` has no room for a nonce", remedy)
    return content[:begin] + nonce_section(nonce) + content[begin + size :]


def read_content(file: Path) -> bytes:
    """Raises RigError for a file that cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise RigError(f"the firmware `{file}` cannot be read: {error.strerror}", "give an ELF file") from error


def upload_firmware(
    shell: Shell,
    processor: Processor,
    name: str | Path,
    *,
    core: int,
    deadline: Deadline,
    nonce: bool = True,
    own: Path | None = None,
) -> BuiltFirmware:
    """Writes a fresh nonce into a firmware that has a place for one, and puts it on the board, under a name of its
    own. `own` is as for `firmware_file`."""
    file = firmware_file(processor, name, own)
    fresh = secrets.token_hex(8)
    content = with_nonce(file, fresh) if nonce and file.stem not in NONCE_FREE else None
    if content is None:
        content, fresh = read_content(file), ""
    folder = f"{UPLOADS}/{fresh or secrets.token_hex(4)}"
    path = f"{folder}/{file.name}"
    shell.put(content, path, deadline=deadline)
    return BuiltFirmware(path, file.stem, core, processor.name, fresh, processor.speaker)
