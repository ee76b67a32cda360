"""Sockets, signals and functions of the C library without the public modules, whose enums cost more than a verb may.

Both public modules are thin wrappers of the C modules used here; where an interpreter lacks those, the
public ones serve.
"""

from posix import strerror
from sys import byteorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as signals
    from socket import socket as Socket
    from types import ModuleType
else:
    try:
        import _signal as signals
    except ImportError:
        import signal as signals

__all__ = ["STOP_SIGNALS", "Socket", "signals"]

# Those that ask a container for an orderly stop.
STOP_SIGNALS = (signals.SIGTERM, signals.SIGINT, signals.SIGQUIT, signals.SIGHUP)


def _sockets() -> "ModuleType":
    """Loaded when a socket is wanted: it may be a shared object."""
    try:
        import _socket
    except ImportError:
        import socket

        return socket
    return _socket


def packet_socket() -> "Socket":
    """A local socket that keeps message borders, closed on exec."""
    sockets = _sockets()
    connection: Socket = sockets.socket(sockets.AF_UNIX, sockets.SOCK_SEQPACKET | sockets.SOCK_CLOEXEC)
    return connection


def stream_socket() -> "Socket":
    """A local socket of the kind engines listen on for a terminal, closed on exec."""
    sockets = _sockets()
    connection: Socket = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM | sockets.SOCK_CLOEXEC)
    return connection


def send_descriptor(connection: "Socket", descriptor: int, data: bytes) -> None:
    """`data` with a copy of the descriptor (unix(7), SCM_RIGHTS). Raises OSError."""
    sockets = _sockets()
    connection.sendmsg([data], [(sockets.SOL_SOCKET, sockets.SCM_RIGHTS, descriptor.to_bytes(4, byteorder))])


def accept_descriptor(listener: "Socket") -> int:
    """The descriptor of the next connection; OSError as accept(2)."""
    accept = getattr(listener, "_accept", None)
    if accept is not None:
        return int(accept()[0])
    return listener.accept()[0].detach()


def adopt_socket(descriptor: int) -> "Socket":
    """A socket object over a descriptor, which it owns from now on."""
    sockets = _sockets()
    connection: Socket = sockets.socket(sockets.AF_UNIX, sockets.SOCK_SEQPACKET, 0, descriptor)
    return connection


def send_at_once(connection: "Socket", data: bytes) -> int:
    """How much was sent; BlockingIOError where send(2) would wait, whatever the description's flags are."""
    return connection.send(data, _sockets().MSG_DONTWAIT)


def send_signal(pidfd: int, number: int) -> None:
    """Raises ProcessLookupError when the process has been reaped; a zombie takes signals silently."""
    signals.pidfd_send_signal(pidfd, number)


def block_signals() -> set[int]:
    """Only SIGKILL and SIGSTOP reach this process and those it forks from now on. Returns the former mask."""
    return {int(number) for number in signals.pthread_sigmask(signals.SIG_SETMASK, signals.valid_signals())}


def set_signal_mask(mask: set[int]) -> None:
    signals.pthread_sigmask(signals.SIG_SETMASK, mask)


def restore_default_signals() -> None:
    """For a program about to be executed: nothing blocked, and not ignoring what the interpreter ignores."""
    for number in (signals.SIGPIPE, signals.SIGXFSZ):
        signals.signal(number, signals.SIG_DFL)
    set_signal_mask(set())


def call_c_library(name: str, *arguments: int | bytes | None) -> None:
    """For what this version's posix lacks. The function must be one that can be tried twice. Raises OSError.

    A number is an int of C, bytes are a string, and None is no string.
    """
    if _called_directly(name, arguments) == 0:
        return
    # Once more, by the module that costs as much as the interpreter's start, and knows errno.
    from ctypes import CDLL, get_errno

    if CDLL(None, use_errno=True)[name](*arguments):
        raise OSError(get_errno(), strerror(get_errno()))


def _called_directly(name: str, arguments: tuple[int | bytes | None, ...]) -> int:
    try:
        from _ctypes import call_function, dlopen, dlsym
    except ImportError:
        return -1
    itself = dlopen(None, 0)  # type: ignore[arg-type]
    returned: int = call_function(dlsym(itself, name), arguments)
    return returned
