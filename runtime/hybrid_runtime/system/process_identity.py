"""A process named so that a recycled pid is never mistaken for it: pid and start time."""

import posix as os

from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.path import exists, on_machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

# proc_pid_stat(5): state is field 3, starttime field 22; the fields start after the last parenthesis.
_STATE = 0
_START_TIME = 19
_GONE = ("Z", "X")


def _stat_fields(pid: int) -> list[str] | None:
    """Raises Failure where there is no /proc."""
    try:
        with open(on_machine(f"/proc/{pid}/stat"), "rb") as source:
            text = source.read().decode("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        if not exists(on_machine("/proc/self")):
            # Nobody is dead because of that.
            raise Failure("cannot look at processes: /proc is not mounted", "mount -t proc proc /proc") from None
        return None
    return text[text.rindex(")") + 2 :].split()


def start_time(pid: int) -> int | None:
    """Clock ticks since boot; None when the process is gone. A zombie is gone."""
    fields = _stat_fields(pid)
    if fields is None or fields[_STATE] in _GONE:
        return None
    return int(fields[_START_TIME])


def is_alive(pid: int, started: int) -> bool:
    """Seen from here: a process of another pid namespace looks dead. One that may not be looked at is there."""
    try:
        return pid > 0 and start_time(pid) == started
    except PermissionError:
        # proc(5), hidepid=1.
        return True


class ProcessHandle:
    """A pidfd of exactly that process. Use as a context manager; `open` gives None when it is gone."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    def open(cls, pid: int, started: int) -> "ProcessHandle | None":
        if pid <= 0:
            return None
        try:
            descriptor = os.pidfd_open(pid)
        except (OSError, OverflowError):
            # A damaged record may hold any number.
            return None
        # Looked at after the descriptor was taken: from here on the pid cannot be recycled unnoticed.
        if not is_alive(pid, started):
            os.close(descriptor)
            return None
        return cls(descriptor)

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        os.close(self.descriptor)

    def send(self, number: int) -> bool:
        """False when the process has gone meanwhile."""
        from hybrid_runtime.system.system_calls import send_signal

        try:
            send_signal(self.descriptor, number)
        except ProcessLookupError:
            return False
        return True

    def wait_until_gone(self, deadline: Deadline) -> bool:
        """A pidfd becomes readable when its process ends, reaped or not (pidfd_open(2))."""
        from select import POLLIN, poll

        waiting = poll()
        waiting.register(self.descriptor, POLLIN)
        return bool(waiting.poll(deadline.remaining() * 1000))
