"""What `processors` tells of one processor: the fields that programs may rely on."""

import os

from hybrid_runtime.container.claim import Journal, readable_journal
from hybrid_runtime.container.holder import holding_journal
from hybrid_runtime.container.holder_refusal import pod_container_of
from hybrid_runtime.container.record import load_record
from hybrid_runtime.container.store import HeldFolder
from hybrid_runtime.container.tally import read_tally
from hybrid_runtime.processor.board import compatible_names
from hybrid_runtime.processor.choice import obstacle_of
from hybrid_runtime.processor.kind import kind_of
from hybrid_runtime.processor.remoteproc import Remoteproc
from hybrid_runtime.system.failure import Failure, reason
from hybrid_runtime.system.system_paths import SystemPaths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def processor_entry(system: SystemPaths, remoteproc: Remoteproc) -> dict[str, object]:
    """`container` is null when none of ours holds it, and `obstacle` when nothing keeps a container from it; the
    booleans say what the processor supports."""
    device = remoteproc.device
    try:
        controllable = not (remoteproc.is_read_only() or remoteproc.is_mounted_read_only())
    except OSError:
        controllable = False
    journal = holding_journal(system, device)
    tally = read_tally(system, device)
    return {
        "device": device,
        "name": remoteproc.read_or("name", ""),
        "state": remoteproc.read_or("state", "vanished"),
        "firmware": remoteproc.read_or("firmware", ""),
        "container": journal.identifier if journal else None,
        "root": journal.root if journal else None,
        "pod": _pod(journal) if journal else None,
        "kind": _told(lambda: kind_of(remoteproc)),
        "driver": _told(remoteproc.driver),
        "obstacle": _obstacle_of_holder(device, journal) if journal else _obstacle(system, remoteproc),
        "starts": tally.starts,
        "crashes": tally.crashes,
        "path": os.path.realpath(remoteproc.path),
        "recovery": remoteproc.read_or("recovery", "") or None,
        "coredump": remoteproc.read_or("coredump", "") or None,
        "controllable": controllable,
        "stops_with_its_container": os.path.exists(system.device_node(device)),
        "trace": os.path.isdir(system.trace_folder(device)),
    }


def board_entry(system: SystemPaths) -> dict[str, object]:
    """What the processors of a machine have in common. The most specific `compatible` comes first, and names the board;
    the last one names its SoC (Devicetree Specification, 2.3.1)."""
    names = compatible_names(system)
    return {"board": names[0] if names else None, "soc": names[-1] if names else None}


def _told(ask: "Callable[[], str]") -> str | None:
    """Null where the kernel does not tell."""
    try:
        return ask() or None
    except (Failure, OSError):
        return None


def _obstacle(system: SystemPaths, remoteproc: Remoteproc) -> str | None:
    """Of a processor that nobody holds."""
    try:
        found = obstacle_of(remoteproc)
    except (Failure, OSError) as error:
        return reason(error)
    left = readable_journal(system, remoteproc.device) if found else None
    if left:
        return f"container `{left.identifier}` has ended, and its core has not been stopped"
    return str(found) if found else None


def _obstacle_of_holder(device: str, journal: Journal) -> str | None:
    """A container that is to end, and whose core does not stop. Believed where nobody else can have written it."""
    try:
        folder = HeldFolder(f"{journal.root}/{journal.identifier}")
    except OSError:
        return None
    try:
        record = load_record(folder.content, journal.identifier) if folder.is_private else None
    except (Failure, OSError):
        record = None
    finally:
        os.close(folder.descriptor)
    return record.refused_stop or None if record and record.device == device else None


def _pod(journal: Journal) -> dict[str, str] | None:
    """Whose the holder is in Kubernetes."""
    found = pod_container_of(journal)
    return found.__dict__ if found.pod else None
