"""Choosing firmware files and their nonce."""

from pathlib import Path

import pytest

from hybrid_hil.board.layout import ONE_CORE, TWO_CORES
from hybrid_hil.failure import RigError
from hybrid_hil.firmware import MissingFirmwareError, firmware_file, nonce_section


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


def test_a_nonce_fills_its_section_and_ends_with_a_nul() -> None:
    assert nonce_section("0123") == b"0123" + b"\0" * 28
    assert nonce_section("x" * 31)[-1:] == b"\0"
    with pytest.raises(RigError, match="longer than 31"):
        nonce_section("x" * 32)
