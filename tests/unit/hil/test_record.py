"""What a console's record keeps, however the bytes arrive."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_hil.console.record import NewlineFilter, Record, printable


def texts(record: Record, since: int = 0) -> list[str]:
    return [line.text for line in record.lines(since)]


def test_half_lines_become_one() -> None:
    record = Record()
    assert record.append(b"half a ") == []
    assert [line.text for line in record.append(b"line\r\nand the next")] == ["half a line"]
    assert texts(record) == ["half a line", "and the next"]


def test_a_line_end_cut_in_two_is_one() -> None:
    record = Record()
    record.append(b"one\r")
    record.append(b"\ntwo\r\r\nthree")
    assert texts(record) == ["one", "two", "three"]


def test_a_lone_carriage_return_stays() -> None:
    record = Record()
    record.append(b"10%\r")
    record.append(b"20%\n")
    assert texts(record) == ["10%\r20%"]


def test_a_stamp_is_the_arrival_of_the_first_byte() -> None:
    record = Record()
    record.append(b"a")
    (first,) = record.lines()
    record.append(b"b\nc\n")
    lines = record.lines()
    assert lines[0].text == "ab"
    assert lines[0].monotonic == first.monotonic
    assert lines[1].monotonic >= lines[0].monotonic


def test_lines_since_a_mark_in_the_middle_of_one() -> None:
    record = Record()
    record.append(b"before\nin the mid")
    mark = record.position
    record.append(b"dle\nafter\n")
    assert texts(record, mark) == ["dle", "after"]
    assert record.read(mark) == b"dle\nafter\n"


def test_whole_lines_only() -> None:
    record = Record()
    record.append(b"nonce=abcd\nnonce=12")
    assert record.read(whole_lines=True) == b"nonce=abcd\n"
    assert record.read() == b"nonce=abcd\nnonce=12"


def test_binary_noise_is_kept_and_shown_harmlessly(tmp_path: Path) -> None:
    record = Record(tmp_path / "log")
    record.append(b"\x00\xff\x1b[2Jnoise\nclean\nunfinished")
    record.close()
    assert record.read().startswith(b"\x00\xff\x1b[2J")
    written = (tmp_path / "log").read_text()
    assert "\x1b" not in written
    assert "\\x1b[2Jnoise" in written
    assert [line.split(maxsplit=2)[2] for line in written.splitlines()[1:]] == ["clean", "unfinished"]


def test_printable_spells_control_characters_only() -> None:
    assert printable("tab\tand ünïcode") == "tab\tand ünïcode"
    assert printable("bell\a") == "bell\\x07"


# A busy host is no failure.
@settings(deadline=None)
@given(st.binary(max_size=200), st.lists(st.integers(1, 40), max_size=20))
def test_no_way_of_cutting_changes_the_lines(data: bytes, cuts: list[int]) -> None:
    whole, pieces = Record(), Record()
    whole.append(data)
    rest = data
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    pieces.append(rest)
    assert pieces.read() == whole.read()
    assert texts(pieces) == texts(whole)


@settings(deadline=None)
@given(st.lists(st.text(alphabet="ab\t", max_size=5), max_size=10))
def test_every_line_end_is_one_line_feed(lines: list[str]) -> None:
    raw = "".join(f"{line}\r\n" for line in lines).encode()
    assert NewlineFilter().feed(raw) == "".join(f"{line}\n" for line in lines).encode()
