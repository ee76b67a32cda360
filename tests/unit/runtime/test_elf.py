"""Which files pass for an ELF that the kernel takes."""

import struct
import sys
import tempfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hybrid_runtime.firmware.elf import ElfFile, check_elf
from hybrid_runtime.system.failure import Failure
from tests.elf_builder import build_elf
from tests.unit.runtime.command_runner import attempt
from tests.unit.runtime.kernel_elf_loader import NO_TABLE, TAKEN, verdict

BIG_HERE = sys.byteorder == "big"
CLASSES = (False, True)


def check(data: bytes) -> list[str]:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return check_elf(file.fileno())


def here(*, wide: bool = False, sections: tuple[str, ...] = (".text", ".resource_table")) -> bytes:
    """In this machine's byte order."""
    return build_elf(wide=wide, big=BIG_HERE, sections=sections)


def with_number(data: bytes, at: int, width: int, value: int) -> bytes:
    code = {1: "B", 2: "H", 4: "I", 8: "Q"}[width]
    return data[:at] + struct.pack(f"={code}", value & ((1 << 8 * width) - 1)) + data[at + width :]


def number(data: bytes, at: int, width: int) -> int:
    return int.from_bytes(data[at : at + width], sys.byteorder)


class Positions:
    """Where the numbers of a built file stand."""

    def __init__(self, *, wide: bool) -> None:
        self.word = 8 if wide else 4
        self.segments_at, self.sections_at = (32, 40) if wide else (28, 32)
        self.segment_size, self.segments, self.section_size, self.sections, self.names = (
            range(54, 64, 2) if wide else range(42, 52, 2)
        )
        header = 64 if wide else 52
        self.offset, self.filesz, self.memsz = (
            (header + 8, header + 32, header + 40) if wide else (header + 4, header + 16, header + 20)
        )

    def section(self, data: bytes, index: int) -> int:
        return number(data, self.sections_at, self.word) + index * (64 if self.word == 8 else 40)

    def content(self, data: bytes, index: int) -> tuple[int, int]:
        """Where offset and size of a section stand."""
        section = self.section(data, index)
        return (section + 24, section + 32) if self.word == 8 else (section + 16, section + 20)


@pytest.mark.parametrize("wide", CLASSES)
def test_well_formed(wide: bool) -> None:
    assert check(here(wide=wide)) == []
    assert check(here(wide=wide) + b"more") == []


@pytest.mark.parametrize("wide", CLASSES)
def test_the_other_byte_order_is_refused(wide: bool) -> None:
    """The kernel assumes its own (rproc_elf_sanity_check)."""
    with pytest.raises(Failure, match=f"another byte order than this machine's, {sys.byteorder}"):
        check(build_elf(wide=wide, big=not BIG_HERE))


@pytest.mark.parametrize("wide", CLASSES)
@pytest.mark.parametrize("sections", [(), (".text",), (".resource_table.old",), ("resource_table",)])
def test_without_resource_table(wide: bool, sections: tuple[str, ...]) -> None:
    (warning,) = check(here(wide=wide, sections=sections))
    assert "no .resource_table" in warning


@pytest.mark.parametrize("wide", CLASSES)
def test_every_truncation(wide: bool) -> None:
    data = here(wide=wide)
    for length in range(len(data)):
        with pytest.raises(Failure, match=r"truncated|not an ELF"):
            check(data[:length])


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, b"\x7fELG", "not an ELF file"),
        (4, b"\x03", "unknown class"),
        (5, b"\x00", "another byte order"),
        (44, b"\x00\x00", "no program headers"),
        (44, b"\xff\xff", "its program headers would end at"),
        (28, b"\xff\xff\xff\xff", "its program headers would end at"),
        (32, b"\xff\xff\xff\xff", "its section table would end at"),
        (48, b"\xff\xff", "its section table would end at"),
        (50, b"\x04\x00", "the section header of its section names would end at"),
        (52 + 4, b"\xff\xff\xff\xff", "segment 0 would end at"),
        (52 + 16, b"\xff\xff\xff\x7f", "segment 0 has 2147483647 bytes in the file and 33 in memory"),
    ],
)
def test_malformed(at: int, value: bytes, message: str) -> None:
    data = here()
    with pytest.raises(Failure, match=message):
        check(data[:at] + value + data[at + len(value) :])


@pytest.mark.parametrize("wide", CLASSES)
def test_what_the_kernel_does_not_look_at(wide: bool) -> None:
    """Files of real tool chains that were once refused as truncated."""
    data, at = here(wide=wide), Positions(wide=wide)
    behind = len(data) + 100
    empty = with_number(with_number(data, at.memsz, at.word, 0), at.filesz, at.word, 0)
    assert check(with_number(empty, at.offset, at.word, behind)) == []
    text_offset, text_size = at.content(data, 1)
    assert check(with_number(data, text_offset, at.word, behind)) == []
    assert check(with_number(data, text_size, at.word, -1)) == []
    assert check(with_number(data, at.segment_size, 2, 33)) == []
    assert check(with_number(data, at.section_size, 2, 0)) == []


@pytest.mark.parametrize("wide", CLASSES)
def test_a_resource_table_that_the_kernel_does_not_take(wide: bool) -> None:
    """Whether it is missing or damaged: to the driver it is the same, and some go on without."""
    data, at = here(wide=wide), Positions(wide=wide)
    offset_at, size_at = at.content(data, 2)
    table = number(data, offset_at, at.word)
    for changed, words in (
        (with_number(data, offset_at, at.word, len(data)), "is truncated"),
        (with_number(data, size_at, at.word, -1), "is truncated"),
        (with_number(data, size_at, at.word, 15), "15 bytes, too few for its header"),
        (with_number(data, table, 4, 2), "the version 2, not 1"),
        (with_number(data, table, 4, 0), "the version 0, not 1"),
        (with_number(data, table + 4, 4, 1), "too few for 1 entries"),
        (with_number(data, table + 8, 4, 1), "reserved words"),
        (with_number(data, table + 12, 4, 1), "reserved words"),
    ):
        (warning,) = check(changed)
        assert words in warning


@pytest.mark.parametrize("wide", CLASSES)
def test_a_name_that_is_cut_by_the_end(wide: bool) -> None:
    """The kernel would compare on behind it; where the names differ before, it would not."""
    data, at = here(wide=wide), Positions(wide=wide)
    start = number(data, at.content(data, 3)[0], at.word)
    named_last = with_number(data, at.section(data, 1), 4, len(data) - start)
    for name in (b"", b".", b".resource_table"):
        with pytest.raises(Failure, match="a section's name would end at"):
            check(named_last + name)
    assert check(named_last + b".text") == []
    assert check(named_last + b".resource_table\0") != []


def refusal(data: bytes) -> str:
    with pytest.raises(Failure) as raised:
        check(data)
    return raised.value.message


def truncated(what: str, end: int, data: bytes) -> str:
    return f"the firmware is truncated: {what} would end at {end}, the file at {len(data)}"


@pytest.mark.parametrize("wide", CLASSES)
def test_a_truncated_file_is_told_with_the_end_it_lacks(wide: bool) -> None:
    """Each number is right: a person compares them with those of readelf."""
    data, at = here(wide=wide), Positions(wide=wide)
    header, segment, section = (64, 56, 64) if wide else (52, 32, 40)
    segments_at, sections_at = number(data, at.segments_at, at.word), number(data, at.sections_at, at.word)
    assert refusal(data[:10]) == truncated("its first 16 bytes", 16, data[:10])
    assert refusal(data[:20]) == truncated("its ELF header", header, data[:20])
    for many in (300, 301):
        more = with_number(data, at.sections, 2, many)
        assert refusal(more) == truncated("its section table", sections_at + many * section, more)
        more = with_number(data, at.names, 2, many)
        what = "the section header of its section names"
        assert refusal(more) == truncated(what, sections_at + (many + 1) * section, more)
        more = with_number(data, at.segments, 2, many)
        assert refusal(more) == truncated("its program headers", segments_at + many * segment, more)
        more = with_number(data, at.offset, at.word, len(data) + many)
        assert refusal(more) == truncated("segment 0", len(data) + many + number(data, at.filesz, at.word), more)


@pytest.mark.parametrize("wide", CLASSES)
@pytest.mark.parametrize("padding", [0, 1])
def test_a_name_behind_the_end_is_told_with_its_place(wide: bool, padding: int) -> None:
    data, at = here(wide=wide) + bytes(padding), Positions(wide=wide)
    start = number(data, at.content(data, 3)[0], at.word)
    named_last = with_number(data, at.section(data, 1), 4, len(data) - start)
    assert refusal(named_last) == truncated("a section's name", len(data) + 1, named_last)
    cut = named_last + b".res"
    assert refusal(cut) == truncated("a section's name", len(data) + len(b".resource_table\0"), cut)


@pytest.mark.parametrize("wide", CLASSES)
def test_memory_that_is_not_in_the_file(wide: bool) -> None:
    """As .bss: it may be larger in memory, and not smaller."""
    data, at = here(wide=wide), Positions(wide=wide)
    size = number(data, at.filesz, at.word)
    assert check(with_number(data, at.memsz, at.word, size + 1000)) == []
    message = f"the firmware's segment 0 has {size} bytes in the file and {size - 1} in memory"
    assert refusal(with_number(data, at.memsz, at.word, size - 1)) == message


@pytest.mark.parametrize("wide", CLASSES)
@pytest.mark.parametrize("kind", [0, 2, 1000])
def test_a_segment_that_is_not_loaded_is_passed_over(wide: bool, kind: int) -> None:
    """And the next one is not."""
    data, at = here(wide=wide), Positions(wide=wide)
    segments_at = number(data, at.segments_at, at.word)
    segment = data[segments_at : segments_at + (56 if wide else 32)]
    wrong = with_number(data, at.offset, at.word, -1)[segments_at : segments_at + len(segment)]
    passed_over = with_number(wrong, 0, 4, kind)
    moved = with_number(with_number(data, at.segments_at, at.word, len(data)), at.segments, 2, 2)
    assert check(moved + passed_over + segment) == []
    assert "segment 1 would end at" in refusal(moved + passed_over + wrong)


@pytest.mark.parametrize("wide", CLASSES)
def test_the_size_of_a_resource_table(wide: bool) -> None:
    """It ends with the file here. It may have more room than its entries take."""
    data, at = here(wide=wide), Positions(wide=wide)
    offset_at, size_at = at.content(data, 2)

    def with_table(entries: int, size: int) -> bytes:
        placed = with_number(with_number(data, offset_at, at.word, len(data)), size_at, at.word, size)
        return placed + struct.pack("=IIII", 1, entries, 0, 0) + bytes(size - 16)

    for entries, least in ((0, 16), (1, 20), (3, 28), (7, 44)):
        for more in (0, 1, 50):
            assert check(with_table(entries, least + more)) == []
    for entries, size in ((1, 19), (3, 27), (7, 43)):
        (warning,) = check(with_table(entries, size))
        assert f"has {size} bytes, too few for {entries} entries:" in warning
    (warning,) = check(with_table(3, 28)[:-1])
    assert f"is truncated: it would end at {len(data) + 28}:" in warning


def test_what_is_no_elf_is_told_with_what_it_is() -> None:
    assert refusal(b"plain words, and more of them") == "the firmware is not an ELF file"
    assert refusal(b"\x1f\x8b\x08" + bytes(20)) == "the firmware is not an ELF file, it is a gzip file"
    with pytest.raises(Failure, match=r"set the annotation remoteproc\.format=raw"):
        check(b"plain words, and more of them")
    with pytest.raises(Failure, match=r"\(unpack it with gunzip\)"):
        check(b"\x1f\x8b\x08" + bytes(20))


def test_a_file_that_shrinks_while_it_is_read() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(here())
        file.flush()
        elf = ElfFile(file.fileno())
        file.truncate(60)
        with pytest.raises(Failure, match="became shorter while it was read: its program headers is not there"):
            elf.check_segments()


def test_without_section_table() -> None:
    assert "no .resource_table" in check(with_number(here(), 48, 2, 0))[0]


def test_names_that_claim_the_whole_file() -> None:
    """A table of names as large as the file, used by many sections, costs no more than any other."""
    data = bytearray(here(sections=tuple(f".s{number}" for number in range(2000))))
    data += bytes(50_000_000)
    table = int.from_bytes(data[32:36], sys.byteorder)
    names = table + 2001 * 40
    data[names + 20 : names + 24] = (len(data) - int.from_bytes(data[names + 16 : names + 20], sys.byteorder)).to_bytes(
        4, sys.byteorder
    )
    assert "no .resource_table" in check(bytes(data))[0]


NUMBERS = st.integers(-4, 4) | st.sampled_from((-1, 16, 1 << 16, 1 << 32, 1 << 63)) | st.integers(0, 600)
CHANGE = st.tuples(st.integers(0, 70), st.sampled_from((1, 2, 4, 8)), NUMBERS)


def mutated(wide: bool, changes: list[tuple[int, int, int]], length: int | None) -> bytes:
    """A built file with numbers of its headers changed; 0 to 63 mean bytes from the start, the rest the tables."""
    data = here(wide=wide)
    at = Positions(wide=wide)
    places = [*range(64), at.offset, at.filesz, at.memsz, *at.content(data, 1), *at.content(data, 2)]
    for place, width, value in changes:
        data = with_number(data, places[place], width, value)
    return data[:length]


@given(st.booleans(), st.lists(CHANGE, max_size=4), st.none() | st.integers(0, 600))
@example(True, [(66, 8, 0), (64, 8, -1)], None)
@example(True, [(64, 8, -8), (65, 8, 8)], None)
@example(False, [(65, 4, 8), (66, 4, 7)], None)
@example(False, [(67, 4, -1)], None)
@example(False, [(69, 4, -1)], None)
def test_the_rule_is_the_kernels(wide: bool, changes: list[tuple[int, int, int]], length: int | None) -> None:
    """Taken with and without a warning, and refused also where the kernel would read behind the end."""
    data = mutated(wide, changes, length)
    expected = verdict(data)
    outcome = attempt(lambda: check(data), Failure)
    if expected in (TAKEN, NO_TABLE):
        assert not isinstance(outcome, Failure), outcome
        assert bool(outcome) == (expected == NO_TABLE)
    else:
        assert isinstance(outcome, Failure), expected


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    for start in (b"", b"\x7fELF\x01\x01", b"\x7fELF\x02\x02"):
        with pytest.raises(Failure):
            check(start + data)
