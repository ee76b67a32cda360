"""`logs`: what the firmware printed goes to standard output, what the supervisor said of it to standard error."""

import gc

from hybrid_runtime.command.context import Context, complain
from hybrid_runtime.command.options import Values, usage_error
from hybrid_runtime.container.log import FIRMWARE_STREAM, LogLine, LogReader, parse_line
from hybrid_runtime.container.status import has_supervisor
from hybrid_runtime.container.store import LOG

_LOOK_AGAIN_SECONDS = 0.05


def run(context: Context, values: Values) -> int:
    identifier = values.arguments[0]
    tail = _tail(values)
    record = context.store.load(identifier)
    reader = LogReader(f"{context.store.folder(identifier)}/{LOG}")
    alive = has_supervisor(context.machine, context.store.root, record)
    lines = reader.earlier_lines() + reader.new_lines()
    printer = _Printer(context, timestamps=values.has("timestamps"))
    printer.print(lines if tail is None else lines[len(lines) - min(tail, len(lines)) :])
    gc.enable()
    while values.has("follow") and alive:
        from time import sleep

        sleep(_LOOK_AGAIN_SECONDS)
        # Liveness before the lines: the last ones are written before the process goes.
        alive = has_supervisor(context.machine, context.store.root, record) and not printer.has_lost_its_reader()
        printer.print(reader.new_lines())
    return 0


def _tail(values: Values) -> int | None:
    text = values.get("tail")
    if not values.has("tail") or text == "all":
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise usage_error(f"--tail `{text}` is not a number of lines", "logs")
    return int(text)


class _Printer:
    def __init__(self, context: Context, *, timestamps: bool) -> None:
        self.context = context
        self.timestamps = timestamps
        self.reader_left = False

    def has_lost_its_reader(self) -> bool:
        """Also while the firmware says nothing: a connection that broke would leave us following for ever."""
        return self.reader_left or _is_broken(1)

    def print(self, lines: list[str]) -> None:
        for text in lines:
            line = parse_line(text)
            if line is None:
                continue
            if line.stream == FIRMWARE_STREAM:
                self.reader_left |= not self.context.say(self._form(line) + ("\n" if line.complete else ""))
            else:
                complain(self._form(line))

    def _form(self, line: LogLine) -> str:
        return f"{line.time} {line.text}" if self.timestamps else line.text


def _is_broken(descriptor: int) -> bool:
    """Whether it is a pipe, a socket or a terminal of which nobody holds the other end."""
    from select import POLLERR, POLLHUP, poll

    looking = poll()
    looking.register(descriptor, 0)
    return any(event & (POLLERR | POLLHUP) for _, event in looking.poll(0))
