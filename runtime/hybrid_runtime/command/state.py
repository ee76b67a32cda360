"""`state`: the OCI state of a container, computed now."""

import posix as os

from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.container.state import bundle_annotations, kept_configuration, oci_state
from hybrid_runtime.container.status import settled
from hybrid_runtime.json_text import write, write_for_person


def run(context: Context, values: Values) -> int:
    identifier = values.arguments[0]
    record, status = settled(context.machine, context.store.root, lambda: context.store.load(identifier))
    annotations = bundle_annotations(kept_configuration(context.store.folder(identifier)))
    state = oci_state(record, status, annotations)
    text = write_for_person(state) if os.isatty(1) else write(state)
    context.say(text + "\n")
    return 0
