"""The state machine of a container (OCI runtime spec, Lifecycle)."""

from hybrid_runtime.container.record import CREATING, Record
from hybrid_runtime.machine import Machine
from hybrid_runtime.process_identity import is_alive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


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

# A suspended core sleeps with the system and comes back with it.
_CORE_UP = ("running", "suspended")


def decide(*, alive: bool, phase: str, ours: bool, core: str, kernel_recovers: bool) -> Status:
    """Status from the supervisor's liveness, how far it has come, and what the kernel says of the core now."""
    if not alive:
        return STOPPED
    if phase == CREATING:
        return BEING_CREATED
    if ours and (core in _CORE_UP or (kernel_recovers and core == "crashed")):
        return RUNNING
    return CREATED if phase == "created" else STOPPED


def settled(machine: Machine, load: "Callable[[], Record]") -> tuple[Record, Status]:
    """The record, and the status that goes with it.

    A create that comes to its end between the two leaves another record: one that names a living supervisor. Only a
    record read after its writer's death is the last one. Raises what `load` raises.
    """
    record = load()
    status = status_of(machine, record)
    if record.phase == CREATING and status is STOPPED:
        record = load()
        status = status_of(machine, record)
    return record, status


def status_of(machine: Machine, record: Record) -> Status:
    alive = is_alive(record.pid, record.pid_start_time)
    if not alive:
        return STOPPED
    from hybrid_runtime.processor.remoteproc import Remoteproc

    remoteproc = Remoteproc(machine, record.device)
    return decide(
        alive=alive,
        phase=record.phase,
        ours=bool(record.firmware_name) and remoteproc.read_or("firmware", "") == record.firmware_name,
        core=remoteproc.read_or("state", "deleted"),
        kernel_recovers=record.kernel_recovers,
    )
