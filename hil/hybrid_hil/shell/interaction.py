"""A person's terminal on a board: raw keys one way, raw bytes the other."""

import os
import select
import shutil
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import paramiko

LEAVE = b"\x1d"  # Ctrl-]
LOOK_AGAIN_S = 0.2
CHUNK = 4096


@contextmanager
def raw_terminal() -> Iterator[None]:
    """Passes every key on as it is typed; does nothing when standard input is no terminal."""
    descriptor = sys.stdin.fileno()
    if not os.isatty(descriptor):
        yield
        return
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def show(data: bytes) -> None:
    """Writes bytes to standard output as they are."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def type_into(send: Callable[[bytes], None], ended: Callable[[], bool]) -> None:
    """Sends what is typed until Ctrl-], the end of standard input, or `ended`."""
    descriptor = sys.stdin.fileno()
    with raw_terminal():
        while not ended():
            ready, _, _ = select.select([descriptor], [], [], LOOK_AGAIN_S)
            data = os.read(descriptor, CHUNK) if ready else None
            if data == b"" or (data is not None and LEAVE in data):
                return
            if data:
                send(data)


def request_terminal(channel: paramiko.Channel) -> None:
    """Asks the far end for a terminal like the person's."""
    size = shutil.get_terminal_size()
    channel.get_pty(os.environ.get("TERM", "vt100"), size.columns, size.lines)


def converse(channel: paramiko.Channel, *, terminal: bool) -> int:
    """Connects standard input, output and error with an SSH session until it ends; returns its exit status."""
    sources: list[int | paramiko.Channel] = [channel, sys.stdin.fileno()]
    with raw_terminal() if terminal else _cooked():
        while not _drained(channel):
            ready, _, _ = select.select(sources, [], [], LOOK_AGAIN_S)
            _show_output(channel)
            if sys.stdin.fileno() in ready:
                data = os.read(sys.stdin.fileno(), CHUNK)
                if data:
                    channel.sendall(data)
                else:
                    channel.shutdown_write()
                    sources.remove(sys.stdin.fileno())
    return channel.recv_exit_status()


def _drained(channel: paramiko.Channel) -> bool:
    return channel.exit_status_ready() and not channel.recv_ready() and not channel.recv_stderr_ready()


def _show_output(channel: paramiko.Channel) -> None:
    while channel.recv_ready():
        show(channel.recv(CHUNK))
    while channel.recv_stderr_ready():
        sys.stderr.buffer.write(channel.recv_stderr(CHUNK))
        sys.stderr.buffer.flush()


@contextmanager
def _cooked() -> Iterator[None]:
    """The terminal as it is."""
    yield
