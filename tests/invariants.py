"""What must hold on a machine at any moment, and what must hold once a container is deleted; told as sentences.

The same judgement for the double of the kernel's files and for a board: each gives a `Sighting`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Core:
    """One remoteproc instance as sysfs shows it."""

    device: str
    state: str
    firmware: str
    recovery: str


@dataclass(frozen=True)
class Sighting:
    """A machine, looked at past the runtime. `journals` and `installed` are all names in the folders of the claims
    (without the locks) and of the firmware, also half-written ones; `living` the ids of containers whose process is
    there; `engine_files` what lies where the engine wanted its pid file."""

    cores: list[Core] = field(default_factory=list)
    containers: list[str] = field(default_factory=list)
    living: list[str] = field(default_factory=list)
    journals: list[str] = field(default_factory=list)
    installed: list[str] = field(default_factory=list)
    engine_files: list[str] = field(default_factory=list)


UP = ("running", "crashed", "suspended")


def broken_at_any_moment(sighting: Sighting) -> list[str]:
    """No core is up with a firmware of ours that no journal can undo, and nobody's firmware lies about."""
    journaled = {name.removesuffix(".journal") for name in sighting.journals if name.endswith(".journal")}
    found = [
        f"{core.device} is {core.state} with `{core.firmware}`, which no journal speaks of"
        for core in sighting.cores
        if core.state in UP and core.firmware in sighting.installed and core.device not in journaled
    ]
    if len(sighting.installed) > len(journaled):
        found.append(f"more firmware files than journals: {sighting.installed}, {sighting.journals}")
    return found


def broken_after_delete(sighting: Sighting, recovery_before: str, *, others: Iterable[str] = ()) -> list[str]:
    """Nothing is left of a deleted container; `others` are files in the firmware folder that are not ours."""
    left = {
        "containers": sighting.containers,
        "processes of containers": sighting.living,
        "journals": sighting.journals,
        "firmware files": [name for name in sighting.installed if name not in others],
        "files of the engine": sighting.engine_files,
    }
    found = [f"{what} left: {', '.join(names)}" for what, names in left.items() if names]
    for core in sighting.cores:
        if core.state != "offline":
            found.append(f"{core.device} is {core.state}")
        if core.recovery != recovery_before:
            found.append(f"{core.device} has recovery {core.recovery}, before it was {recovery_before}")
    return found
