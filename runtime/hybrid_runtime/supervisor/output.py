"""What the firmware and the supervisor say, as lines: to the engine's descriptors and to the container's log.

However much comes and whoever does not read it, the supervisor goes on: what goes out at a time and what waits for it
are bounded, and what is lost is counted and told.
"""

from time import monotonic

from hybrid_runtime.container.log import FIRMWARE_STREAM, SUPERVISOR_STREAM, ContainerLog
from hybrid_runtime.supervisor.engine_stream import EngineStream
from hybrid_runtime.supervisor.firmware_text import LINE_COST, FirmwareText, cost
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.text import message_line

# In each period, which is a busy look's, so much goes out of all sources together. A log of the default size holds
# a fifth of a second of that.
PERIOD_SECONDS = 0.050
LARGEST_COST = 64 * 1024
# A burst of four periods is not lost, but comes out over them.
LARGEST_WAITING_COST = 4 * LARGEST_COST
_TELL_AGAIN_SECONDS = 5.0
_TOO_FAST = (
    f"the core prints faster than {LARGEST_COST >> 10} KiB or {LARGEST_COST // LINE_COST} lines "
    f"in {PERIOD_SECONDS * 1000:.0f} ms"
)


class Output:
    """The container's two streams and its log."""

    def __init__(self, log: ContainerLog) -> None:
        self.log = log
        self.streams = {FIRMWARE_STREAM: EngineStream(1), SUPERVISOR_STREAM: EngineStream(2)}
        # By name; the ones that have waited longest first.
        self.sources: dict[str, FirmwareText] = {}
        self.unended: FirmwareText | None = None
        self.limits = LARGEST_COST
        self.period_end = self.tell_again = monotonic()
        self.lost_bytes = 0

    def firmware(self, data: bytes, name: str, mark: str = "") -> None:
        """What came from one of the firmware's sources. It goes out with the next `flush`."""
        if name not in self.sources:
            # Channels may have other addresses after each restart of the core.
            self.sources = {known: source for known, source in self.sources.items() if not self._is_idle(source)}
        source = self.sources.get(name) or FirmwareText()
        source.mark = mark
        if not source.waiting:
            self.sources.pop(name, None)
            self.sources[name] = source
        lost = source.add(data, LARGEST_WAITING_COST // len(self.sources))
        if lost:
            self.lost_bytes += lost
            self._end_line(source)

    def _is_idle(self, source: FirmwareText) -> bool:
        return not source.waiting and not source.splitter.rest and source is not self.unended

    def end_line(self, name: str) -> None:
        """What comes from now on is no continuation of what came last."""
        source = self.sources.get(name)
        if source is None:
            return
        if source.waiting:
            source.end_line()
        else:
            self._end_line(source)

    def end_lines(self) -> None:
        """Of all sources."""
        for name in self.sources:
            self.end_line(name)

    def _end_line(self, source: FirmwareText) -> None:
        """Of what went out."""
        self._emit_firmware(source, source.splitter.finish())

    def supervisor(self, text: str) -> None:
        """Is in the log when this returns."""
        self._release()
        self._emit(SUPERVISOR_STREAM, [(message_line(text), True)])
        self.log.flush()

    def _release(self) -> None:
        """What waits, as far as this period allows; each source gets its share."""
        waiting = [source for source in self.sources.values() if source.waiting]
        if not waiting:
            return
        if monotonic() >= self.period_end:
            self.limits = LARGEST_COST
            self.period_end = monotonic() + PERIOD_SECONDS
        self._tell_losses()
        for done, source in enumerate(waiting):
            if self.limits > 0:
                text = source.take(self.limits // (len(waiting) - done) or 1)
                self.limits -= cost(text)
                self._emit_firmware(source, source.splitter.feed(text))

    def _tell_losses(self) -> None:
        if self.lost_bytes and monotonic() >= self.tell_again:
            lost, self.lost_bytes = self.lost_bytes, 0
            self.tell_again = monotonic() + _TELL_AGAIN_SECONDS
            self._emit(SUPERVISOR_STREAM, [(f"hybrid-runtime: {lost} bytes of output lost: {_TOO_FAST}", True)])

    def _emit_firmware(self, source: FirmwareText, lines: list[tuple[str, bool]]) -> None:
        """Lines of one source; the half line of another is ended first."""
        if not lines:
            return
        if self.unended not in (None, source):
            self._emit(FIRMWARE_STREAM, [("", True)])
            self.unended = None
        if source.mark:
            begins = [self.unended is None, *(complete for _, complete in lines)]
            lines = [
                (source.mark + text if begin else text, complete)
                for begin, (text, complete) in zip(begins, lines, strict=False)
            ]
        self._emit(FIRMWARE_STREAM, lines)
        self.unended = None if lines[-1][1] else source

    def _emit(self, stream: str, lines: list[tuple[str, bool]]) -> None:
        self.log.add(stream, lines)
        text = "".join([text + "\n" if complete else text for text, complete in lines])
        self.streams[stream].add(text.encode("utf-8", "replace"))

    def flush(self) -> None:
        """One write to the log, and to the streams what they take at once."""
        self._release()
        self.log.flush()
        for stream in self.streams.values():
            if stream.pending:
                stream.flush()

    def finish(self, deadline: Deadline) -> None:
        """Everything out that the readers take within the deadline."""
        self.end_lines()
        self.tell_again = 0.0
        stream = self.streams[FIRMWARE_STREAM]
        while any(source.waiting for source in self.sources.values()):
            self.period_end = 0.0
            self._release()
            stream.flush(deadline)
        self._tell_losses()
        stream.flush(deadline)
        stream.drop_buffer()
        if stream.dropped_lines:
            self.supervisor(f"hybrid-runtime: {stream.dropped_lines} last lines dropped, the reader was too slow")
        self.log.flush()
        if self.log.lost_lines:
            self.supervisor(f"hybrid-runtime: {self.log.lost_lines} lines could not be written to the log")
        for stream in self.streams.values():
            stream.flush(deadline)
        self.log.close()
