"""A container's terminal (config.md, process.terminal): its output goes to a pseudo terminal whose other end the
engine gets over the socket it named, and Ctrl-C typed there is an orderly stop."""

import errno
import posix as os
from select import POLLHUP, poll

from hybrid_runtime.system.failure import failed
from hybrid_runtime.system.system_calls import send_descriptor, stream_socket

_ENGINE_SECONDS = 5.0


def open_terminal(console_socket: str, size: tuple[int, int]) -> None:
    """Makes it this session's terminal and descriptors 0 to 2. `size` is rows and columns. Raises Failure."""
    try:
        master, slave = os.openpty()
    except OSError as error:
        limits = {errno.ENOSPC: "close terminals, or raise sysctl kernel.pty.max"}
        raise failed("cannot open a terminal", error, "mount devpts on /dev/pts", limits) from error
    if any(size):
        _resize(slave, size)
    name = os.ttyname(slave)
    os.login_tty(slave)
    try:
        _send(master, name, console_socket)
    except OSError as error:
        raise failed(
            f"cannot send the terminal to --console-socket `{console_socket}`",
            error,
            "the engine listens there while create runs",
        ) from error
    finally:
        os.close(master)


def _send(master: int, name: str, console_socket: str) -> None:
    outer, _, socket_name = console_socket.rpartition("/")
    folder = os.open(outer or "/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    connection = stream_socket()
    try:
        connection.settimeout(_ENGINE_SECONDS)
        # Through the folder's descriptor, since socket addresses end at 107 bytes.
        connection.connect(f"/proc/self/fd/{folder}/{socket_name}")
        send_descriptor(connection, master, name.encode())
    finally:
        connection.close()
        os.close(folder)


def _resize(terminal: int, size: tuple[int, int]) -> None:
    from fcntl import ioctl
    from struct import pack
    from termios import TIOCSWINSZ

    ioctl(terminal, TIOCSWINSZ, pack("HHHH", *size, 0, 0))


def is_hung_up() -> bool:
    """Whether descriptor 0 is a terminal whose other end is gone."""
    looking = poll()
    looking.register(0, 0)
    return any(event & POLLHUP for _, event in looking.poll(0))
