"""`delete`: everything a container holds is given back, then its folder goes."""

from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.container.container import Container
from hybrid_runtime.container.engine_phrases import DOES_NOT_EXIST
from hybrid_runtime.container.record import UnreadableRecord
from hybrid_runtime.container.status import STOPPED
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure

# A supervisor that is already ending gets this long to do it itself.
_ENDING_SECONDS = 15.0


def run(context: Context, values: Values) -> int:
    identifier = values.arguments[0]
    force = values.has("force")
    try:
        container = Container(context.store, identifier)
    except UnreadableRecord:
        if not force:
            raise
        _remove_unrecorded(context, identifier)
        return 0
    except Failure as failure:
        # Engines delete once more after everything, to be sure. And somebody may have removed the folder from under
        # its supervisor, or the create was killed as it had made the folder.
        if not force or failure.message != DOES_NOT_EXIST:
            raise
        _remove_unrecorded(context, identifier)
        return 0
    if not force and not container.status.can_delete:
        raise Failure(
            f"container `{identifier}` is {container.status}",
            f"`hybrid-runtime kill {identifier}` first, or delete --force",
        )
    if container.status is STOPPED:
        process = container.open_supervisor()
        if process:
            with process:
                process.wait_until_gone(Deadline(_ENDING_SECONDS))
    for problem in container.destroy():
        context.warn(problem)
    return 0


def _remove_unrecorded(context: Context, identifier: str) -> None:
    from hybrid_runtime.container.sweep import remove_unrecorded

    remove_unrecorded(context.store, identifier)
