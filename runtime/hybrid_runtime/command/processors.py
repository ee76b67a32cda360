"""`processors`: what this board has, what runs there, and who holds it. Looks only: no device is opened."""

import os

from hybrid_runtime.command.columns import say_json, table, wanted_format
from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.container.claim import Journal
from hybrid_runtime.container.holder import holding_journal
from hybrid_runtime.container.holder_refusal import pod_container_of
from hybrid_runtime.processor.choice import obstacle_of
from hybrid_runtime.processor.kind import kind_of
from hybrid_runtime.processor.remoteproc import ProcessorGone, Remoteproc, processors
from hybrid_runtime.system.failure import Failure, reason
from hybrid_runtime.system.system_paths import SystemPaths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from hybrid_runtime.processor.memory import Region

_COLUMNS = ("device", "name", "state", "firmware", "container")
_MEMORY_COLUMNS = ("device", "name", "memory", "from", "to", "size", "origin")


def describe(system: SystemPaths, remoteproc: Remoteproc) -> dict[str, object]:
    """`container` is null when none of ours holds it, and `obstacle` when nothing keeps a container from it; the
    booleans say what the processor supports."""
    device = remoteproc.device
    try:
        controllable = not (remoteproc.is_read_only() or remoteproc.is_mounted_read_only())
    except OSError:
        controllable = False
    journal = holding_journal(system, device)
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
        "obstacle": None if journal else _obstacle(remoteproc),
        "path": os.path.realpath(remoteproc.path),
        "recovery": remoteproc.read_or("recovery", "") or None,
        "coredump": remoteproc.read_or("coredump", "") or None,
        "controllable": controllable,
        "stops_with_its_container": os.path.exists(system.device_node(device)),
        "trace": os.path.isdir(system.trace_folder(device)),
    }


def _told(ask: "Callable[[], str]") -> str | None:
    """Null where the kernel does not tell."""
    try:
        return ask() or None
    except (Failure, OSError):
        return None


def _obstacle(remoteproc: Remoteproc) -> str | None:
    try:
        found = obstacle_of(remoteproc)
    except (Failure, OSError) as error:
        return reason(error)
    return str(found) if found else None


def _pod(journal: Journal) -> dict[str, str] | None:
    """Whose the holder is in Kubernetes."""
    found = pod_container_of(journal)
    return found.__dict__ if found.pod else None


def memory(system: SystemPaths, remoteproc: Remoteproc) -> "list[Region]":
    """Where firmware may be loaded to, in the core's own addresses. Empty where the kernel does not tell."""
    from hybrid_runtime.processor.memory import regions

    try:
        return regions(system, remoteproc)
    except ProcessorGone:
        return []


def _memory_rows(entry: dict[str, object], places: "list[Region]") -> list[dict[str, object]]:
    """One for each place, and one for a processor of which nothing is known."""
    processor = {"device": entry["device"], "name": entry["name"]}
    rows = [
        {
            **processor,
            "memory": place.name,
            "from": f"{place.start:#010x}",
            "to": f"{place.end:#010x}",
            "size": place.size,
            "origin": place.origin,
        }
        for place in places
    ]
    return rows or [processor]


def run(context: Context, values: Values) -> int:
    form = wanted_format(values, "processors")
    every = processors(context.system)
    entries = [describe(context.system, remoteproc) for remoteproc in every]
    columns: tuple[str, ...] = _COLUMNS
    rows = entries
    if values.has("memory"):
        places = [memory(context.system, remoteproc) for remoteproc in every]
        columns = _MEMORY_COLUMNS
        rows = [row for entry, each in zip(entries, places, strict=True) for row in _memory_rows(entry, each)]
        for entry, each in zip(entries, places, strict=True):
            entry["memory"] = [place.__dict__ for place in each]
    if form == "json":
        say_json(context, entries)
    else:
        context.say(table(columns, rows))
    return 0
