"""The control socket: how start reaches the supervisor and hears its answer.

A request and its answer are one JSON object each, in one packet. The socket lies in the container's private
folder and is reached through a descriptor of that folder, since socket addresses end at 107 bytes.
"""

import posix as os

from hybrid_runtime.container.store import CONTROL_SOCKET
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.json_text import BadJSON, read_object, write
from hybrid_runtime.system.system_calls import accept_descriptor, adopt_socket, packet_socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hybrid_runtime.system.system_calls import Socket

LARGEST_PACKET = 16 * 1024
# Silent clients are forgotten, the oldest first.
MOST_CONNECTIONS = 128


def _address(folder: str) -> tuple[int, str]:
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    return descriptor, f"/proc/self/fd/{descriptor}/{CONTROL_SOCKET}"


def listen(folder: str) -> "Socket":
    """Made before the fork, so that no start can come too early."""
    descriptor, address = _address(folder)
    try:
        listener = packet_socket()
        # Before it has a name, which gets this mode then (unix_bind_bsd of net/unix/af_unix.c).
        os.fchmod(listener.fileno(), 0o600)
        listener.bind(address)
        listener.listen(64)
        listener.setblocking(False)
        return listener
    finally:
        os.close(descriptor)


def ask(folder: str, verb: str, deadline: Deadline) -> dict[str, object] | None:
    """The supervisor's answer; None when it is gone or does not answer in time."""
    descriptor, address = _address(folder)
    connection = packet_socket()
    try:
        connection.settimeout(deadline.remaining() or 0.001)
        _connect(connection, address, deadline)
        connection.send(write({"verb": verb}).encode())
        answer = connection.recv(LARGEST_PACKET)
        return read_object(answer)
    except (OSError, BadJSON):
        return None
    finally:
        connection.close()
        os.close(descriptor)


def _connect(connection: "Socket", address: str, deadline: Deadline) -> None:
    """Raises OSError. A supervisor that is busy while many ask has a full queue for a while (unix_stream_connect)."""
    while True:
        try:
            connection.connect(address)
        except BlockingIOError:
            if not deadline.look_again():
                raise
        else:
            return


class ControlServer:
    """The supervisor's side. Never blocks: who sends nothing is not waited for."""

    def __init__(self, listener: "Socket") -> None:
        self.listener = listener
        self.connections: dict[int, Socket] = {}

    def descriptors(self) -> list[int]:
        return [self.listener.fileno(), *self.connections]

    def receive(self, descriptor: int) -> str | None:
        """The verb of a request on a readable descriptor; None when there is none yet."""
        if descriptor == self.listener.fileno():
            self._accept()
            return None
        if descriptor not in self.connections:
            return None
        try:
            data = self.connections[descriptor].recv(LARGEST_PACKET)
            verb = read_object(data).get("verb")
        except BlockingIOError:
            return None
        except (OSError, BadJSON):
            verb = None
        if isinstance(verb, str):
            return verb
        self._drop(descriptor)
        return None

    def _accept(self) -> None:
        try:
            descriptor = accept_descriptor(self.listener)
        except OSError:
            return
        connection = adopt_socket(descriptor)
        connection.setblocking(False)
        self.connections[descriptor] = connection
        if len(self.connections) > MOST_CONNECTIONS:
            self._drop(next(iter(self.connections)))

    def answer(self, descriptor: int, values: dict[str, object]) -> None:
        """To whoever asked; gone by now or not. More than a packet holds is cut from the list of kernel lines."""
        packet = write(values).encode()
        lines = values.get("kernel")
        while len(packet) > LARGEST_PACKET and isinstance(lines, list) and lines:
            lines = lines[1:]
            packet = write({**values, "kernel": lines}).encode()
        try:
            self.connections[descriptor].send(packet)
        except OSError:
            pass
        self._drop(descriptor)

    def _drop(self, descriptor: int) -> None:
        self.connections.pop(descriptor).close()
