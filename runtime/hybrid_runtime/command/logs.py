"""`logs`: what the firmware printed goes to standard output, what the supervisor said of it to standard error."""

import gc
import posix as os

from hybrid_runtime.command.context import Context, put
from hybrid_runtime.command.options import Values, usage_error
from hybrid_runtime.container.container import Container
from hybrid_runtime.container.log import FIRMWARE_STREAM, LogLine, LogReader, parse_line
from hybrid_runtime.container.store import LOG
from hybrid_runtime.system.text import visible

_LOOK_AGAIN_SECONDS = 0.05


def run(context: Context, values: Values) -> int:
    identifier = values.arguments[0]
    tail = _tail(values)
    container = Container(context.store, identifier)
    reader = LogReader(f"{container.folder.content}/{LOG}")
    alive = container.has_supervisor
    lines = reader.earlier_lines() + reader.new_lines()
    printer = _Printer(timestamps=values.has("timestamps"))
    printer.print(lines if tail is None else lines[len(lines) - min(tail, len(lines)) :])
    gc.enable()
    while values.has("follow") and alive:
        from time import sleep

        sleep(_LOOK_AGAIN_SECONDS)
        # Liveness before the lines: the last ones are written before the process goes.
        alive = container.has_supervisor and not printer.has_lost_its_reader()
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
    def __init__(self, *, timestamps: bool) -> None:
        self.timestamps = timestamps
        self.reader_left = False
        self.terminals = [descriptor for descriptor in (1, 2) if os.isatty(descriptor)]

    def has_lost_its_reader(self) -> bool:
        """Also while the firmware says nothing: a connection that broke would leave us following for ever."""
        return self.reader_left or _is_broken(1)

    def print(self, lines: list[str]) -> None:
        for text in lines:
            line = parse_line(text)
            if line is None:
                continue
            if line.stream == FIRMWARE_STREAM:
                self.reader_left |= not put(1, self._form(line, 1) + ("\n" if line.complete else ""))
            else:
                put(2, self._form(line, 2) + "\n")

    def _form(self, line: LogLine, descriptor: int) -> str:
        """Firmware is a stranger: a terminal is shown its control characters, and does not act on them. A file or a
        pipe gets what was printed."""
        text = visible(line.text, kept="\t") if descriptor in self.terminals else line.text
        return f"{line.time} {text}" if self.timestamps else text


def _is_broken(descriptor: int) -> bool:
    """Whether it is a pipe, a socket or a terminal of which nobody holds the other end."""
    from select import POLLERR, POLLHUP, poll

    looking = poll()
    looking.register(descriptor, 0)
    return any(event & (POLLERR | POLLHUP) for _, event in looking.poll(0))
