"""`processors`: what this board has, what runs there, and who holds it. Looks only: no device is opened."""

import os

from hybrid_runtime.command.columns import say_json, table, wanted_format
from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.container.holder import holder
from hybrid_runtime.processor.remoteproc import ProcessorGone, Remoteproc, processors
from hybrid_runtime.system.system_paths import SystemPaths

_COLUMNS = ("device", "name", "state", "firmware", "container")
_MEMORY_COLUMNS = ("device", "name", "memory", "from", "to", "size", "origin")


def describe(system: SystemPaths, remoteproc: Remoteproc) -> dict[str, object]:
    """`container` is null when none of ours holds it; the booleans say what the processor supports."""
    device = remoteproc.device
    try:
        controllable = not (remoteproc.is_read_only() or remoteproc.is_mounted_read_only())
    except OSError:
        controllable = False
    return {
        "device": device,
        "name": remoteproc.read_or("name", ""),
        "state": remoteproc.read_or("state", "vanished"),
        "firmware": remoteproc.read_or("firmware", ""),
        "container": holder(system, device) or None,
        "path": os.path.realpath(remoteproc.path),
        "recovery": remoteproc.read_or("recovery", "") or None,
        "coredump": remoteproc.read_or("coredump", "") or None,
        "controllable": controllable,
        "stops_with_its_container": os.path.exists(system.device_node(device)),
        "trace": os.path.isdir(system.trace_folder(device)),
    }


def memory(system: SystemPaths, remoteproc: Remoteproc) -> list[dict[str, object]]:
    """Where firmware may be loaded to, in the core's own addresses. Empty where the kernel does not tell."""
    from hybrid_runtime.processor.memory import regions

    try:
        found = regions(system, remoteproc)
    except ProcessorGone:
        return []
    return [
        {"name": region.name, "start": region.start, "size": region.size, "origin": region.origin} for region in found
    ]


def _memory_rows(entry: dict[str, object]) -> list[dict[str, object]]:
    """One for each range, and one for a processor of which nothing is known."""
    processor = {"device": entry["device"], "name": entry["name"]}
    ranges = entry["memory"]
    assert isinstance(ranges, list)
    rows = [
        {
            **processor,
            "memory": each["name"],
            "from": f"{each['start']:#010x}",
            "to": f"{each['start'] + each['size'] - 1:#010x}",
            "size": each["size"],
            "origin": each["origin"],
        }
        for each in ranges
    ]
    return rows or [processor]


def run(context: Context, values: Values) -> int:
    form = wanted_format(values, "processors")
    every = processors(context.system)
    found = [describe(context.system, remoteproc) for remoteproc in every]
    with_memory = values.has("memory")
    if with_memory:
        for entry, remoteproc in zip(found, every, strict=True):
            entry["memory"] = memory(context.system, remoteproc)
    if form == "json":
        say_json(context, found)
    elif with_memory:
        context.say(table(_MEMORY_COLUMNS, [row for entry in found for row in _memory_rows(entry)]))
    else:
        context.say(table(_COLUMNS, found))
    return 0
