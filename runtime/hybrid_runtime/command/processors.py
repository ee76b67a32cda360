"""`processors`: what this board has, what runs there, and who holds it. Looks only: no device is opened."""

import os

from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values, usage_error
from hybrid_runtime.container.claim import holder
from hybrid_runtime.json_text import write, write_for_person
from hybrid_runtime.machine import Machine
from hybrid_runtime.processor.remoteproc import Remoteproc, processors

_COLUMNS = ("device", "name", "state", "firmware", "container")


def describe(machine: Machine, remoteproc: Remoteproc) -> dict[str, object]:
    """`container` is null when none of ours holds it; the booleans say what the processor supports."""
    device = remoteproc.device
    try:
        controllable = not remoteproc.is_read_only()
    except OSError:
        controllable = False
    return {
        "device": device,
        "name": remoteproc.read_or("name", ""),
        "state": remoteproc.read_or("state", "vanished"),
        "firmware": remoteproc.read_or("firmware", ""),
        "container": holder(machine, device) or None,
        "path": os.path.realpath(remoteproc.path),
        "recovery": remoteproc.read_or("recovery", "") or None,
        "coredump": remoteproc.read_or("coredump", "") or None,
        "controllable": controllable,
        "stops_with_its_container": os.path.exists(machine.device_node(device)),
        "trace": os.path.isdir(machine.trace_folder(device)),
    }


def run(context: Context, values: Values) -> int:
    form = values.get("format", "table")
    if form not in ("table", "json"):
        raise usage_error(f"--format `{form}` is neither table nor json", "processors")
    found = [describe(context.machine, remoteproc) for remoteproc in processors(context.machine)]
    if form == "json":
        context.say((write_for_person(found) if os.isatty(1) else write(found)) + "\n")
    else:
        context.say(_table(found))
    return 0


def _table(found: list[dict[str, object]]) -> str:
    rows = [tuple(column.upper() for column in _COLUMNS)]
    rows += [tuple(str(entry[column] or "-") for column in _COLUMNS) for entry in found]
    widths = [max(len(row[index]) for row in rows) for index in range(len(_COLUMNS))]
    return "".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows
    )
