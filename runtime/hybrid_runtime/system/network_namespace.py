"""Moving this process to another network, as engines ask for it: a supervisor that stayed in the machine's own would
have the machine reconfigured by buildah and by the engines' hooks."""

import posix as os
import stat

from hybrid_runtime.system.system_calls import call_c_library

# linux/sched.h
_CLONE_NEWNET = 0x40000000


def new_network() -> None:
    """An empty network of this process's own. Raises OSError."""
    if hasattr(os, "unshare"):
        os.unshare(_CLONE_NEWNET)
        return
    # Python before 3.12.
    call_c_library("unshare", _CLONE_NEWNET)


def join_network(path: str) -> None:
    """The network namespace bound to a file. Raises OSError, EINVAL when it is a namespace of another type."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        # Not even opened: a FIFO would wait for its writer, and a device may act on being closed.
        raise OSError(22, "not a namespace")
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _set_network(descriptor)
    finally:
        os.close(descriptor)


def _set_network(descriptor: int) -> None:
    if hasattr(os, "setns"):
        os.setns(descriptor, _CLONE_NEWNET)
        return
    call_c_library("setns", descriptor, _CLONE_NEWNET)
