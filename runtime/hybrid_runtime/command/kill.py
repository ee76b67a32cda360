"""`kill`: an orderly stop by the supervisor, or SIGKILL, which also sees to the core."""

from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.container.container import Container
from hybrid_runtime.container.engine_phrases import NOT_RUNNING
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.system_calls import STOP_SIGNALS, signals

# What an orderly stop gets before kill returns. A healthy one takes milliseconds.
STOP_SECONDS = 2.0


def signal_number(text: str) -> int:
    """`15`, `TERM`, `SIGTERM`, `RTMIN+3`, `RTMAX-2`, in any case. Raises Failure."""
    name = text.upper()
    if name.isascii() and name.isdigit():
        number = int(name[:9])
        if number in {int(valid) for valid in signals.valid_signals()}:
            return number
    elif (real_time := _real_time_number(name.removeprefix("SIG"))) is not None:
        return real_time
    else:
        named = getattr(signals, name if name.startswith("SIG") else f"SIG{name}", None)
        # SIG_IGN, SIG_UNBLOCK and the like are numbers too, of something else.
        if isinstance(named, int) and "_" not in name and named > 0:
            return int(named)
    raise Failure(f"`{text}` is not a signal", "give a name such as TERM or a number such as 15")


def _real_time_number(name: str) -> int | None:
    """Of a name relative to the first or last real-time signal (signal(7)); None for any other."""
    base, sign, offset = name[:5], name[5:6], name[6:]
    if (base, sign) not in (("RTMIN", "+"), ("RTMAX", "-")) or not (offset.isascii() and offset.isdigit()):
        return None
    first, last = int(signals.SIGRTMIN), int(signals.SIGRTMAX)
    number = first + int(offset[:9]) if sign == "+" else last - int(offset[:9])
    return number if first <= number <= last else None


def run(context: Context, values: Values) -> int:
    identifier, *rest = values.arguments
    number = signal_number(rest[0] if rest else "TERM")
    container = Container(context.store, identifier)
    if not container.status.can_kill:
        _finish_death(container)
        return 0
    if number == signals.SIGKILL:
        container.kill()
        return 0
    process = container.open_supervisor()
    if process is None:
        raise Failure(NOT_RUNNING)
    # The others mean nothing to a core. Sent all the same, some would end or freeze the supervisor.
    if number in STOP_SIGNALS or number == _stop_signal(container):
        with process:
            if not process.send(signals.SIGTERM):
                raise Failure(NOT_RUNNING)
            # Whoever asks for the state now shall not be told that it runs. A stop that takes longer goes on.
            process.wait_until_gone(Deadline(STOP_SECONDS))
    return 0


def _stop_signal(container: Container) -> int:
    """The image's own word for an orderly stop; 0 for none, and for one that no system has."""
    from hybrid_runtime.bundle.annotations import STOP_SIGNAL

    named = container.record.annotations.get(STOP_SIGNAL, "")
    try:
        return signal_number(named)
    except Failure:
        return 0


def _finish_death(container: Container) -> None:
    """Of a container whose supervisor is dead: its core is stopped if it still runs. Raises Failure, with the words
    that engines know when there was nothing left to end."""
    from hybrid_runtime.container.holder import is_journaled_for

    system, device = container.store.system, container.record.device
    if device and is_journaled_for(system, device, container.owner):
        from hybrid_runtime.container.reclaim import reclaim

        if reclaim(system, device, container.owner):
            return
    raise Failure(NOT_RUNNING)
