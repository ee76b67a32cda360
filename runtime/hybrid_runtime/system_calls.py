"""Sockets and signals without the public modules, whose enums cost more than a verb may.

Both public modules are thin wrappers of the C modules used here; where an interpreter lacks those, the
public ones serve.
"""

from sys import byteorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as signals
    from socket import AF_UNIX, SCM_RIGHTS, SOCK_CLOEXEC, SOCK_SEQPACKET, SOCK_STREAM, SOL_SOCKET
    from socket import socket as Socket
else:
    try:
        import _signal as signals
        from _socket import AF_UNIX, SCM_RIGHTS, SOCK_CLOEXEC, SOCK_SEQPACKET, SOCK_STREAM, SOL_SOCKET
        from _socket import socket as Socket
    except ImportError:
        import signal as signals
        from socket import AF_UNIX, SCM_RIGHTS, SOCK_CLOEXEC, SOCK_SEQPACKET, SOCK_STREAM, SOL_SOCKET
        from socket import socket as Socket

__all__ = ["Socket", "signals"]


def packet_socket() -> Socket:
    """A local socket that keeps message borders, closed on exec."""
    return Socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC)


def stream_socket() -> Socket:
    """A local socket of the kind engines listen on for a terminal, closed on exec."""
    return Socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC)


def send_descriptor(connection: Socket, descriptor: int, data: bytes) -> None:
    """`data` with a copy of the descriptor (unix(7), SCM_RIGHTS). Raises OSError."""
    connection.sendmsg([data], [(SOL_SOCKET, SCM_RIGHTS, descriptor.to_bytes(4, byteorder))])


def accept_descriptor(listener: Socket) -> int:
    """The descriptor of the next connection; OSError as accept(2)."""
    accept = getattr(listener, "_accept", None)
    if accept is not None:
        return int(accept()[0])
    return listener.accept()[0].detach()


def adopt_socket(descriptor: int) -> Socket:
    """A socket object over a descriptor, which it owns from now on."""
    return Socket(AF_UNIX, SOCK_SEQPACKET, 0, descriptor)


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
