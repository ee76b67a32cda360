"""Choosing firmware files and their nonce."""

from pathlib import Path

import pytest

from hybrid_hil.board.layout import ONE_CORE, TWO_CORES
from hybrid_hil.failure import RigError
from hybrid_hil.firmware import firmware_file, nonce_section


@pytest.fixture
def platform(tmp_path: Path) -> Path:
    for folder in ("core0", "core1", "lockstep"):
        (tmp_path / "firmware" / folder).mkdir(parents=True)
        (tmp_path / "firmware" / folder / "hello.elf").touch()
    (tmp_path / "firmware" / "not-elf.bin").touch()
    return tmp_path


def test_each_core_has_firmware_linked_for_it(platform: Path) -> None:
    found = [firmware_file(platform, TWO_CORES, "hello", core).parent.name for core in (0, 1)]
    assert found == ["core0", "core1"]
    assert firmware_file(platform, ONE_CORE, "hello", 0).parent.name == "lockstep"
    assert firmware_file(platform, TWO_CORES, "not-elf", 1).name == "not-elf.bin"


def test_unknown_firmware_and_cores_are_refused(platform: Path) -> None:
    with pytest.raises(RigError, match="no firmware `goodbye`\nchoose one of hello, not-elf"):
        firmware_file(platform, TWO_CORES, "goodbye", 0)
    for core in (-1, 1):
        with pytest.raises(RigError, match=f"no core `{core}`"):
            firmware_file(platform, ONE_CORE, "hello", core)


def test_a_nonce_fills_its_section_and_ends_with_a_nul() -> None:
    assert nonce_section("0123") == b"0123" + b"\0" * 28
    assert nonce_section("x" * 31)[-1:] == b"\0"
    with pytest.raises(RigError, match="longer than 31"):
        nonce_section("x" * 32)
