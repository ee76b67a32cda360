"""A serial line with a thread that drains it for as long as it lives."""

import re
import threading
from collections.abc import Callable
from pathlib import Path

from pexpect.exceptions import EOF, TIMEOUT

from hybrid_hil.board_health import BoardHealth
from hybrid_hil.console.alarm import alarm
from hybrid_hil.console.record import Line, Record, printable
from hybrid_hil.console.serial_line import SerialLine
from hybrid_hil.console.transcript import Transcript
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError

TAIL_LINES = 12
QUIET_S = 0.15


class ConsoleError(RigError):
    """What was expected of a console did not come; `ended` tells a dead board from a late one."""

    def __init__(self, message: str, remedy: str = "", *, ended: str | None = None) -> None:
        super().__init__(message, remedy)
        self.ended = ended


class Console:
    """One UART: recorded by its own thread, watched for alarms, expected on, written to.

    It outlives power cycles: `attach` gives it the new serial line, and the record goes on. Positions (marks)
    taken earlier stay valid.
    """

    def __init__(self, name: str, health: BoardHealth, *, log: Path | None = None, watched: bool = False) -> None:
        self.name = name
        self.log = log
        self._health = health
        self._watched = watched
        self._record = Record(log)
        self._line: SerialLine | None = None
        self._reader: threading.Thread | None = None
        self._taps: list[Callable[[bytes], None]] = []
        self.powered_on_at = 0

    def attach(self, line: SerialLine) -> None:
        """Takes over a connected serial line and starts draining it."""
        self.detach()
        self.begin()
        self._line = line
        self._reader = threading.Thread(target=self._drain, args=(line,), name=self.name, daemon=True)
        self._reader.start()

    def begin(self) -> None:
        """What is said from now on belongs to a board that has just begun."""
        self.powered_on_at = self.mark()

    @property
    def lost(self) -> str:
        """Why the log on disk is not whole; empty when it is."""
        return self._record.lost

    @property
    def wired(self) -> bool:
        """Whether a serial line is attached and its far end is there, so that silence means something."""
        return self._reader is not None and self._reader.is_alive()

    def detach(self) -> None:
        """Lets go of the serial line; what it said stays."""
        if self._line is None:
            return
        self._line.hang_up()
        if self._reader is not None:
            self._reader.join()
        self._line.close()
        self._line = self._reader = None

    def close(self) -> None:
        self.detach()
        self._record.close()

    def drained(self, seconds: float) -> None:
        """Waits until the far end has closed the line and everything it said is recorded."""
        if self._reader is not None:
            self._reader.join(seconds)

    def mark(self) -> int:
        """The position of now, for `since`."""
        return self._record.position

    def text(self, since: int | None = None) -> str:
        """What was said from `since` on (default: since the board was powered on)."""
        return self._record.read(self._since(since)).decode(errors="replace")

    def lines(self, since: int | None = None) -> list[Line]:
        """The lines from `since` on (default: since power on), the last of which may be unfinished."""
        return self._record.lines(self._since(since))

    def expect(
        self, pattern: str, deadline: Deadline, since: int | None = None, *, partial: bool = False
    ) -> re.Match[str]:
        """Waits until `pattern` (a regular expression, ^ and $ at line borders) is found from `since` on.

        Only whole lines are searched unless `partial`, which prompts need.

        Raises:
            ConsoleError: it was not there by the deadline, or the board died first.
        """
        start = self._since(since)
        session = Transcript(self._record, start, partial=partial, dead=lambda: self._health.cause)
        try:
            session.expect([re.compile(pattern, re.MULTILINE)], timeout=deadline.remaining())
        except EOF:
            cause = self._health.cause or "it was closed"
            message = f"`{self.name}` cannot show `{pattern}` any more: {cause}"
            raise ConsoleError(message, self.tail(), ended=cause) from None
        except TIMEOUT:
            message = f"`{self.name}` did not show `{pattern}` in {deadline.seconds:.1f} s"
            raise ConsoleError(message, self.tail()) from None
        match = session.match
        if not isinstance(match, re.Match):
            raise ConsoleError(f"`{self.name}` matched `{pattern}` without a match")
        return match

    def send(self, data: bytes) -> None:
        """Types `data` on the line.

        Raises:
            ConsoleError: the line is closed.
        """
        if self._line is None:
            raise ConsoleError(f"`{self.name}` is not attached", "power the board on")
        try:
            self._line.send(data)
        except OSError as error:
            raise ConsoleError(f"`{self.name}` takes no input: {error}", ended=self._health.cause) from error

    def tap(self, listener: Callable[[bytes], None]) -> Callable[[], None]:
        """Hands every byte also to `listener`, as it comes, on the reader's thread; the result ends that."""
        self._taps.append(listener)
        return lambda: self._taps.remove(listener)

    def tail(self, count: int = TAIL_LINES) -> str:
        """The last lines since power on, for error texts, with the place of the full log."""
        lines = [printable(line.text) for line in self.lines() if line.text.strip()][-count:]
        head = f"last lines of `{self.name}`:" if lines else f"`{self.name}` said nothing"
        ends = f", which ends early: {self.lost}" if self.lost else ""
        log = [f"full log: {self.log}{ends}"] if self.log else []
        return "\n".join([head, *(f"  | {line}" for line in lines), *log])

    def settle(self, deadline: Deadline) -> None:
        """Waits until the line has been quiet for a moment: what follows a panic is worth reading."""
        while not deadline.expired and self._record.wait(self.mark(), min(QUIET_S, deadline.remaining())):
            pass

    def _since(self, since: int | None) -> int:
        return self.powered_on_at if since is None else since

    def _drain(self, line: SerialLine) -> None:
        while data := line.receive():
            for done in self._record.append(data):
                cause = alarm(done.text) if self._watched else None
                if cause is not None:
                    self._health.report(cause)
            for listener in list(self._taps):
                listener(data)
