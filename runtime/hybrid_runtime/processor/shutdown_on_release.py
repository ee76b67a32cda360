"""The kernel's promise to stop a core when its holder dies: /dev/remoteprocN (remoteproc_cdev.c).

The flag stays with the device after the descriptor is closed, and any later close by anyone then stops the
core: it is always set back to 0 before an orderly close.
"""

import posix as os

from hybrid_runtime.processor.remoteproc import SYSFS_REMEDIES
from hybrid_runtime.system.failure import failed

# include/uapi/linux/remoteproc_cdev.h: _IOW(0xB7, 1, __s32)
_SET_SHUTDOWN_ON_RELEASE = 0x4004B701


def _set_flag(descriptor: int, value: int) -> None:
    from fcntl import ioctl

    ioctl(descriptor, _SET_SHUTDOWN_ON_RELEASE, value.to_bytes(4, "little"))


def arm(path: str) -> int | None:
    """A descriptor whose closing, also by SIGKILL, stops the core; None where the kernel has no such device.

    Raises Failure when the device is there and refuses.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise failed(
            f"cannot open `{path}`", error, "see dmesg: its driver may have been unbound", SYSFS_REMEDIES
        ) from error
    try:
        _set_flag(descriptor, 1)
    except OSError as error:
        os.close(descriptor)
        raise failed(f"`{path}` refuses shutdown-on-release", error, "see dmesg") from error
    return descriptor


def disarm(descriptor: int) -> None:
    """Flag back to 0 first, so that this close and every later one leave the core alone."""
    try:
        _set_flag(descriptor, 0)
    finally:
        os.close(descriptor)


def disarm_device(path: str) -> None:
    """Take back the flag that a dead holder has left set."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    disarm(descriptor)
