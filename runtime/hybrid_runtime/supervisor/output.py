"""What the firmware and the supervisor say, as lines: to the engine's descriptors and to the container's log.

A reader that is slow or gone never stops the supervisor: buffers are bounded, and drops are counted.
"""

from hybrid_runtime.container.log import FIRMWARE_STREAM, SUPERVISOR_STREAM, ContainerLog
from hybrid_runtime.deadline import Deadline
from hybrid_runtime.quotation import message_line
from hybrid_runtime.supervisor.engine_stream import EngineStream

LONGEST_LINE = 4096
# The firmware's source that every container has; the others are RPMsg channels, by name.
TRACE = ""


class LineSplitter:
    """Bytes in, lines out; what has no line end yet waits, up to a bound."""

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, data: bytes) -> list[tuple[str, bool]]:
        """(text, complete) pairs; only pieces of an overlong line are not complete."""
        *lines, self.rest = (self.rest + data).split(b"\n")
        found: list[tuple[str, bool]] = []
        for line in lines:
            head, last = _cut(line)
            found += [(_text(piece), False) for piece in head]
            found.append((_text(last), True))
        head, self.rest = _cut(self.rest)
        found += [(_text(piece), False) for piece in head]
        return found

    def finish(self) -> list[tuple[str, bool]]:
        """The last line, when it lacks its end."""
        rest, self.rest = self.rest, b""
        return [(_text(rest), True)] if rest else []


def _cut(line: bytes) -> tuple[list[bytes], bytes]:
    """Pieces of the longest length, and what remains."""
    head = []
    while len(line) > LONGEST_LINE:
        end = LONGEST_LINE
        # Not inside a character: UTF-8 has at most three bytes after its first, all 10xxxxxx.
        while end > LONGEST_LINE - 3 and line[end] & 0xC0 == 0x80:
            end -= 1
        head.append(line[:end])
        line = line[end:]
    return head, line


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r").replace("\0", "\ufffd")


class Output:
    """The container's two streams and its log."""

    def __init__(self, log: ContainerLog) -> None:
        self.log = log
        self.streams = {FIRMWARE_STREAM: EngineStream(1), SUPERVISOR_STREAM: EngineStream(2)}
        self.splitters: dict[str, LineSplitter] = {}

    def firmware(self, data: bytes, source: str = TRACE) -> None:
        """What came from one of the firmware's sources; lines of two never mix."""
        splitter = self.splitters.get(source) or self.splitters.setdefault(source, LineSplitter())
        for text, complete in splitter.feed(data):
            self._emit(FIRMWARE_STREAM, text, complete=complete)

    def end_line(self, source: str = TRACE) -> None:
        """What follows is no continuation of what came last."""
        if source in self.splitters:
            for text, complete in self.splitters[source].finish():
                self._emit(FIRMWARE_STREAM, text, complete=complete)

    def supervisor(self, text: str) -> None:
        self._emit(SUPERVISOR_STREAM, message_line(text), complete=True)

    def _emit(self, stream: str, text: str, *, complete: bool) -> None:
        self.log.append(stream, text, complete=complete)
        self.streams[stream].add((text + "\n" if complete else text).encode("utf-8", "replace"))

    def flush(self) -> None:
        for stream in self.streams.values():
            if stream.pending:
                stream.flush()

    def finish(self, deadline: Deadline) -> None:
        """Everything out that the readers take within the deadline."""
        for source in self.splitters:
            self.end_line(source)
        stream = self.streams[FIRMWARE_STREAM]
        stream.flush(deadline)
        stream.drop_buffer()
        if stream.dropped_lines:
            self.supervisor(f"hybrid-runtime: {stream.dropped_lines} last lines dropped, the reader was too slow")
        if self.log.lost_lines:
            self.supervisor(f"hybrid-runtime: {self.log.lost_lines} lines could not be written to the log")
        for stream in self.streams.values():
            stream.flush(deadline)
        self.log.close()
