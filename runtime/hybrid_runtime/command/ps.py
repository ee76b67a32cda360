"""`ps`: the one process of a container. What ps(1) could be told after the id means nothing for it."""

from hybrid_runtime.command.columns import say_json, table, wanted_format
from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.container.status import STOPPED, settled


def run(context: Context, values: Values) -> int:
    form = wanted_format(values, "ps")
    record, status = settled(context.machine, context.store.root, lambda: context.store.load(values.arguments[0]))
    pids = [] if status is STOPPED else [record.pid]
    if form == "json":
        say_json(context, pids)
        return 0
    facts = {"status": status.name, "processor": record.processor, "firmware": record.firmware_name}
    context.say(table(("pid", *facts), [{"pid": pid, **facts} for pid in pids]))
    return 0
