"""How each engine is told of this runtime, and how it forgets it again.

A drop-in is written where the engine reads drop-ins. daemon.json is merged. A TOML file has comments and an order that
are somebody's, so it is never rewritten: lines are put at its end, or a manual step is left.
"""

from typing import Protocol

from hybrid_runtime.setup.engine.containerd import Containerd
from hybrid_runtime.setup.engine.docker import Docker
from hybrid_runtime.setup.engine.drop_in import DropIn
from hybrid_runtime.setup.engine.k3s import K3s
from hybrid_runtime.setup.engine.plan import Plan
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.system_paths import SystemPaths


class Engine(Protocol):
    """`program` is what runs on a device that has it; `places` are files and folders with its settings. `restart` and
    `restart_to_forget` are the commands after which it knows the runtime, and no longer knows it."""

    name: str
    program: str
    places: tuple[str, ...]
    restart: str
    restart_to_forget: str

    def lines(self, system: SystemPaths) -> str:
        """What it has to be told, in its own language."""

    def install(self, system: SystemPaths) -> Plan:
        """Raises Failure."""

    def uninstall(self, system: SystemPaths) -> Plan:
        """Raises Failure."""


ENGINES: tuple[Engine, ...] = (
    DropIn(
        "podman",
        program="podman",
        source="podman/hybrid-runtime.conf",
        folder="/etc/containers/containers.conf.d",
        files=("/usr/share/containers/containers.conf", "/etc/containers/containers.conf"),
    ),
    Docker(),
    Containerd(),
    DropIn(
        "crio",
        program="crio",
        source="crio/hybrid-runtime.conf",
        folder="/etc/crio/crio.conf.d",
        files=("/etc/crio/crio.conf",),
        restart="systemctl restart crio",
    ),
    K3s(),
)


def find_engine(name: str) -> Engine:
    """Raises Failure."""
    for engine in ENGINES:
        if name in (engine.name, engine.program):
            return engine
    raise Failure(f"`{name}` is no engine this runtime knows", f"known are {', '.join(e.name for e in ENGINES)}", 2)
