"""Firmware for a board's cores, with a nonce linked in that nobody could have known before."""

import secrets
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.board.processor import Processor
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError
from hybrid_hil.shell import Shell

OBJCOPY = "arm-none-eabi-objcopy"
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


def firmware_file(processor: Processor, name: str) -> Path:
    """The file that was built for this core.

    Raises:
        MissingFirmwareError: there is none.
    """
    folder = processor.firmware
    file = folder.parent / "not-elf.bin" if name == "not-elf" else folder / f"{name}.elf"
    if not file.is_file():
        known = sorted(path.stem for path in folder.glob("*.elf"))
        raise MissingFirmwareError(f"there is no firmware `{name}`", f"choose one of {', '.join([*known, 'not-elf'])}")
    return file


def nonce_section(nonce: str) -> bytes:
    """The section's content: the text, padded with NULs.

    Raises:
        RigError: it is too long to leave a NUL at its end.
    """
    text = nonce.encode("ascii")
    if len(text) >= SECTION_SIZE:
        raise RigError(f"the nonce `{nonce}` is longer than {SECTION_SIZE - 1} bytes")
    return text.ljust(SECTION_SIZE, b"\0")


def with_nonce(file: Path, nonce: str) -> bytes:
    """The ELF with its nonce section replaced.

    Raises:
        RigError: objcopy is missing or refuses the file.
    """
    with tempfile.TemporaryDirectory(prefix="hybrid-hil-nonce-") as folder:
        section, target = Path(folder, "nonce"), Path(folder, "out.elf")
        section.write_bytes(nonce_section(nonce))
        command = [OBJCOPY, "--update-section", f"{SECTION}={section}", str(file), str(target)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except FileNotFoundError:
            message = f"`{OBJCOPY}` is not installed"
            raise RigError(message, "hil doctor shows what to install", exit_code=2) from None
        except subprocess.CalledProcessError as error:
            raise RigError(f"`{file.name}` takes no nonce: {error.stderr.strip()}") from error
        return target.read_bytes()


def upload_firmware(
    shell: Shell,
    processor: Processor,
    name: str,
    *,
    core: int,
    deadline: Deadline,
    nonce: bool = True,
) -> BuiltFirmware:
    """Links a fresh nonce into a firmware and puts it on the board, under a name of its own."""
    file = firmware_file(processor, name)
    fresh = secrets.token_hex(8) if nonce and name not in NONCE_FREE else ""
    content = with_nonce(file, fresh) if fresh else file.read_bytes()
    folder = f"{UPLOADS}/{fresh or secrets.token_hex(4)}"
    path = f"{folder}/{file.name}"
    shell.put(content, path, deadline=deadline)
    return BuiltFirmware(path, name, core, processor.name, fresh, processor.speaker)
