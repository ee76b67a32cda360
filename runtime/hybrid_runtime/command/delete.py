"""`delete`: everything a container holds is given back, then its folder goes."""

from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.container.ending import destroy
from hybrid_runtime.container.record import UnreadableRecord
from hybrid_runtime.container.status import STOPPED, open_supervisor, settled
from hybrid_runtime.deadline import Deadline
from hybrid_runtime.engine_phrases import DOES_NOT_EXIST
from hybrid_runtime.failure import Failure

# A supervisor that is already ending gets this long to do it itself.
_ENDING_SECONDS = 15.0


def run(context: Context, values: Values) -> int:
    identifier = values.arguments[0]
    force = values.has("force")
    try:
        folder = context.store.hold(identifier)
        record, status = settled(context.machine, context.store.root, lambda: context.store.load(identifier, folder))
    except UnreadableRecord:
        if not force:
            raise
        _clear_unrecorded(context, identifier)
        return 0
    except Failure as failure:
        # Engines delete once more after everything, to be sure. And somebody may have removed the folder from under
        # its supervisor, or the create was killed as it had made the folder.
        if not force or failure.message != DOES_NOT_EXIST:
            raise
        _clear_unrecorded(context, identifier)
        return 0
    if not force and not status.can_delete:
        raise Failure(
            f"container `{identifier}` is {status}",
            f"`hybrid-runtime kill {identifier}` first, or delete --force",
        )
    if status is STOPPED:
        process = open_supervisor(context.machine, context.store.root, record)
        if process:
            with process:
                process.wait_until_gone(Deadline(_ENDING_SECONDS))
    for problem in destroy(context.machine, context.store.root, folder, record):
        context.warn(problem)
    return 0


def _clear_unrecorded(context: Context, identifier: str) -> None:
    from hybrid_runtime.container.abandoned import clear_unrecorded

    clear_unrecorded(context.machine, context.store, identifier)
