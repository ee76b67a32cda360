"""The state machine of a container (OCI runtime spec, Lifecycle)."""

from hybrid_runtime.container.record import CREATED as CREATED_PHASE
from hybrid_runtime.container.record import CREATING, STARTED, Record
from hybrid_runtime.system.process_identity import ProcessHandle, is_alive
from hybrid_runtime.system.system_paths import SystemPaths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from hybrid_runtime.container.store import Store


class Status:
    """A status of the spec, and what may be asked of a container in it."""

    def __init__(self, name: str, *, can_start: bool, can_kill: bool, can_delete: bool) -> None:
        self.name = name
        self.can_start = can_start
        self.can_kill = can_kill
        self.can_delete = can_delete

    def __str__(self) -> str:
        return self.name


BEING_CREATED = Status("creating", can_start=False, can_kill=True, can_delete=False)
CREATED = Status("created", can_start=True, can_kill=True, can_delete=True)
RUNNING = Status("running", can_start=False, can_kill=True, can_delete=False)
STOPPED = Status("stopped", can_start=False, can_kill=False, can_delete=True)

# A suspended core sleeps with the system and comes back with it. One that could not be looked at this time is up, as
# long as the supervisor that watches it has not ended.
UNKNOWN = ""
_CORE_UP = ("running", "suspended", UNKNOWN)


def decide(*, alive: bool, phase: str, ours: bool, core: str, kernel_recovers: bool) -> Status:
    """Status from the supervisor's liveness, how far it has come, and what the kernel says of the core now."""
    if not alive:
        return STOPPED
    if phase == CREATING:
        return BEING_CREATED
    # Of a core that the kernel restarts, sysfs shows both: it reads the state without the kernel's lock.
    recovering = kernel_recovers and (core == "crashed" or (core == "offline" and phase == STARTED))
    if ours and (core in _CORE_UP or recovering):
        return RUNNING
    return CREATED if phase == CREATED_PHASE else STOPPED


def load_status(store: "Store", load: "Callable[[], Record]") -> tuple[Record, Status]:
    """The record, and the status that goes with it.

    A create that comes to its end between the two leaves another record: one that names a living supervisor. Only a
    record read after its writer's death is the last one. Raises what `load` raises.
    """
    record = load()
    status = status_of(store, record)
    if record.phase == CREATING and status is STOPPED:
        record = load()
        status = status_of(store, record)
    return record, status


def status_of(store: "Store", record: Record) -> Status:
    alive = has_supervisor(store, record)
    if not alive:
        return STOPPED
    core, ours = _core(store.system, record)
    return decide(alive=alive, phase=record.phase, ours=ours, core=core, kernel_recovers=record.kernel_recovers)


def _core(system: SystemPaths, record: Record) -> tuple[str, bool]:
    """The core's state, and whether it is ours."""
    from hybrid_runtime.processor.remoteproc import STATES, ProcessorGone, Remoteproc

    remoteproc = Remoteproc(system, record.device)
    try:
        state = remoteproc.state
        # A word that the kernel has no name for tells nothing either.
        return state if state in STATES else UNKNOWN, remoteproc.runs_firmware(record.firmware_name)
    except ProcessorGone:
        return "deleted", False
    except OSError:
        # Short of memory or of descriptors, say: that tells nothing of the core.
        return UNKNOWN, record.phase != CREATED_PHASE


def has_supervisor(store: "Store", record: Record) -> bool:
    """By its pid, and where that is not to be seen by the processor's claim.

    A pid means nothing in another pid namespace, a start time nothing in another time namespace, and /proc may hide
    both. The claim's lock is the kernel's own word that the holder lives.
    """
    if is_alive(record.pid, record.pid_start_time):
        return True
    if not record.device:
        return False
    from hybrid_runtime.container.holder import is_held_for

    return is_held_for(store.system, record.device, record.owner(store.root))


def open_supervisor(store: "Store", record: Record) -> ProcessHandle | None:
    """None when it is dead. Raises Failure when it lives where its pid means another process, or none."""
    process = ProcessHandle.open(record.pid, record.pid_start_time)
    if process is not None or not record.device:
        return process
    from hybrid_runtime.container.holder import open_holder

    # The record may name another process than the one that lives: then the journal knows better.
    return open_holder(store.system, record.device, record.owner(store.root))
