"""`list`: every container below --root, as runc lists them, and the processor each one holds."""

import os

from hybrid_runtime.command.columns import say_json, table, wanted_format
from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.container.container import Container
from hybrid_runtime.container.record import UnreadableRecord
from hybrid_runtime.container.state import END_SECONDS, bundle_annotations, kept_configuration, oci_state
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure

UNREADABLE = "unreadable"
_COLUMNS = ("id", "pid", "status", "bundle", "created", "owner", "processor")


def run(context: Context, values: Values) -> int:
    form = wanted_format(values, "list")
    if values.has("quiet"):
        context.say("".join(f"{identifier}\n" for identifier in context.store.identifiers()))
        return 0
    deadline = Deadline(END_SECONDS)
    described = [describe(context, identifier, deadline) for identifier in context.store.identifiers()]
    entries = [entry for entry in described if entry is not None]
    if form == "json":
        say_json(context, entries)
    else:
        context.say(table(_COLUMNS, entries))
    return 0


def describe(context: Context, identifier: str, deadline: Deadline) -> dict[str, object] | None:
    """The state, and what runc's list adds to it. None when the container has gone meanwhile.

    Until the deadline, one that is about to end is waited for.
    A record that cannot be read keeps no other container from being listed.
    """
    folder = context.store.folder(identifier)
    try:
        container = Container(context.store, identifier)
        container.await_end(deadline)
    except UnreadableRecord as failure:
        unknown: dict[str, object] = {"id": identifier, "pid": 0, "status": UNREADABLE, "bundle": "", "created": ""}
        return {**unknown, "owner": _owner(folder), "processor": "", "error": str(failure)}
    except Failure:
        return None
    configuration = kept_configuration(container.folder.content)
    owner = _owner(container.folder.content)
    container.close()
    record = container.record
    return {
        **oci_state(record, container.status, bundle_annotations(configuration)),
        "rootfs": _root_of(configuration, record.bundle),
        "owner": owner,
        "processor": record.processor,
    }


def _root_of(configuration: dict[str, object], bundle: str) -> str:
    """ "" while there is no configuration."""
    root = configuration.get("root")
    path = root.get("path") if isinstance(root, dict) else None
    return os.path.join(bundle, path) if isinstance(path, str) else ""


def _owner(folder: str) -> str:
    """The user's name, `#1000` for one without."""
    from pwd import getpwuid

    try:
        user = os.stat(folder).st_uid
    except OSError:
        return ""
    try:
        return getpwuid(user).pw_name
    except KeyError:
        return f"#{user}"
