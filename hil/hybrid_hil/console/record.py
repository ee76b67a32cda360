"""The record of a console: every byte kept in order, every line stamped at its arrival."""

import bisect
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from hybrid_hil.failure import told


@dataclass(frozen=True)
class Line:
    """One line without its end; both stamps, in seconds, are those of its first byte's arrival."""

    text: str
    monotonic: float
    wall: float


@dataclass(frozen=True)
class _Start:
    """Where in the record a line starts, and when that was."""

    position: int
    monotonic: float
    wall: float


class NewlineFilter:
    """Turns the line ends of serial lines (CR, CR LF, CR CR LF before LF) into LF, across chunk borders."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What of `data` can be told now; a CR at its end is held until the next byte tells what it is."""
        data = self._held + data
        kept = data.rstrip(b"\r")
        self._held = data[len(kept) :]
        while b"\r\n" in kept:
            kept = kept.replace(b"\r\n", b"\n")
        return kept


def printable(text: str) -> str:
    """The text with control characters spelled `\\xNN`, so that noise on a line cannot disturb a terminal."""
    return "".join(c if c.isprintable() or c == "\t" else f"\\x{ord(c):02x}" for c in text)


class Record:
    """All that a console said. Positions count bytes after line ends were normalised and never go back.

    The log on disk is a copy. One that cannot be written any more ends there, `lost` says why, and the record goes on.
    """

    def __init__(self, log: Path | None = None) -> None:
        self._changed = threading.Condition()
        self._data = bytearray()
        self._starts: list[_Start] = []
        self._logged = 0
        self._filter = NewlineFilter()
        self.lost = ""
        self._log: BinaryIO | None = self._opened(log) if log else None

    def append(self, raw: bytes) -> list[Line]:
        """Adds bytes that arrived now; returns the lines they completed."""
        monotonic, wall = time.monotonic(), time.time()
        with self._changed:
            before = len(self._data)
            fresh = self._filter.feed(raw)
            self._data += fresh
            self._note_starts(before, fresh, monotonic, wall)
            done = self._finish_lines()
            self._changed.notify_all()
        return done

    @property
    def position(self) -> int:
        with self._changed:
            return len(self._data)

    def read(self, since: int = 0, *, whole_lines: bool = False) -> bytes:
        """The bytes from `since` on; with `whole_lines` only up to the last line end."""
        with self._changed:
            end = self._data.rfind(b"\n") + 1 if whole_lines else len(self._data)
            return bytes(self._data[since:end])

    def lines(self, since: int = 0) -> list[Line]:
        """The lines from `since` on, the last of which may be incomplete."""
        with self._changed:
            first = max(0, bisect.bisect_right(self._starts, since, key=lambda start: start.position) - 1)
            found = [self._line(index, since) for index in range(first, len(self._starts))]
            return [line for line in found if line is not None]

    def wait(self, position: int, seconds: float) -> bool:
        """Waits until there is more than `position` bytes, at most `seconds`; tells whether there is."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._data) > position, seconds)

    def close(self) -> None:
        """Writes the last, unfinished line into the log and closes it; what was recorded stays readable."""
        with self._changed:
            if self._logged < len(self._starts):
                self._write([self._line(len(self._starts) - 1, 0)])
            self._end_log()

    def _note_starts(self, before: int, fresh: bytes, monotonic: float, wall: float) -> None:
        if fresh and (before == 0 or self._data[before - 1 : before] == b"\n"):
            self._starts.append(_Start(before, monotonic, wall))
        newline = fresh.find(b"\n")
        while newline != -1 and newline + 1 < len(fresh):
            self._starts.append(_Start(before + newline + 1, monotonic, wall))
            newline = fresh.find(b"\n", newline + 1)

    def _finish_lines(self) -> list[Line]:
        """The lines completed since the last call, written into the log."""
        finished = len(self._starts) if self._data.endswith(b"\n") else len(self._starts) - 1
        done = [self._line(index, 0) for index in range(self._logged, finished)]
        self._logged = max(self._logged, finished)
        self._write(done)
        return [line for line in done if line is not None]

    def _line(self, index: int, since: int) -> Line | None:
        """Line `index`, cut to what lies at or after `since`; None when nothing of it does."""
        start = self._starts[index]
        end = self._starts[index + 1].position if index + 1 < len(self._starts) else len(self._data)
        if end <= since:
            return None
        text = self._data[max(start.position, since) : end].removesuffix(b"\n").decode(errors="replace")
        return Line(text, start.monotonic, start.wall)

    def _opened(self, log: Path) -> BinaryIO | None:
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            return log.open("ab")
        except OSError as error:
            self.lost = told(error)
            return None

    def _write(self, lines: list[Line | None]) -> None:
        if self._log is None:
            return
        try:
            self._log.writelines(_logged(line) for line in lines if line is not None)
            self._log.flush()
        except OSError as error:
            self.lost = told(error)
            self._end_log()

    def _end_log(self) -> None:
        log, self._log = self._log, None
        if log is not None:
            try:
                log.close()
            except OSError as error:
                self.lost = told(error)


def _logged(line: Line) -> bytes:
    stamp = datetime.fromtimestamp(line.wall, UTC).isoformat(timespec="milliseconds")
    return f"{stamp} {line.monotonic:.6f} {printable(line.text)}\n".encode()
