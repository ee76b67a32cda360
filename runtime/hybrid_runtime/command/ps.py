"""`ps`: the one process of a container. What ps(1) could be told after the id means nothing for it."""

from hybrid_runtime.command.columns import say_json, table, wanted_format
from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.container.container import Container
from hybrid_runtime.container.status import STOPPED


def run(context: Context, values: Values) -> int:
    form = wanted_format(values, "ps")
    container = Container(context.store, values.arguments[0])
    record = container.record
    pids = [] if container.status is STOPPED else [record.pid]
    if form == "json":
        say_json(context, pids)
        return 0
    facts = {"status": container.status.name, "processor": record.processor, "firmware": record.firmware_name}
    context.say(table(("pid", *facts), [{"pid": pid, **facts} for pid in pids]))
    return 0
