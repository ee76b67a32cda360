"""`state`: the OCI state of a container, computed now."""

import posix as os

from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.container.container import Container
from hybrid_runtime.container.state import END_SECONDS, bundle_annotations, kept_configuration, oci_state
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.json_text import write, write_for_person


def run(context: Context, values: Values) -> int:
    container = Container(context.store, values.arguments[0])
    container.await_end(Deadline(END_SECONDS))
    annotations = bundle_annotations(kept_configuration(container.folder.content))
    state = oci_state(container.record, container.status, annotations)
    text = write_for_person(state) if os.isatty(1) else write(state)
    context.say(text + "\n")
    return 0
