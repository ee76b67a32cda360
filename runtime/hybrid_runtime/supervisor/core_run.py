"""One run of a firmware on its core: everything between taking the settings over and giving them back."""

import posix as os

from hybrid_runtime.container.claim import Claim, Journal
from hybrid_runtime.container.record import Record
from hybrid_runtime.container.undo import forget, restore_settings, stop_if_ours
from hybrid_runtime.processor.kernel_log import KernelLog
from hybrid_runtime.processor.remoteproc import STOP_SECONDS, SYSFS_REMEDIES, ProcessorGone, Remoteproc, StopRefused
from hybrid_runtime.processor.shutdown_on_release import arm, disarm
from hybrid_runtime.processor.trace import Trace
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure, errno_meaning, failed
from hybrid_runtime.system.path import exists, is_file, link_exists, on_machine

_SETTLE_SECONDS = 5.0


class CoreRun:
    """Owns the claim's journal from the fork on. Each change to the machine is journaled before it is made."""

    def __init__(self, claim: Claim, journal: Journal, record: Record) -> None:
        self.claim = claim
        self.journal = journal
        self.record = record
        self.system = claim.system
        self.remoteproc = Remoteproc(claim.system, claim.device)
        self.trace = Trace(claim.system, claim.device)
        self.kernel_log = KernelLog(claim.system, claim.device)
        self.guard: int | None = None
        self.driver_link = ""

    def start(self) -> None:
        """Returns when the kernel says running. Raises Failure with the errno's meaning; the core is then untouched
        or stopped by `give_back`."""
        if not self.record.firmware_name:
            raise Failure("the container has no process, so no firmware", "add process.args to config.json")
        self.kernel_log.skip()
        self.driver_link = self.remoteproc.driver_link()
        self._take_settings_over()
        self.guard = arm(self.system.device_node(self.claim.device))
        self._name_firmware()
        self._boot()

    def _take_settings_over(self) -> None:
        """Not at all unless it is known what to restore. Raises Failure and OSError."""
        recovery, coredump = self.remoteproc.setting("recovery"), self.remoteproc.setting("coredump")
        self.journal.recovery_before, self.journal.coredump_before = recovery, coredump
        self.journal.shutdown_on_release = exists(self.system.device_node(self.claim.device))
        self.claim.write_journal(self.journal)
        wanted_recovery = "enabled" if self.record.kernel_recovers else "disabled"
        wanted_coredump = "enabled" if self.record.keeps_dumps else "disabled"
        for attribute, before, wanted in (
            ("recovery", recovery, wanted_recovery),
            ("coredump", coredump, wanted_coredump),
        ):
            if before not in ("", wanted):
                self._write(attribute, wanted)

    def _name_firmware(self) -> None:
        self._write("firmware", self.record.firmware_name)
        named = self.remoteproc.firmware
        if named != self.record.firmware_name:
            raise Failure(
                f"processor `{self.claim.device}` took `{named}` for the firmware `{self.record.firmware_name}`",
                "its driver does not allow choosing a firmware",
            )

    def _boot(self) -> None:
        self._require_file_where_kernel_would_wait()
        try:
            self.remoteproc.write("state", "start")
        except OSError as error:
            raise Failure(
                f"the kernel refuses to start `{self.record.firmware_name}` on `{self.record.processor}`: "
                + errno_meaning(error)
            ) from error
        deadline = Deadline(_SETTLE_SECONDS)
        state = self.remoteproc.settled_state(deadline)
        # A core that has crashed at once and is being restarted is seen offline as well.
        while state == "offline" and self.record.kernel_recovers and deadline.look_again():
            state = self.remoteproc.settled_state(deadline)
        if state == "offline":
            raise Failure(
                f"processor `{self.record.processor}` is offline after a start that the kernel called a success",
                "a failed recovery left a stale reference: unbind and bind its driver",
            )
        if state not in ("running", "crashed"):
            raise Failure(f"processor `{self.record.processor}` is `{state}` after its start", "see dmesg")

    def _require_file_where_kernel_would_wait(self) -> None:
        """With CONFIG_FW_LOADER_USER_HELPER_FALLBACK a missing file blocks the start for 60 s."""
        file = on_machine(self.record.firmware_file)
        if exists(self.system.path("/sys/class/firmware/timeout")) and not is_file(file):
            raise Failure(
                f"the installed firmware `{self.record.firmware_file}` has been removed",
                "create the container again",
            )

    def _write(self, attribute: str, word: str) -> None:
        try:
            self.remoteproc.write(attribute, word)
        except OSError as error:
            raise failed(
                f"cannot write `{word}` to `{self.remoteproc.path}/{attribute}`",
                error,
                "see dmesg, and who else controls the processor",
                SYSFS_REMEDIES,
            ) from error

    def is_ours(self) -> bool:
        return self.remoteproc.runs_firmware(self.record.firmware_name)

    def has_driver(self) -> bool:
        """Not from the moment on at which its driver is unbound, even while its files are still there."""
        return not self.driver_link or link_exists(self.driver_link)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Raises StopRefused when the core does not go offline within that time, and OSError."""
        try:
            stop_if_ours(self.remoteproc, self.record.firmware_name, seconds)
        except ProcessorGone:
            return
        except StopRefused:
            if not self._stop_by_guard():
                raise

    def _stop_by_guard(self) -> bool:
        """Where sysfs is mounted read-only the device's own file is left (rproc_cdev_write, remoteproc_cdev.c)."""
        try:
            if self.guard is None or not self.remoteproc.is_mounted_read_only():
                return False
            os.write(self.guard, b"stop")
            return self.remoteproc.state == "offline"
        except (OSError, ProcessorGone):
            return False

    def give_back(self) -> None:
        """Flag, settings, firmware, journal; the lock itself ends with this process. The core is not touched.

        Raises Failure; the journal is then still there for the next holder.
        """
        if self.guard is not None:
            disarm(self.guard)
            self.guard = None
        try:
            restore_settings(self.remoteproc, self.journal)
        except ProcessorGone:
            pass
        except OSError as error:
            raise failed(
                f"cannot restore the settings of `{self.claim.device}`", error, "see dmesg", SYSFS_REMEDIES
            ) from error
        forget(self.claim, self.journal)
