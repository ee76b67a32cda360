"""Ports of this machine that nobody listens on, as far as can be told."""

import socket
from contextlib import closing


def free_ports(count: int) -> list[int]:
    """Ports nobody has now. A board on a stand keeps its own over power cycles, so the kernel cannot choose later."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        with closing(listener):
            pass
    return ports
