"""What the kernel logs about one processor: the only event of a crash (Documentation/ABI/testing/dev-kmsg)."""

import posix as os

from hybrid_runtime.machine import Machine

# One read gives one record; a longer one would fail with EINVAL (CONSOLE_EXT_LOG_MAX in kernel/printk).
_LARGEST_RECORD = 8192
# As lseek(2) counts them.
_SEEK_END = 2
_CRASH_TEXT = "crash detected in"
_BOOT_TEXT = " is now up"


class KernelLog:
    """Records from the moment of opening on. `descriptor` is readable when there are new ones, None without access."""

    def __init__(self, machine: Machine, device: str) -> None:
        self.device = device
        self.descriptor: int | None = None
        try:
            self.descriptor = os.open(machine.kernel_log, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.lseek(self.descriptor, 0, _SEEK_END)
        except OSError:
            self.close()

    def skip(self) -> None:
        """Forget what was logged so far."""
        if self.descriptor is not None:
            os.lseek(self.descriptor, 0, _SEEK_END)

    def lines(self) -> list[str]:
        """The texts logged about the processor since the last call."""
        found: list[str] = []
        while self.descriptor is not None:
            try:
                record = os.read(self.descriptor, _LARGEST_RECORD)
            except BlockingIOError:
                break
            except BrokenPipeError:
                # EPIPE: records were overwritten before we read them; the next read goes on with the oldest left.
                continue
            except OSError:
                # The log has become unreadable; the tick goes on without it.
                self.close()
                break
            if not record:
                break
            text = message(record)
            if names_device(text, self.device):
                found.append(text)
        return found

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def message(record: bytes) -> str:
    """The text of a record: after the first `;`, up to the line end; what follows are its properties."""
    _, _, rest = record.partition(b";")
    return rest.partition(b"\n")[0].decode("utf-8", "replace")


def names_device(text: str, device: str) -> bool:
    """dev_printk puts driver and device in front: `remoteproc remoteproc0: …`."""
    return text.startswith(f"remoteproc {device}: ")


def crash_type(text: str) -> str | None:
    """`watchdog`, `mmufault` or `fatal error` from rproc_report_crash's line; None for any other line."""
    if _CRASH_TEXT not in text:
        return None
    _, _, kind = text.rpartition("type ")
    return kind.strip()


def tells_of_boot(text: str) -> bool:
    """rproc_start's last line: the firmware was loaded, and its trace buffers with it."""
    return text.endswith(_BOOT_TEXT)
