"""`start`: the firmware runs when it returns."""

from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.container.container import Container
from hybrid_runtime.lifecycle.starting import start


def run(context: Context, values: Values) -> int:
    start(Container(context.store, values.arguments[0]), context.warn)
    return 0
