"""Sockets and signals without the public modules, whose enums cost more than a verb may.

Both public modules are thin wrappers of the C modules used here; where an interpreter lacks those, the
public ones serve.
"""

try:
    import _signal as signals
    from _socket import AF_UNIX, SOCK_CLOEXEC, SOCK_SEQPACKET
    from _socket import socket as Socket
except ImportError:
    import signal as signals  # type: ignore[no-redef]
    from socket import AF_UNIX, SOCK_CLOEXEC, SOCK_SEQPACKET
    from socket import socket as Socket  # type: ignore[assignment]


def packet_socket() -> Socket:
    """A local socket that keeps message borders, closed on exec."""
    return Socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC)


def accept_descriptor(listener: Socket) -> int:
    """The descriptor of the next connection; OSError as accept(2)."""
    accept = getattr(listener, "_accept", None)
    if accept is not None:
        descriptor: int = accept()[0]
        return descriptor
    return listener.accept()[0].detach()


def adopt_socket(descriptor: int) -> Socket:
    """A socket object over a descriptor, which it owns from now on."""
    return Socket(AF_UNIX, SOCK_SEQPACKET, 0, descriptor)


def send_signal(pidfd: int, number: int) -> None:
    """Raises ProcessLookupError when the process has been reaped; a zombie takes signals silently."""
    signals.pidfd_send_signal(pidfd, number)


def block_all_signals() -> None:
    """Until `unblock_all_signals`, nothing interrupts this process or one it forks, except SIGKILL and SIGSTOP."""
    signals.pthread_sigmask(signals.SIG_SETMASK, signals.valid_signals())


def unblock_all_signals() -> None:
    signals.pthread_sigmask(signals.SIG_SETMASK, ())
