"""A supervisor's scope: the control group that systemd is asked for, where an engine leaves groups to systemd.

systemd takes a scope away when its last process has gone, so there is nothing to undo.
"""

import posix as os

from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure, errno_meaning
from hybrid_runtime.system.message_bus import SOCKET, BusError, Marshaller, MessageBus
from hybrid_runtime.system.path import exists
from hybrid_runtime.system.system_paths import SystemPaths
from hybrid_runtime.system.text import printable

# org.freedesktop.systemd1(5).
_MANAGER = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
_UNIT_EXISTS = "org.freedesktop.systemd1.UnitExists"
_DEFAULT_SLICE = "system.slice"
# As runc has them: what engines read statistics of.
_ACCOUNTING = ("CPUAccounting", "IOAccounting", "MemoryAccounting", "TasksAccounting")
_JOIN_SECONDS = 2.0
_LONGEST_COMPLAINT = 300


class Scope:
    """Of a cgroupsPath `slice:prefix:name`, as runc and crun read it."""

    def __init__(self, path: str) -> None:
        slice_, prefix, name = path.split(":")
        self.slice = slice_ or _DEFAULT_SLICE
        self.unit = f"{prefix}-{name}.scope" if prefix else f"{name}.scope"


def can_be_asked_for(system: SystemPaths) -> bool:
    """The system's own systemd does this for root alone. Whoever runs without both has no scope."""
    return os.geteuid() == 0 and exists(system.path(SOCKET))


def join_scope(system: SystemPaths, path: str, pid: int) -> None:
    """The process is inside afterwards. Raises Failure."""
    scope, deadline = Scope(path), Deadline(_JOIN_SECONDS)
    while True:
        try:
            _start(system, scope, pid, deadline)
            break
        except BusError as error:
            # The container's scope before this one may not have been taken away yet.
            if error.name != _UNIT_EXISTS or not deadline.look_again():
                raise _refused(scope, printable(str(error), _LONGEST_COMPLAINT)) from error
        except OSError as error:
            what = "no answer in time" if isinstance(error, TimeoutError) else errno_meaning(error)
            raise _refused(scope, what) from error
    # The answer tells of a job. Its end is looked for where it is seen.
    while not _is_inside(system, pid, scope.unit):
        if not deadline.look_again():
            raise _refused(scope, f"process {pid} is not inside after {_JOIN_SECONDS:g} s")


def _refused(scope: Scope, why: str) -> Failure:
    return Failure(f"systemd gives no scope `{scope.unit}` in `{scope.slice}`: {why}", "statistics show another group")


def _start(system: SystemPaths, scope: Scope, pid: int, deadline: Deadline) -> None:
    bus = MessageBus(system.path(SOCKET), os.geteuid(), deadline)
    try:
        bus.call(_MANAGER, "StartTransientUnit", "ssa(sv)a(sa(sv))", _request(scope, pid))
    finally:
        bus.close()


def _request(scope: Scope, pid: int) -> Marshaller:
    """Name, mode, properties, and no other units."""
    properties = Marshaller()
    for name, kind, value in (
        ("Description", "s", f"firmware container {scope.unit.removesuffix('.scope')}"),
        ("Slice", "s", scope.slice),
        ("PIDs", "au", [pid]),
        ("DefaultDependencies", "b", 0),
        *((name, "b", 1) for name in _ACCOUNTING),
    ):
        properties.align(8).text(name).variant(kind, value)  # type: ignore[arg-type]
    return Marshaller().text(scope.unit).text("replace").array(properties).array(Marshaller())


def _is_inside(system: SystemPaths, pid: int, unit: str) -> bool:
    """cgroups(7), /proc/PID/cgroup."""
    try:
        with open(system.path(f"/proc/{pid}/cgroup"), encoding="utf-8", errors="surrogateescape") as source:
            return any(line.rstrip("\n").endswith(f"/{unit}") for line in source)
    except OSError:
        return False
