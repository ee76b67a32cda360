"""What the state of a started core means for its container. Pure decisions."""

from hybrid_runtime.processor.remoteproc import GONE_STATES

# How long the kernel may take to bring a crashed core back (recovery=kernel).
RECOVERY_SECONDS = 2.0


class ExitReason:
    """Why the supervisor ends; `code` is its exit code, and so the container's."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason


STOPPED = ExitReason(0, "stopped")
STOPPED_BY_ANOTHER = ExitReason(69, "the core was stopped or its firmware replaced from outside this container")
CRASHED = ExitReason(70, "the core crashed")
VANISHED = ExitReason(71, "the processor vanished")
START_FAILED = ExitReason(72, "the start failed")
# Of a defect of this program: the last resort.
BROKEN_CODE = 73


def judge(
    core: str, *, ours: bool, has_driver: bool, kernel_recovers: bool, crash_seen: bool, seconds_down: float
) -> ExitReason | None:
    """None: go on. `seconds_down` is how long the core has not been seen up.

    `has_driver` counts for a core that is offline, and is looked at after `core`: a driver that is unbound stops its
    core, and the files go later.
    """
    if core in GONE_STATES:
        return VANISHED
    if core == "offline" and not has_driver and not crash_seen:
        return VANISHED
    if not ours or core not in ("running", "suspended", "crashed", "offline"):
        # Attached and detached as well: somebody has taken it over.
        return STOPPED_BY_ANOTHER
    if core in ("running", "suspended"):
        return None
    # sysfs shows the state without the lock: a core in recovery may be seen crashed or offline.
    if kernel_recovers and seconds_down <= RECOVERY_SECONDS:
        return None
    return CRASHED if core == "crashed" or crash_seen else STOPPED_BY_ANOTHER
