"""A socket or port of the board, at hand on this machine: each connection becomes a session of its own over SSH.

dropbear forwards no local sockets before 2022.83 and none where it is built small, so a relay on the board does.
"""

import contextlib
import shlex
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko

from hybrid_hil.deadline import Deadline
from hybrid_hil.shell import Shell

CONNECT_S = 30.0
CLOSE_S = 5.0
CHUNK = 32768
_RELAY = """
import os, select, socket, sys
if sys.argv[1].isdigit():
    far = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
else:
    far = socket.socket(socket.AF_UNIX)
    far.connect(sys.argv[1])
near = [0, far.fileno()]
while True:
    for ready in select.select(near, [], [])[0]:
        data = os.read(ready, 65536)
        if ready == 0 and data:
            far.sendall(data)
        elif ready == 0:
            near.remove(0)
            far.shutdown(socket.SHUT_WR)
        elif not data:
            # The session stays until our side has ended as well: a message for one that is gone ends the connection.
            os.close(1)
            os.close(2)
            while os.read(0, 65536):
                pass
            os._exit(0)
        while ready != 0 and data:
            data = data[os.write(1, data):]
"""


@contextlib.contextmanager
def forwarded_socket(shell: Shell, remote: str) -> Iterator[Path]:
    """The path of a socket here that leads to the board's socket `remote`; it is gone afterwards, with every
    connection through it."""
    with tempfile.TemporaryDirectory(prefix="hybrid-hil-socket-") as folder, socket.socket(socket.AF_UNIX) as listener:
        local = Path(folder, "socket")
        listener.bind(str(local))
        with _served(shell, remote, listener):
            yield local


@contextlib.contextmanager
def forwarded_port(shell: Shell, remote: int, local: tuple[str, int]) -> Iterator[None]:
    """The address `local` of this machine leads to the board's own port `remote` meanwhile."""
    with socket.create_server(local) as listener, _served(shell, str(remote), listener):
        yield


@contextlib.contextmanager
def _served(shell: Shell, remote: str, listener: socket.socket) -> Iterator[None]:
    """Connections to the listener are carried to the board's end `remote`."""
    with contextlib.ExitStack() as connections:
        listener.listen()
        acceptor = threading.Thread(target=_accept, args=[shell, remote, listener, connections], daemon=True)
        acceptor.start()
        try:
            yield
        finally:
            # Closing alone does not wake accept(2).
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()


def _accept(shell: Shell, remote: str, listener: socket.socket, connections: contextlib.ExitStack) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        channel = shell.open_channel(Deadline(CONNECT_S))
        channel.exec_command(shlex.join(["python3", "-c", _RELAY, remote]))
        connection = threading.Thread(target=_carry, args=[near, channel], daemon=True)
        connection.start()
        connections.callback(_end, near, connection)


def _carry(near: socket.socket, channel: paramiko.Channel) -> None:
    """Both ways, until both ends have closed; the session is closed by one thread only."""
    sender = threading.Thread(target=_send, args=[near, channel], daemon=True)
    sender.start()
    _receive(near, channel)
    sender.join()
    channel.close()
    near.close()


def _end(near: socket.socket, connection: threading.Thread) -> None:
    with contextlib.suppress(OSError):
        near.shutdown(socket.SHUT_RDWR)
    connection.join(CLOSE_S)


def _send(near: socket.socket, channel: paramiko.Channel) -> None:
    with contextlib.suppress(OSError):
        while data := near.recv(CHUNK):
            channel.sendall(data)
        channel.shutdown_write()


def _receive(near: socket.socket, channel: paramiko.Channel) -> None:
    with contextlib.suppress(OSError):
        while data := channel.recv(CHUNK):
            near.sendall(data)
        near.shutdown(socket.SHUT_RDWR)
