"""Which files pass for an ELF that a loader can take."""

import tempfile

import pytest
from command_runner import attempt
from hypothesis import given
from hypothesis import strategies as st

from elf_builder import build_elf
from hybrid_runtime.failure import Failure
from hybrid_runtime.firmware.elf import ElfFile, check_elf

FORMS = [(wide, big) for wide in (False, True) for big in (False, True)]


def check(data: bytes) -> list[str]:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return check_elf(file.fileno())


@pytest.mark.parametrize(("wide", "big"), FORMS)
def test_well_formed(wide: bool, big: bool) -> None:
    assert check(build_elf(wide=wide, big=big)) == []
    with tempfile.TemporaryFile() as file:
        file.write(build_elf(wide=wide, big=big))
        file.flush()
        assert ElfFile(file.fileno()).section_names() == ["", ".text", ".resource_table", ".shstrtab"]


@pytest.mark.parametrize(("wide", "big"), FORMS)
def test_without_resource_table(wide: bool, big: bool) -> None:
    for sections in ((), (".text",), (".resource_table.old",), ("resource_table",)):
        (warning,) = check(build_elf(wide=wide, big=big, sections=sections))
        assert "no .resource_table" in warning


@pytest.mark.parametrize(("wide", "big"), FORMS)
def test_every_truncation(wide: bool, big: bool) -> None:
    data = build_elf(wide=wide, big=big)
    for length in range(len(data)):
        with pytest.raises(Failure, match=r"truncated|not an ELF"):
            check(data[:length])
    assert check(data + b"more") == []


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, b"\x7fELG", "not an ELF file"),
        (4, b"\x03", "unknown class or byte order"),
        (5, b"\x00", "unknown class or byte order"),
        (42, b"\x21\x00", "program headers of 33 bytes instead of 32"),
        (44, b"\x00\x00", "no program headers"),
        (44, b"\xff\xff", "its program headers would end at"),
        (46, b"\x27\x00", "malformed section table"),
        (50, b"\x04\x00", "malformed section table"),
        (52 + 4, b"\xff\xff\xff\xff", "segment 0 would end at"),
        (52 + 16, b"\xff\xff\xff\x7f", "segment 0 would end at"),
    ],
)
def test_malformed(at: int, value: bytes, message: str) -> None:
    data = build_elf()
    with pytest.raises(Failure, match=message):
        check(data[:at] + value + data[at + len(value) :])


def test_without_section_table() -> None:
    data = bytearray(build_elf())
    data[48:50] = b"\0\0"
    assert "no .resource_table" in check(bytes(data))[0]


def test_names_that_claim_the_whole_file() -> None:
    """A table of names as large as the file, used by many sections, costs no more than any other."""
    data = bytearray(build_elf(sections=tuple(f".s{number}" for number in range(2000))))
    data += bytes(50_000_000)
    table = int.from_bytes(data[32:36], "little")
    names = table + 2001 * 40
    data[names + 20 : names + 24] = (len(data) - int.from_bytes(data[names + 16 : names + 20], "little")).to_bytes(
        4, "little"
    )
    assert "no .resource_table" in check(bytes(data))[0]


@given(
    form=st.sampled_from(FORMS),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6),
    length=st.integers(0, 500),
)
def test_mutations(form: tuple[bool, bool], changes: list[tuple[int, int]], length: int) -> None:
    data = bytearray(build_elf(wide=form[0], big=form[1]))
    for at, value in changes:
        data[at % len(data)] = value
    outcome = attempt(lambda: check(bytes(data[:length])), Failure)
    assert isinstance(outcome, Failure) or len(outcome) <= 1


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    for start in (b"", b"\x7fELF\x01\x01", b"\x7fELF\x02\x02"):
        with pytest.raises(Failure):
            check(start + data)
