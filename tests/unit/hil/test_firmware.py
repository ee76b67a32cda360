"""Choosing firmware files and their nonce."""

import shutil
import subprocess
from pathlib import Path

import pytest

from hybrid_hil.board.layout import ONE_CORE, TWO_CORES
from hybrid_hil.device.firmware import MissingFirmwareError, firmware_file, nonce_section, with_nonce
from hybrid_hil.failure import RigError
from hybrid_hil.host.checkout import checkout_root

FIRMWARE = "examples/project/firmware"
NONCE_DECLARATION = '__attribute__((section(".nonce"), used)) static const volatile char nonce[32] = "unset";'
NONCE = b"0123456789abcdef"


@pytest.fixture
def platform(tmp_path: Path) -> Path:
    for folder in ("core0", "core1", "lockstep"):
        (tmp_path / "firmware" / folder).mkdir(parents=True)
        (tmp_path / "firmware" / folder / "hello.elf").touch()
    (tmp_path / "firmware" / "not-elf.bin").touch()
    return tmp_path


def test_each_core_has_firmware_linked_for_it(platform: Path) -> None:
    found = [firmware_file(core, "hello").parent.name for core in TWO_CORES.cores(platform)]
    assert found == ["core0", "core1"]
    assert firmware_file(ONE_CORE.cores(platform)[0], "hello").parent.name == "lockstep"
    assert firmware_file(TWO_CORES.cores(platform)[1], "not-elf").name == "not-elf.bin"


def test_unknown_firmware_is_refused(platform: Path) -> None:
    with pytest.raises(MissingFirmwareError, match="no firmware `goodbye`\nchoose one of hello, not-elf"):
        firmware_file(TWO_CORES.cores(platform)[0], "goodbye")


def test_firmware_of_ones_own_comes_first(platform: Path, tmp_path: Path) -> None:
    core, other = TWO_CORES.cores(platform)
    own = tmp_path / "own"
    (own / core.name).mkdir(parents=True)
    for path in (own / core.name / "hello.elf", own / "hello.elf", own / "motor.elf"):
        path.touch()
    assert firmware_file(core, "hello", own) == own / core.name / "hello.elf"
    assert firmware_file(other, "hello", own) == own / "hello.elf"
    assert firmware_file(core, "motor", own) == own / "motor.elf"
    assert firmware_file(core, "not-elf", own).name == "not-elf.bin"
    with pytest.raises(MissingFirmwareError, match="choose one of hello, motor, not-elf"):
        firmware_file(core, "goodbye", own)


def test_a_file_is_taken_by_its_path(platform: Path, tmp_path: Path) -> None:
    core = TWO_CORES.cores(platform)[0]
    (tmp_path / "motor.bin").touch()
    assert firmware_file(core, tmp_path / "motor.bin") == tmp_path / "motor.bin"
    with pytest.raises(MissingFirmwareError, match=r"there is no file `.*/absent\.elf`"):
        firmware_file(core, tmp_path / "absent.elf")


def build(folder: Path, declaration: str = NONCE_DECLARATION) -> Path:
    """The firmware of the example, with another declaration of its nonce."""
    shutil.copytree(checkout_root() / FIRMWARE, folder, ignore=shutil.ignore_patterns("*.elf"))
    source = (folder / "motor.c").read_text()
    assert source.count(NONCE_DECLARATION) == 1
    (folder / "motor.c").write_text(source.replace(NONCE_DECLARATION, declaration))
    subprocess.run(["make", "-s", "-C", folder], check=True)
    return folder / "motor.elf"


def test_a_nonce_takes_its_section_and_no_other_byte(tmp_path: Path) -> None:
    file = build(tmp_path / "firmware")
    former, now = file.read_bytes(), with_nonce(file, NONCE.decode())
    assert now is not None
    assert now == former.replace(b"unset".ljust(32, b"\0"), NONCE.ljust(32, b"\0"))
    assert now != former


def test_firmware_without_a_section_has_no_nonce(tmp_path: Path) -> None:
    file = build(tmp_path / "firmware", NONCE_DECLARATION.replace(".nonce", ".words"))
    assert with_nonce(file, NONCE.decode()) is None


@pytest.mark.parametrize(
    "declaration",
    [
        NONCE_DECLARATION.replace("32", "16"),
        '__attribute__((section(".nonce,\\"aw\\",%nobits @"), used)) static volatile char nonce[32];',
    ],
    ids=["a short one", "one without bytes"],
)
def test_a_section_without_room_for_a_nonce(tmp_path: Path, declaration: str) -> None:
    file = build(tmp_path / "firmware", declaration)
    with pytest.raises(RigError, match="has no room for a nonce"):
        with_nonce(file, NONCE.decode())


@pytest.mark.parametrize(
    "content", [b"", b"no ELF at all", b"\x7fELF" + b"\xff" * 60], ids=["empty", "text", "nonsense"]
)
def test_what_is_no_elf_takes_no_nonce(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "motor.elf"
    file.write_bytes(content)
    with pytest.raises(RigError, match="is no sound ELF"):
        with_nonce(file, NONCE.decode())
    with pytest.raises(RigError, match="cannot be read: No such file"):
        with_nonce(tmp_path / "absent.elf", NONCE.decode())


def test_a_nonce_fills_its_section_and_ends_with_a_nul() -> None:
    assert nonce_section("0123") == b"0123" + b"\0" * 28
    assert nonce_section("x" * 31)[-1:] == b"\0"
    with pytest.raises(RigError, match="longer than 31"):
        nonce_section("x" * 32)
