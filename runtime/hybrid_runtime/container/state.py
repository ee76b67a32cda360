"""A container's state as the OCI runtime spec words it (State): for `state`, and for hooks."""

from hybrid_runtime import SPEC_VERSION
from hybrid_runtime.container.record import Record
from hybrid_runtime.container.status import STOPPED, Status


def oci_state(record: Record, status: Status) -> dict[str, object]:
    """The state of the spec; what happened to the container is told in annotations of our own."""
    annotations = dict(record.annotations)
    annotations["remoteproc.resolved-path"] = record.resolved_path
    if record.firmware_file:
        annotations["remoteproc.firmware"] = record.firmware_file
    if record.crashes:
        annotations["remoteproc.crashes"] = str(record.crashes)
        annotations["remoteproc.crash-time"] = record.crash_time
        annotations["remoteproc.crash-type"] = record.crash_type
    if record.coredump_path:
        annotations["remoteproc.coredump-path"] = record.coredump_path
    if record.end:
        annotations["remoteproc.exit-code"] = str(record.end.code)
        annotations["remoteproc.exit-reason"] = record.end.reason
        annotations["remoteproc.exit-time"] = record.end.time
    return {
        # Of the spec that this state follows (runtime.md, State), whatever the bundle's.
        "ociVersion": SPEC_VERSION,
        "id": record.identifier,
        "status": status.name,
        "pid": 0 if status is STOPPED else record.pid,
        "bundle": record.bundle,
        "created": record.created,
        "annotations": annotations,
    }
