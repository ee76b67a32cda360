"""A driver that does not stop its core: planted by strace(1) into the write(2) to the core's `state`."""

from collections.abc import Iterator
from contextlib import contextmanager

from hybrid_hil.deadline import Deadline
from hybrid_hil.shell import Shell

ATTACH_S = 30.0


def strace(state: str, errno: str) -> str:
    """Of the calls for that file alone; what the process writes elsewhere is carried out. `errno` may say which of
    them, as in `EBUSY:when=1`."""
    return f"strace -f -qq -o /dev/null -P {state} -e trace=write -e inject=write:error={errno}"


@contextmanager
def refusing(shell: Shell, state: str, errno: str, pid: int) -> Iterator[None]:
    """The supervisor's writes to the state of its core fail meanwhile."""
    shell.run(f"{strace(state, errno)} -p {pid} >/dev/null 2>&1 </dev/null & echo $! > /tmp/refusing.pid")
    deadline = Deadline(ATTACH_S)
    while shell.run(f"grep -q 'TracerPid:.0$' /proc/{pid}/status", check=False).exit_status == 0:
        assert not deadline.expired, "strace does not attach"
    try:
        yield
    finally:
        shell.run("kill $(cat /tmp/refusing.pid) 2>/dev/null; rm /tmp/refusing.pid")
