"""`delete`: everything a container holds is given back, then its folder goes."""

from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.container.ending import destroy, kill_and_undo_unrecorded
from hybrid_runtime.container.record import UnreadableRecord
from hybrid_runtime.container.status import STOPPED, status_of
from hybrid_runtime.container.store import remove_folder
from hybrid_runtime.deadline import Deadline
from hybrid_runtime.engine_phrases import DOES_NOT_EXIST
from hybrid_runtime.failure import Failure
from hybrid_runtime.process_identity import ProcessHandle

# A supervisor that is already ending gets this long to do it itself.
_ENDING_SECONDS = 15.0


def run(context: Context, values: Values) -> int:
    identifier = values.arguments[0]
    force = values.has("force")
    folder = context.store.folder(identifier)
    try:
        record = context.store.load(identifier)
    except UnreadableRecord:
        if not force:
            raise
        kill_and_undo_unrecorded(context.machine, context.store.root, identifier)
        remove_folder(folder)
        return 0
    except Failure as failure:
        # Engines delete once more after everything, to be sure.
        if force and failure.message == DOES_NOT_EXIST:
            # Nothing is left of it, unless somebody has removed its folder from under its supervisor.
            kill_and_undo_unrecorded(context.machine, context.store.root, identifier)
            return 0
        raise
    status = status_of(context.machine, record)
    if not force and not status.can_delete:
        raise Failure(
            f"container `{identifier}` is {status}",
            f"`hybrid-runtime kill {identifier}` first, or delete --force",
        )
    if status is STOPPED:
        process = ProcessHandle.open(record.pid, record.pid_start_time)
        if process:
            with process:
                process.wait_until_gone(Deadline(_ENDING_SECONDS))
    for problem in destroy(context.machine, context.store.root, folder, record):
        context.warn(problem)
    return 0
