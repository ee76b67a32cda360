"""What a witness takes for proof, on a console with a real line."""

import socket
import threading
from collections.abc import Iterator

import pytest

from hybrid_hil.board_health import BoardHealth
from hybrid_hil.console import Console, Line
from hybrid_hil.console.serial_line import SocketLine
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import UnprovenError, Witness

FIRMWARE = BuiltFirmware("/x.elf", "heartbeat", 0, "10000.r5f", "ab12", "core0")
OURS = b"core0 heartbeat boot=1 nonce=ab12\n"
ANOTHER_S = b"core0 heartbeat boot=7 nonce=cd34\n"
NO_MORE_S = 0.3
HEARD_S = 10.0


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends: the rig's, and the core's."""
    near, far = socket.socketpair()
    with near, far:
        yield near, far


def attached(line: tuple[socket.socket, socket.socket]) -> tuple[Console, socket.socket]:
    console = Console("core console", BoardHealth())
    console.attach(SocketLine(line[0]))
    return console, line[1]


def said(console: Console, far: socket.socket, text: bytes) -> None:
    far.sendall(text)
    console.expect(text.decode().strip(), Deadline(HEARD_S))


def test_the_nonce_of_this_firmware_is_a_start(line: tuple[socket.socket, socket.socket]) -> None:
    console, far = attached(line)
    far.sendall(ANOTHER_S + OURS)
    start = Witness(console).started(FIRMWARE, Deadline(HEARD_S))
    assert (start.boot, start.nonce) == (1, "ab12")
    console.close()


def test_the_nonce_of_another_firmware_proves_nothing(line: tuple[socket.socket, socket.socket]) -> None:
    console, far = attached(line)
    said(console, far, ANOTHER_S)
    with pytest.raises(UnprovenError, match="nonce on the core's console") as caught:
        Witness(console).started(FIRMWARE, Deadline(NO_MORE_S))
    assert caught.value.check == "nonce on the core's console"
    console.close()


def test_the_nonce_of_another_firmware_ends_no_wait(line: tuple[socket.socket, socket.socket]) -> None:
    """As after a restart with something else: what is waited for may still come."""
    console, far = attached(line)
    said(console, far, ANOTHER_S)
    later = threading.Timer(NO_MORE_S, far.sendall, args=[OURS])
    later.start()
    try:
        assert Witness(console).started(FIRMWARE, Deadline(HEARD_S)).nonce == "ab12"
    finally:
        later.join()
        console.close()


@pytest.mark.parametrize("text", [ANOTHER_S, b""], ids=["another's", "none"])
def test_a_nonce_that_is_there_no_more_proves_nothing(
    line: tuple[socket.socket, socket.socket], text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen, and gone by the time it is looked at closely: what remains is told, and is no proof."""
    console, far = attached(line)
    lines = console.lines

    def left(since: int | None) -> list[Line]:
        assert since is None
        return [one for one in lines(0) if one.text in text.decode()]

    monkeypatch.setattr(console, "lines", left)
    far.sendall(ANOTHER_S + OURS)
    expected = r"core0 said `cd34`, and not `ab12`" if text else r"core0 said none at all, and not `ab12`"
    with pytest.raises(UnprovenError, match=expected):
        Witness(console).started(FIRMWARE, Deadline(HEARD_S))
    console.close()


def test_a_core_that_is_heard_and_says_nothing_is_silent(line: tuple[socket.socket, socket.socket]) -> None:
    console, far = attached(line)
    said(console, far, OURS)
    assert Witness(console).silent(FIRMWARE) > 0
    console.close()


def test_a_core_that_goes_on_is_not_silent(line: tuple[socket.socket, socket.socket]) -> None:
    console, far = attached(line)
    over = threading.Event()

    def beat() -> None:
        number = 0
        while not over.wait(0.02):
            number += 1
            far.sendall(f"core0 beat={number}\n".encode())

    core = threading.Thread(target=beat)
    core.start()
    try:
        with pytest.raises(UnprovenError, match=r"core0 still says `core0 beat=\d+`"):
            Witness(console).silent(FIRMWARE)
    finally:
        over.set()
        core.join()
        console.close()


def test_a_console_that_was_never_attached_proves_no_silence() -> None:
    with pytest.raises(UnprovenError, match="nobody is heard"):
        Witness(Console("core console", BoardHealth())).silent(FIRMWARE)


def test_a_line_whose_far_end_is_gone_proves_no_silence(line: tuple[socket.socket, socket.socket]) -> None:
    console, far = attached(line)
    far.shutdown(socket.SHUT_RDWR)
    console.drained(HEARD_S)
    with pytest.raises(UnprovenError, match="nobody is heard"):
        Witness(console).silent(FIRMWARE)
    console.close()


def test_a_line_that_was_let_go_of_proves_no_silence(line: tuple[socket.socket, socket.socket]) -> None:
    console, _ = attached(line)
    console.detach()
    with pytest.raises(UnprovenError, match="nobody is heard"):
        Witness(console).silent(FIRMWARE)


@pytest.mark.parametrize("comes_back", [False, True], ids=["for good", "for a while"])
def test_a_line_that_ends_while_silence_is_awaited(
    line: tuple[socket.socket, socket.socket], comes_back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that is there again at the end: nobody knows what was said meanwhile."""
    console, _ = attached(line)
    looks: list[bool] = []

    def wired(_: Console) -> bool:
        looks.append(len(looks) != 1 and (comes_back or not looks))
        return looks[-1]

    monkeypatch.setattr(Console, "wired", property(wired))
    with pytest.raises(UnprovenError, match="nobody is heard"):
        Witness(console).silent(FIRMWARE)
    console.close()
