"""`processors`: what this board has, what runs there, and who holds it. Looks only: no device is opened."""

from hybrid_runtime.command.columns import say_json, table, wanted_format
from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.command.processor_entry import board_entry, processor_entry
from hybrid_runtime.processor.remoteproc import ProcessorGone, Remoteproc, processors
from hybrid_runtime.system.system_paths import SystemPaths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hybrid_runtime.processor.memory import Region

_COLUMNS = ("device", "name", "state", "firmware", "container")
_MEMORY_COLUMNS = ("device", "name", "memory", "from", "to", "size", "origin")


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
    board = board_entry(context.system)
    entries = [processor_entry(context.system, remoteproc) | board for remoteproc in every]
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
