"""One remoteproc instance through sysfs (drivers/remoteproc/remoteproc_sysfs.c)."""

import errno
import posix as os

from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure, errno_meaning
from hybrid_runtime.system.path import exists, is_folder, link_exists, on_machine, resolved
from hybrid_runtime.system.system_paths import SystemPaths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Transferred = TypeVar("Transferred")

# rproc_state_string[] of remoteproc_sysfs.c; "deleted" is in newer kernels.
STATES = ("offline", "suspended", "running", "crashed", "deleted", "attached", "detached", "invalid")
GONE_STATES = ("deleted", "invalid")

# What helps against these where an attribute cannot be written.
SYSFS_REMEDIES = {
    errno.EROFS: "mount -o remount,rw /sys",
    errno.EACCES: "install the udev rules of this runtime and join their group, or call as root",
}

# Boots are counted by reference: each further "start" by anyone asks for one more "stop".
MOST_STOPS = 64
STOP_SECONDS = 10.0
# A driver that refuses says so in the kernel's log each time it is asked.
REFUSED_PAUSE_SECONDS = 0.1
_STILL_UP = "it is still up, and the kernel gives no reason"


class ProcessorGone(Failure):
    """The sysfs folder has vanished: the driver was unbound or the device removed."""


class StopRefused(Failure):
    """The core is still up, and the message has the kernel's reason."""


class Remoteproc:
    """`device` is the kernel's name of the instance: remoteprocN."""

    def __init__(self, system: SystemPaths, device: str) -> None:
        self.system = system
        self.device = device
        self.path = f"{system.remoteproc_class}/{device}"

    def read(self, attribute: str) -> str:
        """Raises ProcessorGone; OSError for anything else the kernel says."""
        text = self._transfer(attribute, os.O_RDONLY, lambda descriptor: os.read(descriptor, 4096))
        return text.decode("utf-8", "surrogateescape").removesuffix("\n")

    def write(self, attribute: str, word: str) -> None:
        """Raises ProcessorGone, and OSError with the kernel's answer in errno."""
        data = word.encode("utf-8", "surrogateescape")
        self._transfer(attribute, os.O_WRONLY | os.O_TRUNC, lambda descriptor: os.write(descriptor, data))

    def _transfer(self, attribute: str, flags: int, act: "Callable[[int], Transferred]") -> "Transferred":
        """A missing file and ENODEV tell that the processor has vanished. Other errors tell nothing of that, and the
        ENOENT of a write is the kernel's answer to a firmware it does not find."""
        try:
            descriptor = os.open(f"{self.path}/{attribute}", flags | os.O_CLOEXEC)
        except FileNotFoundError:
            raise self._gone() from None
        except OSError as error:
            raise self._gone_or(error) from None
        try:
            return act(descriptor)
        except OSError as error:
            raise self._gone_or(error) from None
        finally:
            os.close(descriptor)

    def _gone_or(self, error: OSError) -> Failure | OSError:
        return self._gone() if error.errno == errno.ENODEV else error

    def _gone(self) -> ProcessorGone:
        return ProcessorGone(f"processor `{self.device}` has vanished", "its driver was unbound or its device removed")

    def read_or(self, attribute: str, default: str) -> str:
        """For reports: whatever goes wrong gives the default."""
        try:
            return self.read(attribute)
        except (ProcessorGone, OSError):
            return default

    def setting(self, attribute: str) -> str:
        """`recovery` or `coredump`, "" where the kernel is too old to have it. Raises ProcessorGone and OSError."""
        if is_folder(self.path) and not exists(f"{self.path}/{attribute}"):
            return ""
        return self.read(attribute)

    @property
    def name(self) -> str:
        return self.read("name")

    @property
    def state(self) -> str:
        return self.read("state")

    @property
    def firmware(self) -> str:
        return self.read("firmware")

    @property
    def resolved_path(self) -> str:
        """Raises ProcessorGone."""
        try:
            return resolved(self.path)
        except FileNotFoundError:
            raise self._gone() from None

    def driver_link(self) -> str:
        """Of the nearest device above that has a driver: the core itself, or the cluster it is one core of.

        A driver that lets go of its device takes this link away before it stops the core (__device_release_driver of
        drivers/base/dd.c). "" where there is none. Raises ProcessorGone.
        """
        folder = on_machine(self.resolved_path).rpartition("/")[0]
        while folder and not link_exists(f"{folder}/driver"):
            folder = folder.rpartition("/")[0]
        return f"{folder}/driver" if folder else ""

    def driver(self) -> str:
        """The name of that driver, "" where there is none. Raises ProcessorGone."""
        link = self.driver_link()
        try:
            return os.readlink(link).rpartition("/")[2] if link else ""
        except FileNotFoundError:
            raise self._gone() from None

    def is_read_only(self) -> bool:
        """Some drivers allow no control from user space (rproc->sysfs_read_only).

        The mode is looked at, since access(2) grants root everything.
        """
        return not os.stat(f"{self.path}/state").st_mode & 0o222

    def is_mounted_read_only(self) -> bool:
        """As sysfs is inside most containers: each write would be refused, whatever the modes say."""
        return bool(os.statvfs(f"{self.path}/state").f_flag & os.ST_RDONLY)

    def runs_firmware(self, name: str) -> bool:
        """Whether the core is ours: only then it may ever be stopped."""
        return bool(name) and self.firmware == name

    def settled_state(self, deadline: Deadline) -> str:
        """The state, once it is one the kernel has a name for."""
        state = self.state
        while state not in STATES and deadline.look_again():
            state = self.state
        return state

    def stop_until_offline(self, deadline: Deadline) -> None:
        """Give back every reference to the core, and let the kernel not restart it meanwhile.

        A core that the kernel restarts is seen offline as well: sysfs shows the state without the lock that a recovery
        holds (rproc_boot_recovery). A "stop" waits for that lock. Raises as `_stop_until_offline` does.
        """
        if self.setting("recovery") != "enabled":
            self._stop_until_offline(deadline)
            return
        try:
            self.write("recovery", "disabled")
            self.write("state", "stop")
        except OSError:
            # Of an offline core, or refused: what becomes of the core is asked next.
            pass
        try:
            self._stop_until_offline(deadline)
        finally:
            self.restore("recovery", "enabled")

    def restore(self, attribute: str, word: str) -> None:
        """Raises ProcessorGone and OSError."""
        # Also when it cannot be read: what it should be is known.
        if self.read_or(attribute, "") != word:
            self.write(attribute, word)

    def _stop_until_offline(self, deadline: Deadline) -> None:
        """Raises StopRefused when it is still up at the deadline, ProcessorGone, and OSError where its state cannot be
        read.

        "stop" of an offline core is EINVAL (rproc_shutdown), so an errno only sends us back to the state. A driver may
        refuse for a while: k3_r5 does not stop core 0 of a cluster while core 1 runs.
        """
        stops, refusal = 0, ""
        while self.settled_state(deadline) not in ("offline", *GONE_STATES):
            if stops == MOST_STOPS:
                raise self._refused(_STILL_UP)
            try:
                self._stop_once()
                stops += 1
            except OSError as error:
                refusal = errno_meaning(error)
                if deadline.look_again(REFUSED_PAUSE_SECONDS):
                    continue
            if deadline.expired and self.state not in ("offline", *GONE_STATES):
                raise self._refused(refusal or _STILL_UP)

    def _stop_once(self) -> None:
        """Linux before 6.1.188 and 6.12.110 does not stop a crashed core (rproc_shutdown), only one that was brought
        back (rproc_trigger_recovery): its firmware runs for a moment. Where its file is gone, the core stays offline
        with a reference that nobody can give back. That is better than a core that goes on."""
        try:
            self.write("state", "stop")
        except OSError:
            if self.state != "crashed":
                raise
            self.write("recovery", "recover")
            self.write("state", "stop")

    def _refused(self, reason: str) -> StopRefused:
        return StopRefused(
            f"processor `{self.device}` does not stop: {reason}",
            "see dmesg; what its driver waits for may have to stop first, unbinding and binding the driver resets it",
        )


def processors(system: SystemPaths) -> list[Remoteproc]:
    """All of them, in the order of their numbers."""
    try:
        devices = os.listdir(system.remoteproc_class)
    except OSError:
        devices = []
    numbered = [device for device in devices if device.startswith("remoteproc") and device[10:].isdigit()]
    return [Remoteproc(system, device) for device in sorted(numbered, key=lambda device: int(device[10:]))]
