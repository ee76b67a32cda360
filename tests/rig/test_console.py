"""A console under everything a serial line can do, on a socket pair."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid_hil.board_health import BoardHealth
from hybrid_hil.console import Console, ConsoleError
from hybrid_hil.console.serial_line import SocketLine
from hybrid_hil.deadline import Deadline

ENDS = (b"\n", b"\r\n", b"\r\r\n")
PANIC = b"[    1.234567] Kernel panic - not syncing: Attempted to kill init!\r\n"


class Wire:
    """The board's end of a console."""

    def __init__(self, log: Path) -> None:
        self.health = BoardHealth()
        self.console = Console("console", self.health, log=log, watched=True)
        self.board, rig = socket.socketpair()
        self.console.attach(SocketLine(rig))

    def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.board.sendall(piece)

    def close(self) -> None:
        self.board.close()
        self.console.close()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Wire]:
    serial = Wire(tmp_path / "console.log")
    yield serial
    serial.close()


def test_what_is_expected_may_come_in_pieces_amid_noise(line: Wire) -> None:
    line.say(b"\xff\xfe\x00garbage\x1b[6n", b"\r\nno", b"nce=ab", b"12\r", b"\nmore")
    assert line.console.expect(r"^nonce=(\w+)$", Deadline(5))[1] == "ab12"


def test_half_a_line_does_not_match(line: Wire) -> None:
    line.say(b"nonce=ab")
    with pytest.raises(ConsoleError, match="did not show"):
        line.console.expect(r"nonce=(\w+)", Deadline(0.3))
    line.say(b"12\n")
    assert line.console.expect(r"nonce=(\w+)", Deadline(5))[1] == "ab12"


def test_a_prompt_is_half_a_line_and_can_be_asked_for(line: Wire) -> None:
    line.say(b"hybrid-board:~# ")
    assert line.console.expect(r"^hybrid-board:~# $", Deadline(5), partial=True)


def test_one_expectation_takes_nothing_from_the_next(line: Wire) -> None:
    line.say(b"one\ntwo\n")
    assert line.console.expect("^two$", Deadline(5))
    assert line.console.expect("^one$", Deadline(5))


def test_a_mark_hides_what_was_before(line: Wire) -> None:
    line.say(b"again\n")
    line.console.expect("^again$", Deadline(5))
    mark = line.console.mark()
    with pytest.raises(ConsoleError):
        line.console.expect("^again$", Deadline(0.2), since=mark)
    line.say(b"again\n")
    assert line.console.expect("^again$", Deadline(5), since=mark)


def test_a_late_line_names_pattern_tail_and_log(line: Wire) -> None:
    line.say(b"something\r\nelse\r\n")
    line.console.expect("^else$", Deadline(5))
    with pytest.raises(ConsoleError) as caught:
        line.console.expect("the answer", Deadline(0.2))
    text = str(caught.value)
    assert "`console` did not show `the answer` in 0.2 s" in text
    assert "| something\n  | else" in text
    assert str(line.console.log) in text
    assert caught.value.ended is None


def test_a_panic_ends_a_wait_at_once(line: Wire) -> None:
    threading.Timer(0.2, line.say, [PANIC]).start()
    begun = time.monotonic()
    with pytest.raises(ConsoleError) as caught:
        line.console.expect("never", Deadline(30))
    assert time.monotonic() - begun < 5
    assert caught.value.ended == "Kernel panic - not syncing: Attempted to kill init!"


def test_what_was_said_before_a_panic_can_still_be_found(line: Wire) -> None:
    line.say(b"good news\r\n", PANIC)
    assert line.health.wait(5)
    assert line.console.expect("good news", Deadline(5))


def test_a_megabyte_nobody_reads_stalls_nobody_and_loses_no_line(line: Wire) -> None:
    count = 50_000
    block = b"".join(b"line %06d of a flood\r\n" % number for number in range(count))
    assert len(block) > 1_000_000
    writer = threading.Thread(target=line.say, args=[block])
    writer.start()
    writer.join(20)
    assert not writer.is_alive()
    line.console.expect(rf"^line {count - 1:06d} of a flood$", Deadline(20))
    assert [said.text for said in line.console.lines()] == [f"line {number:06d} of a flood" for number in range(count)]
    assert line.console.log is not None
    assert len(line.console.log.read_text().splitlines()) == count


# What is no line end, so that a line of its own stays one.
NOISE = st.binary(max_size=300).map(lambda data: data.replace(b"\n", b"\r").replace(b"\r", b"\x00"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.lists(NOISE, max_size=8), cuts=st.lists(st.integers(1, 60), max_size=30), ending=st.sampled_from(ENDS))
def test_a_line_amid_any_noise_is_found_and_nothing_of_it_is_lost(
    tmp_path: Path, noise: list[bytes], cuts: list[int], ending: bytes
) -> None:
    """However the bytes are cut up on their way; noise neither ends the board nor hides what was said."""
    wire = Wire(tmp_path / "console.log")
    said = b"".join(piece + ending for piece in noise)
    rest = said + b"nonce=0123456789abcdef" + ending
    for cut in cuts:
        wire.say(rest[:cut])
        rest = rest[cut:]
    wire.say(rest)
    try:
        assert wire.console.expect(r"^nonce=(\w+)$", Deadline(5))[1] == "0123456789abcdef"
        assert wire.health.cause is None
        texts = [line.text for line in wire.console.lines()]
        assert texts == [*(piece.decode(errors="replace") for piece in noise), "nonce=0123456789abcdef"]
        assert all(
            character.isprintable() or character in "\t" for character in wire.console.tail(20).replace("\n", "")
        )
    finally:
        wire.close()


@pytest.mark.parametrize("cut", range(1, len(PANIC)))
def test_a_panic_in_two_pieces_ends_a_wait(line: Wire, cut: int) -> None:
    """At whichever byte the line is torn."""
    line.say(b"\xff\x00half a line", b"\r\n", PANIC[:cut])
    assert line.health.cause is None
    line.say(PANIC[cut:])
    assert line.health.wait(5)
    assert line.health.cause == "Kernel panic - not syncing: Attempted to kill init!"


def test_a_megabyte_without_a_line_end_stalls_nobody(line: Wire) -> None:
    """A board that lost its baud rate: one endless half line, which is neither a match nor an alarm."""
    endless = bytes(range(32, 127)) * 11_000
    assert len(endless) > 1_000_000
    writer = threading.Thread(target=line.say, args=[endless])
    begun = time.monotonic()
    writer.start()
    writer.join(20)
    assert not writer.is_alive()
    with pytest.raises(ConsoleError, match="did not show"):
        line.console.expect("never", Deadline(0.3))
    line.say(b"\nat last\n")
    assert line.console.expect("^at last$", Deadline(20))
    assert time.monotonic() - begun < 20
    assert len(line.console.text()) == len(endless) + len("\nat last\n")


def test_typing_reaches_the_board_until_the_line_is_gone(line: Wire) -> None:
    line.console.send(b"uname\r")
    assert line.board.recv(100) == b"uname\r"
    line.console.detach()
    with pytest.raises(ConsoleError, match="not attached"):
        line.console.send(b"x")


def test_the_record_goes_on_over_a_power_cycle(line: Wire) -> None:
    line.say(b"first life\n")
    line.console.expect("first life", Deadline(5))
    mark = line.console.mark()
    board, rig = socket.socketpair()
    with board:
        line.console.attach(SocketLine(rig))
        board.sendall(b"second life\n")
        line.console.expect("second life", Deadline(5), since=mark)
        assert line.console.text() == "second life\n"
        assert line.console.text(since=0) == "first life\nsecond life\n"
        line.console.detach()
