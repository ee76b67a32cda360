"""`state`: the OCI state of a container, computed now."""

import posix as os

from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.container.state import oci_state
from hybrid_runtime.container.status import settled
from hybrid_runtime.json_text import write, write_for_person


def run(context: Context, values: Values) -> int:
    state = oci_state(*settled(context.machine, context.store.root, lambda: context.store.load(values.arguments[0])))
    text = write_for_person(state) if os.isatty(1) else write(state)
    context.say(text + "\n")
    return 0
