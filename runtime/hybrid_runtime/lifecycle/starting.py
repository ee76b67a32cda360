"""The start of a container: its supervisor is asked to start the core, and answers as the kernel does."""

import posix as os

from hybrid_runtime.bundle.annotations import start_seconds
from hybrid_runtime.container.container import Container
from hybrid_runtime.container.record import CREATED, STARTED
from hybrid_runtime.container.status import RUNNING
from hybrid_runtime.container.store import HeldFolder
from hybrid_runtime.supervisor.control import ask
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# The supervisor undoes a failed start, which may take as long as stopping a core.
_DEATH_SECONDS = 15.0
_MOST_REASONS = 4


def start(container: Container, warn: "Callable[[str], None]") -> None:
    """Returns when the firmware runs. `warn` is told of hooks that fail after a failed start. Raises Failure."""
    _require_startable(container)
    if container.record.hooks:
        _start_between_hooks(container, warn)
    else:
        _start(container)


def _require_startable(container: Container) -> None:
    if not container.status.can_start:
        raise Failure(
            f"container `{container.identifier}` is {container.status}, only a created one can be started",
            "create it again",
        )


def _start_between_hooks(container: Container, warn: "Callable[[str], None]") -> None:
    """A hook that fails ends the container as if it were deleted (spec, Lifecycle, steps 9 and 12)."""
    from hybrid_runtime.bundle.bundle import kept_bundle
    from hybrid_runtime.bundle.hook import refuse_image_hooks
    from hybrid_runtime.container.hook_run import HookFailed, run_hooks
    from hybrid_runtime.system.interruption import interrupt_on_termination

    interrupt_on_termination()
    _wait_for_turn(container.folder)
    container.look_again()
    _require_startable(container)
    record = container.record
    bundle = kept_bundle(container.folder.content, record.bundle)
    # Earlier versions have taken them.
    refuse_image_hooks(bundle.hooks)
    try:
        _start(container)
        run_hooks("poststart", bundle, record, RUNNING)
    except HookFailed:
        for problem in container.destroy():
            warn(problem)
        raise


def _wait_for_turn(folder: HeldFolder) -> None:
    """One start at a time, so that hooks run once; the lock ends with this process."""
    from fcntl import LOCK_EX, flock

    flock(os.open(folder.content, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), LOCK_EX)


def _start(container: Container) -> None:
    identifier = container.identifier
    seconds = start_seconds(container.record.annotations)
    process = container.open_supervisor()
    if process is None:
        raise Failure(f"container `{identifier}` ended before it could start", "create it again")
    deadline = Deadline(seconds)
    answer = ask(container.folder.content, "start", deadline)
    with process:
        if answer is None and not deadline.expired and process.wait_until_gone(Deadline(_DEATH_SECONDS)):
            # It hung up: another start failed, or it was stopped or killed meanwhile.
            raise Failure(
                f"container `{identifier}` ended before it could start",
                f"`hybrid-runtime logs {identifier}` tells why",
            )
        if answer is None:
            raise _given_up(container, seconds)
        if answer.get("ok") is True:
            return
        if container.load().phase == CREATED:
            # Engines cannot remove a container whose process outlives a failed start.
            process.wait_until_gone(Deadline(_DEATH_SECONDS))
    raise _with_memory(container, answer)


def _given_up(container: Container, seconds: float) -> Failure:
    """What a start without an answer says. It kills what did not start, never what another start has started."""
    identifier = container.identifier
    if container.load().phase == STARTED:
        return Failure(f"container `{identifier}` was started meanwhile", "only a created one can be started")
    container.kill()
    return Failure(
        f"container `{identifier}` did not start within {seconds:g} s and was killed",
        "the kernel or the driver hangs, see dmesg; the annotation remoteproc.start-timeout allows more",
    )


def _with_memory(container: Container, answer: dict[str, object]) -> Failure:
    """The refusal. Of firmware that the core has no memory for it also says what memory there is."""
    from hybrid_runtime.processor.memory import explained

    failure = refusal(answer)
    explanation = explained(container.store.system, container.record.device, _kernel_lines(answer))
    if not explanation:
        return failure
    return Failure(f"{failure.message}; {explanation}", "link the firmware there: hybrid-runtime processors --memory")


def refusal(answer: dict[str, object]) -> Failure:
    """As the supervisor answers. One of an older version gives no remedy apart from the message."""
    message = str(answer.get("message", "the supervisor gave no reason"))
    told = telling(_kernel_lines(answer))
    said = f"{message}; the kernel says: {'; '.join(told)}" if told else message
    return Failure(said, str(answer.get("remedy", "")))


def _kernel_lines(answer: dict[str, object]) -> list[str]:
    lines = answer.get("kernel")
    return [str(line) for line in lines] if isinstance(lines, list) else []


def telling(lines: list[str]) -> list[str]:
    """The kernel's reasons in few words, for one line of an engine; the container's log has all it said.

    Without driver and device, which the message names, without what every start begins with, and without the last
    line, which only repeats the errno (rproc_boot in remoteproc_core.c).
    """
    texts = [line.split(": ", 1)[-1] for line in lines]
    reasons = [text for text in texts if not text.startswith(("powering up ", "Booting fw image ", "Boot failed: "))]
    return (reasons or texts)[:_MOST_REASONS]
