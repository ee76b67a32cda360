"""`state`: the OCI state of a container, computed now."""

import os

from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.container.record import Record
from hybrid_runtime.container.status import STOPPED, status_of
from hybrid_runtime.json_text import write, write_for_person
from hybrid_runtime.machine import Machine

# Of the state schema: the version this document is written after.
STATE_VERSION = "1.0.2"


def oci_state(machine: Machine, record: Record) -> dict[str, object]:
    """The state of the spec; what happened to the container is told in annotations of our own."""
    status = status_of(machine, record)
    annotations = dict(record.annotations)
    annotations["remoteproc.resolved-path"] = record.resolved_path
    if record.firmware_file:
        annotations["remoteproc.firmware"] = record.firmware_file
    if record.crashes:
        annotations["remoteproc.crashes"] = str(record.crashes)
        annotations["remoteproc.crash-time"] = record.crash_time
        annotations["remoteproc.crash-type"] = record.crash_type
    if record.end:
        annotations["remoteproc.exit-code"] = str(record.end.code)
        annotations["remoteproc.exit-reason"] = record.end.reason
        annotations["remoteproc.exit-time"] = record.end.time
    return {
        "ociVersion": STATE_VERSION,
        "id": record.identifier,
        "status": status.name,
        "pid": 0 if status is STOPPED else record.pid,
        "bundle": record.bundle,
        "created": record.created,
        "annotations": annotations,
    }


def run(context: Context, values: Values) -> int:
    state = oci_state(context.machine, context.store.load(values.arguments[0]))
    text = write_for_person(state) if os.isatty(1) else write(state)
    context.say(text + "\n")
    return 0
