"""`start`: ask the supervisor to start the core, and return with the kernel's verdict."""

from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.container.ending import kill_and_undo
from hybrid_runtime.container.status import status_of
from hybrid_runtime.deadline import Deadline
from hybrid_runtime.failure import Failure
from hybrid_runtime.firmware.annotations import start_seconds
from hybrid_runtime.process_identity import ProcessHandle
from hybrid_runtime.supervisor.control import ask

# The supervisor undoes a failed start, which may take as long as stopping a core.
_DEATH_SECONDS = 15.0


def run(context: Context, values: Values) -> int:
    identifier = values.arguments[0]
    record = context.store.load(identifier)
    status = status_of(context.machine, record)
    if not status.can_start:
        raise Failure(f"container `{identifier}` is {status}, only a created one can be started", "create it again")
    folder = context.store.folder(identifier)
    seconds = start_seconds(record.annotations)
    process = ProcessHandle.open(record.pid, record.pid_start_time)
    if process is None:
        raise Failure(f"container `{identifier}` ended before it could start", "create it again")
    deadline = Deadline(seconds)
    answer = ask(folder, "start", deadline)
    with process:
        if answer is None and not deadline.expired and process.wait_until_gone(Deadline(_DEATH_SECONDS)):
            # It hung up: another start failed, or it was stopped or killed meanwhile.
            raise Failure(
                f"container `{identifier}` ended before it could start",
                f"`hybrid-runtime logs {identifier}` tells why",
            )
        if answer is None:
            kill_and_undo(context.machine, context.store.root, folder, record)
            raise Failure(
                f"container `{identifier}` did not start within {seconds:g} s and was killed",
                "the kernel or the driver hangs, see dmesg; the annotation remoteproc.start-timeout allows more",
            )
        if answer.get("ok") is True:
            return 0
        if context.store.load(identifier).phase == "created":
            # Engines cannot remove a container whose process outlives a failed start.
            process.wait_until_gone(Deadline(_DEATH_SECONDS))
    raise Failure(_explain(answer))


def _explain(answer: dict[str, object]) -> str:
    message = str(answer.get("message", "the supervisor gave no reason"))
    lines = answer.get("kernel")
    if not isinstance(lines, list) or not lines:
        return message
    return f"{message}; the kernel says: " + "; ".join(str(line) for line in lines)
