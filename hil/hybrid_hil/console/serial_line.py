"""Serial lines: a socket of QEMU's, or whatever pyserial opens by a URL."""

import socket
from typing import Protocol

import serial

from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError

CHUNK = 65536
BAUD = 115200
LOOK_AGAIN_S = 0.2
BETWEEN_ATTEMPTS_S = 0.2


class SerialLine(Protocol):
    """One connected serial line; one thread receives, any may send."""

    def receive(self) -> bytes:
        """Waits for bytes; none at all means that the line has ended."""

    def send(self, data: bytes) -> None:
        """Sends all of it. Raises OSError."""

    def hang_up(self) -> None:
        """Makes a `receive` under way in another thread return; that thread is joined before `close`."""

    def close(self) -> None: ...


class SocketLine:
    """A line over a connected socket, which it owns."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def receive(self) -> bytes:
        try:
            return self._socket.recv(CHUNK)
        except OSError:
            return b""

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def hang_up(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def close(self) -> None:
        self._socket.close()


class PortLine:
    """A line of pyserial's: a device, `socket://HOST:PORT`, `rfc2217://HOST:PORT`, …"""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        self._hung_up = False

    def receive(self) -> bytes:
        """pyserial's ports have no common way to end a read from outside, so the read itself is short."""
        while not self._hung_up:
            try:
                data: bytes = self._port.read(max(1, self._port.in_waiting))
            except (OSError, TypeError):  # TypeError: pyserial's, when its descriptor goes under a read
                return b""
            if data:
                return data
        return b""

    def send(self, data: bytes) -> None:
        self._port.write(data)

    def hang_up(self) -> None:
        self._hung_up = True

    def close(self) -> None:
        self._port.close()


def open_line(url: str, baud: int, deadline: Deadline) -> PortLine:
    """Opens a serial line, again and again until the deadline: a board that has just got power may bring its
    serial adapter with it.

    Raises:
        RigError: it cannot be opened.
    """
    cause = "no attempt was made"
    for _ in deadline.ticks(BETWEEN_ATTEMPTS_S):
        try:
            return PortLine(serial.serial_for_url(url, baudrate=baud, timeout=LOOK_AGAIN_S, exclusive=_exclusive(url)))
        except ValueError as error:
            raise RigError(f"`{url}` is no serial line: {error}", "give a device, socket://… or rfc2217://…") from error
        except OSError as error:
            cause = str(error)
    remedy = "see that it is plugged in, that no other program holds it, and that you may open it"
    raise RigError(f"the serial line `{url}` does not open: {cause}", remedy)


def _exclusive(url: str) -> bool | None:
    """Two readers of one device would each get half; URL handlers know no such option."""
    return None if "://" in url else True
