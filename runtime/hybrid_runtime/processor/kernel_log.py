"""What the kernel logs about one processor: the only event of a crash (Documentation/ABI/testing/dev-kmsg)."""

import posix as os

from hybrid_runtime.system.path import link_exists, resolved
from hybrid_runtime.system.system_paths import SystemPaths

# One read gives one entry; a longer one would fail with EINVAL (CONSOLE_EXT_LOG_MAX in kernel/printk).
_LARGEST_ENTRY = 8192
# As lseek(2) counts them.
_SEEK_END = 2
# KERN_DEBUG of linux/kern_levels.h
_DEBUG_LEVEL = 7
# What the remoteproc core itself says, whatever the processor's number.
_OWN_START = "remoteproc remoteproc"
_CRASH_TEXT = "crash detected in"
_BOOT_TEXT = " is now up"


class KernelLog:
    """Entries from the moment of opening on. `descriptor` is readable when there are new ones, None without access."""

    def __init__(self, system: SystemPaths, device: str) -> None:
        # dev_printk puts driver and device in front: `remoteproc remoteproc0: …`.
        self.own_start = f"remoteproc {device}: ".encode()
        self.above = [f"+{each}".encode() for each in devices_above(system, device)]
        self.descriptor: int | None = None
        try:
            self.descriptor = os.open(system.kernel_log, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.lseek(self.descriptor, 0, _SEEK_END)
        except OSError:
            self.close()

    def skip(self) -> None:
        """Forget what was logged so far."""
        if self.descriptor is not None:
            os.lseek(self.descriptor, 0, _SEEK_END)

    def lines(self) -> list[str]:
        """The texts logged about the processor, by itself or by its driver, since the last call."""
        found: list[str] = []
        while self.descriptor is not None:
            try:
                entry = os.read(self.descriptor, _LARGEST_ENTRY)
            except BlockingIOError:
                break
            except BrokenPipeError:
                # EPIPE: entries were overwritten before we read them; the next read goes on with the oldest left.
                continue
            except OSError:
                # The log has become unreadable; the tick goes on without it.
                self.close()
                break
            if not entry:
                break
            if self.concerns_us(entry):
                found.append(message(entry))
        return found

    def concerns_us(self, entry: bytes) -> bool:
        """Every entry of the kernel's log comes by here, so none is decoded for it.

        The properties after the text are the kernel's own: a text has no line end (it is escaped).
        """
        head, _, rest = entry.partition(b";")
        if rest.startswith(self.own_start):
            return True
        _, _, device = rest.partition(b"\n DEVICE=")
        return device.partition(b"\n")[0] in self.above and not _is_debug(head)

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def message(entry: bytes) -> str:
    """The text of an entry: after the first `;`, up to the line end; what follows are its properties."""
    _, _, rest = entry.partition(b";")
    return rest.partition(b"\n")[0].decode("utf-8", "replace")


def _is_debug(head: bytes) -> bool:
    """Of an entry's first fields: facility and level in one number, of which the level is the last three bits."""
    number = head.partition(b",")[0]
    return number.isdigit() and int(number) & 7 == _DEBUG_LEVEL


def devices_above(system: SystemPaths, device: str) -> list[str]:
    """Those that speak for the processor under names of their own, as `subsystem:name` (dev_printk of
    drivers/base/core.c): up to and with the nearest that has a driver.

    That is the driver's device, and for one core of a cluster the core's as well. What is above them are buses,
    which speak of all their other devices.
    """
    found: list[str] = []
    try:
        folder = resolved(f"{system.remoteproc_class}/{device}").rpartition("/")[0]
    except OSError:
        return found
    while folder:
        subsystem = _link_target(f"{folder}/subsystem").rpartition("/")[2]
        if subsystem:
            found.append(f"{subsystem}:{folder.rpartition('/')[2]}")
        if link_exists(f"{folder}/driver"):
            return found
        folder = folder.rpartition("/")[0]
    # None has one: whose lines these would be is not known.
    return []


def _link_target(path: str) -> str:
    """ "" for what is no link."""
    try:
        return os.readlink(path)
    except OSError:
        return ""


def crash_type(text: str) -> str | None:
    """`watchdog`, `mmufault` or `fatal error` from rproc_report_crash's line; None for any other line."""
    if _CRASH_TEXT not in text or not text.startswith(_OWN_START):
        return None
    _, _, kind = text.rpartition("type ")
    return kind.strip()


def tells_of_boot(text: str) -> bool:
    """rproc_start's last line: the firmware was loaded, and its trace buffers with it."""
    return text.endswith(_BOOT_TEXT) and text.startswith(_OWN_START)
