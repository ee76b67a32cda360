"""A container's state as the OCI runtime spec words it (State): for `state`, and for hooks."""

from hybrid_runtime import CONFIG, SPEC_VERSION
from hybrid_runtime.container.record import Record
from hybrid_runtime.container.status import STOPPED, Status
from hybrid_runtime.system.json_text import BadJSON, read_object

# What a supervisor whose core has stopped gets to say how. A healthy one takes milliseconds.
END_SECONDS = 2.0


def kept_configuration(folder: str) -> dict[str, object]:
    """The bundle's config.json as create has found it; empty while there is none."""
    try:
        with open(f"{folder}/{CONFIG}", "rb") as source:
            return read_object(source.read())
    except (OSError, BadJSON):
        return {}


def bundle_annotations(configuration: dict[str, object]) -> dict[str, str]:
    """All of them: the record has only those that tell this runtime something."""
    annotations = configuration.get("annotations")
    return annotations if isinstance(annotations, dict) else {}


def oci_state(record: Record, status: Status, bundle_annotations: dict[str, str]) -> dict[str, object]:
    """The state of the spec; what happened to the container is told in annotations of our own."""
    annotations = {**bundle_annotations, **record.annotations}
    annotations["remoteproc.resolved-path"] = record.resolved_path
    if record.firmware_file:
        annotations["remoteproc.firmware"] = record.firmware_file
    if record.crashes:
        annotations["remoteproc.crashes"] = str(record.crashes)
        annotations["remoteproc.crash-time"] = record.crash_time
        annotations["remoteproc.crash-type"] = record.crash_type
    if record.coredump_path:
        annotations["remoteproc.coredump-path"] = record.coredump_path
    if record.refused_stop:
        annotations["remoteproc.refused-stop"] = record.refused_stop
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
