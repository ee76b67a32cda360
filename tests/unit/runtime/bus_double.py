"""A double of the system's message bus, with a systemd behind it that can do one thing."""

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from hybrid_runtime.system.message_bus import Marshaller

RETURN, ERROR, SIGNAL = 2, 3, 4
REPLY_SERIAL, ERROR_NAME = 5, 4
Answer = Callable[[int], bytes]


def message(kind: int, serial: int, *, error: str = "", text: str = "", signature: bool = True) -> bytes:
    """An answer to the call of that serial number, with a text as its body."""
    body = Marshaller().text(text).data if text else bytearray()
    fields = Marshaller()
    fields.align(8).data.append(REPLY_SERIAL)
    fields.variant("u", serial)
    if text and signature:
        fields.align(8).data.append(8)
        fields.variant("g", "s")
    if error:
        fields.align(8).data.append(ERROR_NAME)
        fields.variant("s", error)
    whole = Marshaller()
    whole.data += bytes([ord("l"), kind, 0, 1])
    whole.number(len(body)).number(1).array(fields).align(8).data += body
    return bytes(whole.data)


class BusDouble:
    """Answers Hello, and each later call with the next of `answers`; hangs up instead of an empty one. `calls` has what
    came."""

    def __init__(self, path: Path, *answers: Answer, greeting: bytes = b"OK 1234\r\n") -> None:
        self.calls: list[bytes] = []
        self._answers = [lambda serial: message(RETURN, serial, text=":1.7"), *answers]
        self._greeting = greeting
        self._listener = socket.socket(socket.AF_UNIX)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            # One that was cut off in the middle is over, too.
            with connection, contextlib.suppress(ConnectionResetError):
                self._speak(connection)

    def _speak(self, connection: socket.socket) -> None:
        stream = connection.makefile("rwb")
        assert stream.readline().startswith(b"\0AUTH EXTERNAL 30")
        stream.write(self._greeting)
        stream.flush()
        if stream.readline() != b"BEGIN\r\n":
            return
        while header := stream.read(16):
            body, serial, fields = (int.from_bytes(header[at : at + 4], "little") for at in (4, 8, 12))
            self.calls.append(header + stream.read(fields + -fields % 8 + body))
            answer = self._answers.pop(0)(serial) if self._answers else b""
            if not answer:
                return
            stream.write(answer)
            stream.flush()
