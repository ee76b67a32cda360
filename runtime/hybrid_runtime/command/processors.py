"""`processors`: what this board has, what runs there, and who holds it. Looks only: no device is opened."""

import os

from hybrid_runtime.command.columns import say_json, table, wanted_format
from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.container.holder import holder
from hybrid_runtime.processor.remoteproc import Remoteproc, processors
from hybrid_runtime.system.system_paths import SystemPaths

_COLUMNS = ("device", "name", "state", "firmware", "container")


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


def run(context: Context, values: Values) -> int:
    form = wanted_format(values, "processors")
    found = [describe(context.system, remoteproc) for remoteproc in processors(context.system)]
    if form == "json":
        say_json(context, found)
    else:
        context.say(table(_COLUMNS, found))
    return 0
